"""Repair of what the hub keeps about runs."""

from __future__ import annotations

from celery import shared_task

from experiments import indexing
from repos.models import Repository


@shared_task
def recount_runs() -> None:
    indexing.recount()


@shared_task
def rebuild_experiments() -> None:
    for repository_id in Repository.objects.filter(deleted=None).values_list("pk", flat=True).iterator():
        indexing.refresh(repository_id)
