"""What happens to data after a push, and when a repository is deleted."""

from __future__ import annotations

from typing import Any

from datasets import tasks
from datasets.stages import pages
from datasets.tracked import indexing
from hub.jobs.outbox import receiver
from hub.jobs.tasks import wake
from repos.signals import DELETED, PUSHED


@receiver(PUSHED)
def index_outputs(payload: dict[str, Any]) -> None:
    indexing.refresh(payload["repository_id"])


@receiver(PUSHED)
def make_pipelines(payload: dict[str, Any]) -> None:
    pages.prepare(payload["repository_id"])


@receiver(DELETED)
def remove_objects(payload: dict[str, Any]) -> None:
    """A task of its own, since it may take long; when it is lost, beat finds the rows that are left."""
    wake(tasks.remove_objects, payload["repository_id"])
