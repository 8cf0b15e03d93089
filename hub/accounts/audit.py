"""Write and verify the audit trail: append-only, each row's hash covers the one before."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from hub.accounts.actor import Actor
from hub.accounts.models import AuditEvent

GENESIS = "0" * 64
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


def record(
    action: str,
    actor: Actor,
    *,
    subject: str = "",
    owner_id: int | None = None,
    repository_id: int | None = None,
    before: Any = None,
    after: Any = None,
) -> AuditEvent:
    """Append one event, inside the caller's transaction where there is one.

    action: "noun.verb", e.g. "token.create". subject: a readable name that outlives the row it names.
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
            owner_id=owner_id,
            repository_id=repository_id,
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
    fields = as_json(event)
    del fields["id"], fields["hash"]
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
