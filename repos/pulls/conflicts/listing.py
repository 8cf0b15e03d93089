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
from hub.lib.errors import Busy, NotFound, Unprocessable
from repos import cache
from repos.git import merge
from repos.git.commands import GitTimeout
from repos.git.read import shown
from repos.pulls import branches, mergeability, origins
from repos.pulls.conflicts import files
from repos.pulls.conflicts.files import GONE, File
from repos.pulls.drivers import Beat, unwatched
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


class TooMany(Unprocessable):
    """More files than people decide one by one: for good, since the two commits stay what they are."""

    def __init__(self, count: int) -> None:
        told = f"{count:,} files are in conflict, and this page takes {files.MAX_FILES:,} at most."
        super().__init__(told, details="Merge the base into the branch on your machine, then push.")
        self.count = count


def of(ours: str, theirs: str, each: list[File]) -> Listing:
    asked = tuple(file for file in each if file.kind != GONE)
    return Listing(ours, theirs, asked, tuple(file for file in each if file.kind == GONE))


def tips(pull: PullRequest) -> tuple[str, str]:
    """(ours, theirs). Raises NotFound when a branch is gone, Unprocessable when they never had a common commit."""
    found = branches.now(pull)
    if found.base is None or found.head is None:
        gone = pull.head if found.base else pull.base
        raise NotFound(f"The branch '{shown(gone)}' is gone.", details="Push it again, or close the pull request.")
    if branches.merge_base(pull.repository, found.base, found.head) is None:
        raise branches.unrelated()
    return found.head, found.base


def listing(pull: PullRequest, ours: str, theirs: str, *, user_id: int | None) -> Listing | None:
    """None while a worker looks. Raises Busy when it could not, or when too much waits already, TooMany."""
    key = _key(pull, ours, theirs)
    known = cache.known(key)
    if isinstance(known, Listing):
        return known
    job = Job.objects.filter(key=_name(pull, ours, theirs)).first()
    found = _of_job(job) if job else _at_once(pull, ours, theirs)
    if found is None and job is None:
        found = _of_job(_start(pull, ours, theirs, user_id))
    if found is not None and not found.missing:
        cache.keep(key, found)
    return found


def look_again(pull: PullRequest, ours: str, theirs: str, *, user_id: int | None) -> None:
    """What a worker has kept of these conflicts was swept: make it again."""
    cache.keep(_key(pull, ours, theirs), None)
    job = _start(pull, ours, theirs, user_id)
    if job.state not in jobs.OPEN:
        jobs.restart(job)


def _start(pull: PullRequest, ours: str, theirs: str, user_id: int | None) -> Job:
    arguments = {"pull": pull.pk, "ours": ours, "theirs": theirs}
    name, repository_id = _name(pull, ours, theirs), pull.repository.pk
    return jobs.start(LOOK, name, arguments, repository_id=repository_id, user_id=user_id)


def _name(pull: PullRequest, ours: str, theirs: str) -> str:
    return f"{LOOK}:{files.VERSION}:{pull.pk}:{ours}:{theirs}"


def _key(pull: PullRequest, ours: str, theirs: str) -> str:
    return cache.key_of(pull.repository, "conflicts", pull.pk, ours, theirs, files.VERSION)


def _at_once(pull: PullRequest, ours: str, theirs: str) -> Listing | None:
    """None for what takes git long, and for what a driver must read."""
    try:
        return _looked(
            pull,
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
    pull: PullRequest,
    ours: str,
    theirs: str,
    *,
    seconds: float = merge.TIMEOUT_SECONDS,
    quick: Callable[[merge.Merge], bool] = lambda _: True,
    beat: Beat = unwatched,
) -> Listing | None:
    repository = pull.repository
    with store().quarantine(repository.pk) as quarantine:
        found = merge.merge_tree(
            quarantine.repository, ours, theirs, extra=quarantine.environment, timeout_seconds=seconds
        )
        if not quick(found):
            return None
        if len(found.conflicts) > files.MAX_FILES:
            raise TooMany(len(found.conflicts))
        reading = files.Reading(repository, quarantine, theirs, beat, origins.lender(pull))
        return of(ours, theirs, list(files.of_merge(reading, found)))


def _of_job(job: Job) -> Listing | None:
    if job.state in jobs.OPEN:
        return None
    if job.state == State.DONE and job.result:
        if count := job.result.get("too_many"):
            raise TooMany(count)
        each = [files.from_json(one) for one in job.result["files"]]
        found = of(job.arguments["ours"], job.arguments["theirs"], each)
        if not found.missing or not _is_old(job):
            return found
    elif not _is_old(job):
        raise Busy(job.error or "Nobody knows what is in conflict.", details="Resolve it on your machine, then push.")
    jobs.restart(job)
    return None


def request_of(pk: int) -> PullRequest:
    """Raises Failed when it went, with its repository or without."""
    rows = PullRequest.objects.select_related("issue__repository__owner", "issue__author", "head_repository__owner")
    found = rows.filter(pk=pk, issue__repository__deleted=None).first()
    if found is None:
        raise Failed("The pull request is gone.")
    return found


def _is_old(job: Job) -> bool:
    return job.finished is None or job.finished < timezone.now() - LOOK_AGAIN


@jobs.handler(LOOK)
def look(run: Run) -> dict[str, Any]:
    """Arguments: pull, ours, theirs (commit ids). {"files": dictionaries}, or {"too_many": how many}."""
    asked = run.job.arguments
    pull = request_of(asked["pull"])
    try:
        found = _looked(pull, asked["ours"], asked["theirs"], beat=run.progress)
    except GitTimeout as error:
        raise Failed("This merge takes too long here.") from error
    except TooMany as error:
        return {"too_many": error.count}
    assert found is not None
    return {"files": [file.as_json() for file in (*found.files, *found.gone)]}
