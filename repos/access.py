"""The only gate: who may do what with a repository. Every surface asks here."""

from __future__ import annotations

from collections.abc import Iterable

from hub.accounts import tokens
from hub.accounts.actor import Actor, Area
from hub.lib.errors import Denied, Moved, NotFound
from hub.lib.prepared import Prepared
from repos.models import Access, Membership, OldName, Repository

__all__ = ["Access", "Actor", "Area", "Moved", "access_for", "granted", "repository_for", "require_scope"]


def access_for(actor: Actor, repository: Repository) -> Access:
    """The rung this actor stands on, before the scopes of a token narrow what it may do there."""
    member = None
    if actor.user is not None and repository.owner_id != actor.user.owner_id:
        member = _MEMBER.first(actor.user.pk, repository.pk)
    return _rung(actor, repository, member.access if member else 0)


_MEMBER = Prepared(
    lambda user_id, repository_id: Membership.objects.filter(user_id=user_id, repository_id=repository_id), int, int
)


def granted(actor: Actor, repositories: Iterable[Repository]) -> dict[int, Access]:
    """access_for of many, by repository id: one query for a whole page."""
    rows = list(repositories)
    members: dict[int, int] = {}
    if actor.user is not None and (asked := [row for row in rows if row.owner_id != actor.user.owner_id]):
        found = Membership.objects.filter(user=actor.user, repository__in=asked)
        members = dict(found.values_list("repository_id", "access"))
    return {row.pk: _rung(actor, row, members.get(row.pk, 0)) for row in rows}


def _rung(actor: Actor, repository: Repository, member: int) -> Access:
    if actor.repository_id is not None and actor.repository_id != repository.pk:
        return Access.NONE
    if actor.user is not None and repository.owner_id == actor.user.owner_id:
        return Access.ADMIN
    return max(Access.NONE if repository.private else Access.READ, Access(member))


def repository_for(actor: Actor, owner: str, name: str, *, need: Access, area: Area) -> Repository:
    """The repository, with .granted set to what the actor may do there.

    Raises NotFound when the actor may not read it (the same as when it does not exist), Denied when need or the
    token's scope falls short, Moved when this was its name once and the actor may read it.
    """
    if "\0" in owner + name:  # no name holds it, and PostgreSQL refuses it in a query
        raise NotFound()
    _ = actor.user  # a page looks its visitor up when first asked: now, so that what is absent takes no less time
    repository = _BY_NAME.first(owner.lower(), name.lower())
    if repository is None:
        raise _moved(actor, owner, name) or NotFound()
    return check(actor, repository, need=need, area=area)


_BY_NAME = Prepared(
    lambda owner_key, name_key: Repository.objects.select_related("owner").filter(
        owner__name_key=owner_key, name_key=name_key, deleted=None
    ),
    str,
    str,
)


def check(actor: Actor, repository: Repository, *, need: Access, area: Area) -> Repository:
    """The same question about a repository already at hand."""
    granted = access_for(actor, repository)
    if granted < Access.READ or repository.deleted:
        raise NotFound()
    require_scope(actor, area, write=need > Access.READ)
    if granted < need:
        raise Denied(
            f"You may read {repository.full_name}, but not do this.",
            details=f"Ask {repository.owner.name} for {need.name.lower()} access.",
        )
    repository.granted = granted
    return repository


def ask_again(actor: Actor, repository: Repository, *, need: Access, area: Area) -> Repository:
    """The same question at the end of what took long, of the repository and the credential as they are by then.

    Raises what check raises, and Unauthenticated."""
    tokens.require_live(actor)
    current = Repository.objects.select_related("owner").filter(pk=repository.pk).first()
    if current is None:
        raise NotFound()
    return check(actor, current, need=need, area=area)


def require_scope(actor: Actor, area: Area, *, write: bool) -> None:
    """Raises Denied when the credential's scopes do not reach this far."""
    if not actor.has_scope(area, write=write):
        wanted = f"{area}:{'write' if write else 'read'}"
        raise Denied(
            f"This access token lacks the scope {wanted}.",
            details="Make a token with that scope under Settings → Access tokens.",
        )


def _moved(actor: Actor, owner: str, name: str) -> Moved | None:
    old = _OLD_NAME.first(owner.lower(), name.lower())
    if old is None or access_for(actor, old.repository) < Access.READ:
        return None
    return Moved(old.repository.owner.name, old.repository.name)


# Prepared like the others: what is absent must not take longer than what is private.
_OLD_NAME = Prepared(
    lambda owner_key, name_key: OldName.objects.select_related("repository__owner").filter(
        owner_key=owner_key, name_key=name_key, repository__deleted=None
    ),
    str,
    str,
)
