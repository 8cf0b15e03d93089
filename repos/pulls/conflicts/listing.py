"""The files in conflict between the branches of a pull request, without holding up the page that asks.

What git alone knows is said at once; where data is in conflict a worker looks. The answer is kept by the two commits.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.utils import timezone

from hub.jobs import jobs
from hub.jobs.jobs import Failed, Run, State
from hub.jobs.models import Job
from hub.lib.errors import Busy, NotFound
from repos import cache
from repos.git import merge
from repos.git.commands import GitTimeout
from repos.git.read import shown
from repos.models import Repository
from repos.pulls import branches, mergeability
from repos.pulls.conflicts import files
from repos.pulls.conflicts.files import GONE, File
from repos.pulls.models import PullRequest
from repos.storage import store

LOOK = "pulls.conflicts"
QUICK_SECONDS, QUICK_FILES = 3, 100
LOOK_AGAIN = timedelta(seconds=10)  # after what a push may have mended


@dataclass(frozen=True)
class Listing:
    """ours, theirs: full ids of the tips of head and base. files: those that somebody must decide about; gone: paths
    that neither side keeps."""

    ours: str
    theirs: str
    files: tuple[File, ...]
    gone: tuple[File, ...]

    @property
    def missing(self) -> list[File]:
        return [file for file in self.files if file.missing]

    def find(self, digest: str) -> File:
        """Raises NotFound."""
        found = next((file for file in self.files if file.digest == digest), None)
        if found is None:
            raise NotFound("This file is not in conflict any more.", details="Go back to the list of conflicts.")
        return found

    def at(self, path: str) -> File | None:
        return next((file for file in self.files if file.path == path), None)


def tips(pull: PullRequest) -> tuple[str, str]:
    """(ours, theirs). Raises NotFound when a branch is gone."""
    found = branches.now(pull)
    if found.base is None or found.head is None:
        gone = pull.head if found.base else pull.base
        raise NotFound(f"The branch '{shown(gone)}' is gone.", details="Push it again, or close the pull request.")
    return found.head, found.base


def listing(repository: Repository, ours: str, theirs: str, *, user_id: int | None) -> Listing | None:
    """None while a worker looks. Raises Busy when it could not, or when too much waits already."""
    key = cache.key_of(repository, "conflicts", ours, theirs, files.VERSION)
    known = cache.known(key)
    if isinstance(known, Listing):
        return known
    job = Job.objects.filter(key=_name(repository, ours, theirs)).first()
    found = _of_job(job) if job else _at_once(repository, ours, theirs)
    if found is None and job is None:
        arguments = {"repository": repository.pk, "ours": ours, "theirs": theirs}
        name = _name(repository, ours, theirs)
        found = _of_job(jobs.start(LOOK, name, arguments, repository_id=repository.pk, user_id=user_id))
    if found is not None and not found.missing:
        cache.keep(key, found)
    return found


def look_again(repository: Repository, ours: str, theirs: str, *, user_id: int | None) -> None:
    """What a worker has kept of these conflicts was swept: make it again."""
    cache.keep(cache.key_of(repository, "conflicts", ours, theirs, files.VERSION), None)
    arguments = {"repository": repository.pk, "ours": ours, "theirs": theirs}
    name = _name(repository, ours, theirs)
    job = jobs.start(LOOK, name, arguments, repository_id=repository.pk, user_id=user_id)
    if job.state not in jobs.OPEN:
        jobs.restart(job)


def _name(repository: Repository, ours: str, theirs: str) -> str:
    return f"{LOOK}:{files.VERSION}:{repository.pk}:{ours}:{theirs}"


def _at_once(repository: Repository, ours: str, theirs: str) -> Listing | None:
    """None for what takes git long, and for what a driver must read."""
    try:
        return _looked(
            repository,
            ours,
            theirs,
            seconds=QUICK_SECONDS,
            quick=lambda found: (
                len(found.conflicts) <= QUICK_FILES and not any(map(mergeability.driver_of, found.conflicts))
            ),
        )
    except GitTimeout:
        return None


def _looked(
    repository: Repository,
    ours: str,
    theirs: str,
    *,
    seconds: float = merge.TIMEOUT_SECONDS,
    quick: Callable[[merge.Merge], bool] = lambda _: True,
    beat: Callable[[int, int | None], None] = lambda _done, _total: None,
) -> Listing | None:
    with store().quarantine(repository.pk) as quarantine:
        found = merge.merge_tree(
            quarantine.repository, ours, theirs, extra=quarantine.environment, timeout_seconds=seconds
        )
        if not quick(found):
            return None
        if len(found.conflicts) > files.MAX_FILES:
            raise Failed(f"{len(found.conflicts):,} files are in conflict, more than this page is for.")
        each = list(files.of_merge(repository, quarantine, found, commit=theirs, beat=beat))
    return Listing(
        ours,
        theirs,
        tuple(file for file in each if file.kind != GONE),
        tuple(file for file in each if file.kind == GONE),
    )


def _of_job(job: Job) -> Listing | None:
    if job.state in jobs.OPEN:
        return None
    if job.state == State.DONE and job.result:
        each = [files.from_json(one) for one in job.result["files"]]
        found = Listing(
            job.arguments["ours"],
            job.arguments["theirs"],
            tuple(file for file in each if file.kind != GONE),
            tuple(file for file in each if file.kind == GONE),
        )
        if not found.missing or not _is_old(job):
            return found
    elif not _is_old(job):
        raise Busy(job.error or "Nobody knows what is in conflict.", details="Resolve it on your machine, then push.")
    jobs.restart(job)
    return None


def _is_old(job: Job) -> bool:
    return job.finished is None or job.finished < timezone.now() - LOOK_AGAIN


@jobs.handler(LOOK)
def look(run: Run) -> dict[str, Any]:
    """Arguments: repository, ours, theirs (commit ids). Files, as dictionaries."""
    asked = run.job.arguments
    repository = Repository.objects.select_related("owner").filter(pk=asked["repository"], deleted=None).first()
    if repository is None:
        raise Failed("The repository is gone.")
    try:
        found = _looked(repository, asked["ours"], asked["theirs"], beat=run.progress)
    except GitTimeout as error:
        raise Failed("This merge takes too long here.") from error
    assert found is not None
    return {"files": [file.as_json() for file in (*found.files, *found.gone)]}
