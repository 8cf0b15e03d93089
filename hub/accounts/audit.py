"""Write and verify the audit trail: append-only, each row's hash covers the one before."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from itertools import islice
from typing import Any, Protocol

from django.db import connection, transaction
from django.utils import timezone

from hub.accounts.actor import Actor
from hub.accounts.models import AuditEvent
from hub.lib.numbers import whole

GENESIS = "0" * 64
LINES_AT_ONCE = 500  # of an export, looked up together
FIELDS = (
    "action",
    "actor_id",
    "actor_name",
    "token_id",
    "address",
    "owner_id",
    "repository_id",
    "subject",
    "before",
    "after",
    "previous_hash",
)
_LOCK = 0x0C0E_A0D1  # PostgreSQL advisory lock: one writer at a time, so the chain has no forks


class Owned(Protocol):
    """A repository, of which this part of the hub knows no more."""

    owner_id: int

    @property
    def pk(self) -> Any: ...


def record(
    action: str,
    actor: Actor,
    *,
    subject: str = "",
    of: Owned | None = None,
    owner_id: int | None = None,
    before: Any = None,
    after: Any = None,
) -> AuditEvent:
    """Append one event, inside the caller's transaction where there is one.

    action: "noun.verb", e.g. "token.create". subject: a readable name that outlives the row it names. of: the
    repository that it happened in; owner_id: whom it concerns, when that is not the repository's owner.
    """
    with transaction.atomic():
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
        last = AuditEvent.objects.order_by("-pk").values_list("hash", flat=True).first()
        event = AuditEvent(
            created=timezone.now(),
            action=action,
            actor_id=actor.user_id,
            actor_name=actor.username,
            token_id=actor.token_id,
            address=actor.address,
            owner_id=of.owner_id if of and owner_id is None else owner_id,
            repository_id=of.pk if of else None,
            subject=subject[:300],
            before=before,
            after=after,
            previous_hash=last or GENESIS,
        )
        event.hash = digest(event)
        event.save(force_insert=True)
    return event


def digest(event: AuditEvent) -> str:
    """SHA-256 over every field but the id and the hash itself."""
    return digest_of(as_json(event))


def digest_of(line: dict[str, Any]) -> str:
    """The same of an event as as_json gives it."""
    fields = {name: value for name, value in line.items() if name not in {"id", "hash"}}
    return hashlib.sha256(json.dumps(fields, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def as_json(event: AuditEvent) -> dict[str, Any]:
    """The event as plain values, for the hash and for export."""
    fields: dict[str, Any] = {name: getattr(event, name) for name in FIELDS}
    return {"id": event.pk, "created": event.created.isoformat(), **fields, "hash": event.hash}


def first_broken() -> AuditEvent | None:
    """The first event whose hash or link does not hold, or None when the whole chain does."""
    previous = GENESIS
    for event in AuditEvent.objects.order_by("pk").iterator(chunk_size=1000):
        if event.previous_hash != previous or event.hash != digest(event):
            return event
        previous = event.hash
    return None


def first_forged(lines: Iterable[bytes]) -> int | None:
    """The number of the first line of an export that is not what the hub wrote down, or None when every line is."""
    numbered = iter(enumerate(lines, 1))
    while batch := list(islice(numbered, LINES_AT_ONCE)):
        told = [(number, _told(line)) for number, line in batch]
        known = dict(AuditEvent.objects.filter(pk__in=[pk for _, (pk, _) in told]).values_list("pk", "hash"))
        for number, (pk, hash_) in told:
            if not hash_ or known.get(pk) != hash_:
                return number
    return None


def _told(line: bytes) -> tuple[int, str]:
    """(id, hash) of a line whose hash is that of what it says; (0, "") of any other."""
    try:
        event = json.loads(line)
        return (whole(str(event["id"])) or 0, event["hash"]) if event["hash"] == digest_of(event) else (0, "")
    except (ValueError, TypeError, KeyError, AttributeError):
        return 0, ""
