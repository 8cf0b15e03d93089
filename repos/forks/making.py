"""Make a fork: a repository of one's own with the branches, the tags and the data of another.

The row is there at once, empty and of its maker; a job brings the rest (copying.py). A fork of a private repository is
private, and stays so while that one is (repositories.update). It is a copy in everything: nothing that becomes of one
of them, its deletion included, takes anything from the other.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.db import transaction
from django.db.models import Q

from hub.accounts import audit
from hub.accounts.actor import Actor
from hub.accounts.models import User
from hub.lib.errors import Unauthenticated, Unprocessable
from repos import access, repositories, storage
from repos.access import Access, Area
from repos.forks import copying
from repos.models import Repository
from repos.pulls.origins import network_of


@dataclass(frozen=True)
class Wish:
    """name, description "": as its parent's. private None: as its parent is. only_default: no other branch, no tags."""

    name: str = ""
    description: str = ""
    private: bool | None = None
    only_default: bool = False


def fork(actor: Actor, parent: Repository, wish: Wish) -> tuple[Repository, bool]:
    """(the fork, whether it was made now: one has at most one of a repository and its forks).

    Raises NotFound, Unauthenticated, Denied (the token), Unprocessable (empty, one's own, name taken, public).
    """
    access.check(actor, parent, need=Access.READ, area=Area.REPO)
    access.require_scope(actor, Area.DATA, write=False)
    if actor.user is None:
        raise Unauthenticated("Sign in to fork.")
    if parent.owner_id == actor.user.owner_id:
        raise Unprocessable(f"{parent.full_name} is yours already.", details="Make a branch in it instead.")
    if own := own_fork(actor.user, parent):
        return own, False
    if parent.empty:
        raise Unprocessable(f"{parent.full_name} has no commits yet.", details="Fork it after its first push.")
    if parent.private and wish.private is False:
        raise Unprocessable("A fork of a private repository is private.", details="Leave out private=false.")
    try:
        return _made(actor, actor.user, parent, wish), True
    except Unprocessable:
        if own := own_fork(actor.user, parent):  # another request of theirs was first
            return own, False
        raise


def own_fork(user: User, repository: Repository) -> Repository | None:
    """What this person has of a repository's network: a fork of it, of its parent, of another fork, or the first."""
    network = network_of(repository)
    rows = Repository.objects.filter(Q(network=network) | Q(pk=network), owner=user.owner_id, deleted=None)
    found = rows.select_related("owner").order_by("pk").first()
    if found is not None:
        found.granted = Access.ADMIN
    return found


def _made(actor: Actor, user: User, parent: Repository, wish: Wish) -> Repository:
    private = parent.private or bool(wish.private)
    description = wish.description or parent.description
    with transaction.atomic():
        made = repositories.create(
            actor, user.owner, wish.name or parent.name, description=description, private=private
        )
        made.parent, made.network, made.kept_private = parent, network_of(parent), parent.private
        made.default_branch = parent.default_branch
        made.save(update_fields=["parent", "network", "kept_private", "default_branch"])
        storage.store().set_head(made.pk, made.default_branch)
        Repository.objects.filter(pk=parent.pk).update(forked=True)
        audit.record("repository.fork", actor, subject=made.full_name, of=made, after={"parent": parent.full_name})
        copying.start(made, user, only_default=wish.only_default)
    return made
