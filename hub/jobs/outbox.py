"""Announce inside a transaction, deliver after it: what happened in the database is never forgotten, nor invented."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from hub.jobs.models import Outbox
from hub.lib.failures import passing

logger = logging.getLogger("covey.outbox")
Receiver = Callable[[dict[str, Any]], None]
_receivers: dict[str, list[Receiver]] = {}
KEEP_DELIVERED = timedelta(days=7)
RETRY_SECONDS = (5, 30, 120, 600, 3600)
AWAY_SECONDS = (5, 15, 30, 60)  # while a part of the hub is away


def receiver(topic: str) -> Callable[[Receiver], Receiver]:
    """Register a function for a topic. It gets the payload, may run more than once, and runs in a worker."""

    def register(function: Receiver) -> Receiver:
        _receivers.setdefault(topic, []).append(function)
        return function

    return register


def announce(topic: str, payload: dict[str, Any]) -> None:
    """Write the event beside the change it tells of; the worker is woken when the transaction commits."""
    from hub.jobs import tasks

    row = Outbox.objects.create(topic=topic, payload=payload)
    transaction.on_commit(partial(tasks.wake, tasks.deliver_outbox, row.pk))


def deliver(row_id: int) -> None:
    """Run every receiver of one event. A failure is kept in the row and tried again later by the relay."""
    row = Outbox.objects.filter(pk=row_id, delivered=None).first()
    if row is None:
        return
    try:
        for function in _receivers.get(row.topic, []):
            function(row.payload)
    except Exception as error:
        # The row is the record of the failure; the relay tries again until somebody mends the receiver.
        logger.exception("outbox %s %s failed", row.pk, row.topic)
        waits = AWAY_SECONDS if passing(error) else RETRY_SECONDS
        wait = waits[min(row.attempts, len(waits) - 1)]
        Outbox.objects.filter(pk=row.pk).update(
            attempts=row.attempts + 1,
            last_error=f"{type(error).__name__}: {error}"[:2000],
            next_attempt=timezone.now() + timedelta(seconds=wait),
        )
        return
    Outbox.objects.filter(pk=row.pk).update(delivered=timezone.now(), last_error="")


def forget_delivered() -> int:
    """Delete what was delivered over a week ago; how many."""
    old = timezone.now() - KEEP_DELIVERED
    return Outbox.objects.filter(delivered__lt=old).delete()[0]


def pending(*, limit: int = 500) -> list[int]:
    """Ids of events whose delivery is due, oldest first. A time that is further off than any ever is was written
    before the clock was set back."""
    now = timezone.now()
    waits = Q(next_attempt__gt=now, next_attempt__lte=now + timedelta(seconds=max(RETRY_SECONDS)))
    due = Outbox.objects.filter(~waits, delivered=None)
    return list(due.order_by("pk").values_list("pk", flat=True)[:limit])
