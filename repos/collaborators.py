"""Who else may work on a repository: one rung of the ladder per person."""

from __future__ import annotations

from django.db import transaction

from hub.accounts import audit
from hub.accounts.actor import Actor
from hub.accounts.models import User
from hub.lib.errors import NotFound, Unprocessable
from repos.models import Access, Membership, Repository

RUNGS = {rung.name.lower(): rung for rung in Access if rung}


def rung_named(name: str) -> Access:
    """read, write or admin. Raises Unprocessable."""
    if rung := RUNGS.get(name):
        return rung
    raise Unprocessable(f"There is no access called {name[:40]!r}.", details=f"Choose one of {', '.join(RUNGS)}.")


def user_named(name: str) -> User:
    """An active user. Raises NotFound."""
    known = User.objects.filter(owner__name_key=name.lower(), is_active=True).select_related("owner")
    if "\0" not in name and (user := known.first()):  # PostgreSQL cannot even be asked for a NUL
        return user
    raise NotFound(f"There is no user called {name[:40]}.")


def put(actor: Actor, repository: Repository, user: User, access: Access) -> Membership:
    """Add a collaborator or change their access. Raises Unprocessable for the owner, who may do everything already."""
    if user.owner_id == repository.owner_id:
        raise Unprocessable(f"{user.username} owns this repository and may do everything already.")
    with transaction.atomic():
        old = Membership.objects.select_for_update().filter(repository=repository, user=user).first()
        if old and old.access == access:
            return old
        membership, _ = Membership.objects.update_or_create(
            repository=repository, user=user, defaults={"access": access.value}
        )
        _record(
            actor,
            "collaborator.change" if old else "collaborator.add",
            repository,
            user,
            before=Access(old.access).name.lower() if old else None,
            after=access.name.lower(),
        )
    return membership


def remove(actor: Actor, repository: Repository, user: User) -> None:
    """Take the access away, on every surface from the next request on. Raises NotFound when there was none."""
    with transaction.atomic():
        old = Membership.objects.select_for_update().filter(repository=repository, user=user).first()
        if old is None:
            raise NotFound(f"{user.username} is not a collaborator.")
        old.delete()
        _record(actor, "collaborator.remove", repository, user, before=Access(old.access).name.lower(), after=None)


def _record(
    actor: Actor, action: str, repository: Repository, user: User, *, before: str | None, after: str | None
) -> None:
    audit.record(
        action,
        actor,
        subject=f"{user.username} on {repository.full_name}",
        of=repository,
        before={"access": before},
        after={"access": after},
    )
