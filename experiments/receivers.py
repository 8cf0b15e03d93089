"""What experiments do after a push (bind runs that named a commit before it arrived, index stages), and after a
deletion."""

from __future__ import annotations

from typing import Any

from experiments import indexing, tasks
from experiments.lineage import indexing as lineage
from experiments.tracked import jobs
from hub.jobs.outbox import receiver
from hub.jobs.tasks import wake
from repos.models import Repository
from repos.signals import DELETED, PUSHED

UNMARKED = "experiments.unmarked"


@receiver(PUSHED)
def bind_runs(payload: dict[str, Any]) -> None:
    indexing.refresh(payload["repository_id"])


@receiver(PUSHED)
def read_commits(payload: dict[str, Any]) -> None:
    jobs.pushed(payload["repository_id"], payload["push_id"])


@receiver(PUSHED)
def index_stages(payload: dict[str, Any]) -> None:
    if repository := Repository.objects.filter(pk=payload["repository_id"], deleted=None).first():
        lineage.index_stages(repository)


@receiver(UNMARKED)
def mark_runs(payload: dict[str, Any]) -> None:
    """Of an upgrade: see migration 0006."""
    if repository := Repository.objects.filter(pk=payload["repository_id"], deleted=None).first():
        lineage.index_data(repository, again=True)


@receiver(DELETED)
def remove_experiments(payload: dict[str, Any]) -> None:
    """A task of its own, since it may take long; when it is lost, beat finds the rows and artifacts that are left."""
    wake(tasks.remove_experiments, payload["repository_id"])
