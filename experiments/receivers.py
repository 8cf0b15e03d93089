"""What experiments do after a push: runs that named a commit before it arrived are bound to it."""

from __future__ import annotations

from typing import Any

from experiments import indexing
from hub.jobs.outbox import receiver
from repos.signals import PUSHED


@receiver(PUSHED)
def bind_runs(payload: dict[str, Any]) -> None:
    indexing.refresh(payload["repository_id"])
