"""Repair of what the hub keeps about runs, and its end: ids in, rows read again, safe to run twice."""

from __future__ import annotations

import logging

from celery import shared_task

from experiments import indexing, reclaiming, removal
from experiments.lineage import indexing as lineage
from experiments.mlflow import artifacts
from experiments.tracked import jobs
from hub.lib.errors import HubError
from repos.git.commands import GitError
from repos.models import Repository

logger = logging.getLogger("covey.mlflow")


@shared_task
def recount_runs() -> None:
    indexing.recount()


@shared_task
def rebuild_experiments(*, again: bool = False) -> int:
    """again: the stages of every commit, not only of those that are new. How many repositories could not be read."""
    failed = 0
    for repository in Repository.objects.filter(deleted=None).iterator():
        try:
            indexing.refresh(repository.pk)
            lineage.index_stages(repository, again=again)
            if again:
                lineage.index_data(repository, again=True)
        except (HubError, GitError):
            failed += 1
            logger.exception("repository %s was not indexed", repository.pk)  # the others are all the same
    return failed


@shared_task
def rebuild_tracked() -> None:
    """Read what no push had read, and mend what is missing."""
    jobs.refresh_all()


@shared_task
def complete_tracked() -> None:
    jobs.complete()


@shared_task
def remove_experiments(repository_id: int) -> None:
    """The runs, models and artifacts of a deleted repository."""
    removed = removal.remove(repository_id)
    logger.info("repository %s is deleted: %s rows of MLflow's and all artifacts went with it", repository_id, removed)


@shared_task
def remove_leftovers() -> None:
    """The same wherever a worker was killed in the middle, or an upload ended late; and files of uploads that died."""
    for repository_id in removal.leftovers():
        remove_experiments(repository_id)
    reclaiming.resume()
    artifacts.destination().sweep()
