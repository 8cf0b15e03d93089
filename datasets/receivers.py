"""What happens to data after a push."""

from __future__ import annotations

from typing import Any

from datasets import indexing
from hub.jobs.outbox import receiver
from repos.signals import PUSHED


@receiver(PUSHED)
def index_outputs(payload: dict[str, Any]) -> None:
    indexing.refresh(payload["repository_id"])
