"""Reading git for experiments as work of its own: a first push may bring thousands of commits."""

from __future__ import annotations

import logging

from experiments.models import TrackedIndex
from experiments.tracked import indexing
from hub.jobs import jobs
from hub.jobs.jobs import Run
from hub.lib.errors import Busy, HubError
from repos.git.commands import GitError
from repos.models import Repository

logger = logging.getLogger("covey.experiments")
TRACKED = "experiments.tracked"


@jobs.handler(TRACKED)
def read_commits(run: Run) -> dict[str, int]:
    """Arguments: repository."""
    repository = Repository.objects.filter(pk=run.job.arguments["repository"], deleted=None).first()
    return {"runs": indexing.refresh(repository, beat=run.progress) if repository else 0}


def pushed(repository_id: int, push_id: int) -> None:
    """Have what a push brought read."""
    try:
        jobs.start(TRACKED, f"{TRACKED}:{push_id}", {"repository": repository_id}, repository_id=repository_id)
    except Busy:
        logger.info("repository %s has much work waiting; its commits are read tonight", repository_id)


def refresh_all(*, again: bool = False, repository_id: int | None = None) -> int:
    """Read every repository's commits, or one's; how many could not be read. again: as if none had been read."""
    rows = Repository.objects.filter(deleted=None, empty=False).select_related("owner").order_by("pk")
    failed = 0
    for repository in (rows.filter(pk=repository_id) if repository_id else rows).iterator():
        try:
            indexing.refresh(repository, again=again)
        except (HubError, GitError):  # one damaged repository must not keep the others from being read
            failed += 1
            logger.exception("the experiments in git of repository %s were not read", repository.pk)
    return failed


def complete() -> None:
    """Read those again whose files of metrics came after the commit."""
    for repository_id in TrackedIndex.objects.exclude(waiting={}).values_list("repository_id", flat=True):
        refresh_all(repository_id=repository_id)
