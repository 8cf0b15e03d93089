"""Administration of people: who may come in, and who administers the hub. Every change is an audit event.

A person who is deactivated is nobody from the next request on, on every surface: sessions, tokens, key pairs and links
are only good for active people (tokens.find, find_pair, Django's get_user, the raw host). Nothing of theirs is
removed; reactivated, all of it works again.
"""

from __future__ import annotations

from django.db import transaction
from django.db.models import Q, QuerySet

from hub.accounts import audit
from hub.accounts.actor import Actor
from hub.accounts.models import User
from hub.lib.errors import Conflict, Denied, NotFound


def require_administrator(actor: Actor) -> None:
    """Raises Denied. Only a session administers: a token never does, whoever made it."""
    if actor.user is None or not actor.user.is_superuser or not actor.session:
        raise Denied("Only administrators of this hub may do this.", details="Ask one of them.")


def matching(q: str) -> QuerySet[User]:
    """Everybody whose user name, name or address holds every word; by user name."""
    found = User.objects.select_related("owner").order_by("owner__name_key")
    for word in q.split()[:8]:
        found = found.filter(Q(username__icontains=word) | Q(full_name__icontains=word) | Q(email__icontains=word))
    return found


def find(user_id: int) -> User:
    """Raises NotFound."""
    person = User.objects.select_related("owner").filter(pk=user_id).first()
    if person is None:
        raise NotFound("There is no such person.")
    return person


def deactivate(actor: Actor, user_id: int) -> User:
    """Let this person in no more, from now on. Raises NotFound, Conflict for the last administrator."""
    return _set(actor, user_id, "deactivate", is_active=False)


def reactivate(actor: Actor, user_id: int) -> User:
    return _set(actor, user_id, "reactivate", is_active=True)


def make_administrator(actor: Actor, user_id: int) -> User:
    """Raises NotFound, Conflict for somebody who is deactivated."""
    return _set(actor, user_id, "make_administrator", is_superuser=True)


def revoke_administrator(actor: Actor, user_id: int) -> User:
    """Raises NotFound, Conflict for the last one."""
    return _set(actor, user_id, "revoke_administrator", is_superuser=False)


@transaction.atomic
def _set(actor: Actor, user_id: int, act: str, **wanted: bool) -> User:
    """All administrators are locked, so that two of them cannot remove each other in the same moment."""
    administrators = list(
        User.objects.select_for_update(of=("self",)).filter(is_superuser=True, is_active=True).order_by("pk")
    )
    person = find(user_id)
    before = {field: getattr(person, field) for field in wanted}
    if before == wanted:
        return person
    if wanted.get("is_superuser") and not person.is_active:
        raise Conflict(f"{person.username} is deactivated.", details="Reactivate them first.")
    if [one.pk for one in administrators] == [person.pk]:
        raise Conflict(f"{person.username} is the last administrator.", details="Make somebody else one first.")
    for field, value in wanted.items():
        setattr(person, field, value)
    person.is_staff = person.is_superuser
    person.save(update_fields=[*wanted, "is_staff"])
    audit.record(f"user.{act}", actor, subject=person.username, owner_id=person.owner_id, before=before, after=wanted)
    return person
