"""What Git does after its own events. Runs in a worker; see hub.jobs.outbox."""

from __future__ import annotations

from typing import Any

from hub.jobs.outbox import receiver
from hub.jobs.tasks import wake
from repos import signals, tasks


@receiver(signals.PUSHED)
def maintain(payload: dict[str, Any]) -> None:
    wake(tasks.maintain, payload["repository_id"])


@receiver(signals.DELETED)
def remove_from_disk(payload: dict[str, Any]) -> None:
    tasks.remove_from_disk(payload["repository_id"])
