"""Whether two commits can be merged, without holding up the page that asks.

What git alone can say within seconds is said at once. Tables, lists of files and very large trees are a worker's: a
Job, named by the two commits, whose result is read again at any time.
"""

from __future__ import annotations

from dataclasses import asdict
from datetime import timedelta
from typing import Any

from django.utils import timezone

from hub.jobs import jobs
from hub.jobs.jobs import Failed, Run, State
from hub.jobs.models import Job
from hub.lib.errors import Busy
from repos import cache
from repos.git import merge
from repos.git.commands import GitTimeout
from repos.models import Repository
from repos.pulls import mergeability
from repos.pulls.mergeability import Trouble, Verdict
from repos.storage import store

LOOK = "pulls.mergeability"
VERSION = 2
QUICK_SECONDS = 3
LOOK_AGAIN = timedelta(seconds=10)  # after what a push, or a hub with less to do, may have mended


def verdict(
    repository: Repository, base: str, head: str, *, user_id: int | None, lender: Repository | None = None
) -> Verdict | None:
    """None while a worker looks. lender: a fork that would lend its data. Raises Busy when it could not, or when too
    much waits already."""
    key = _key(repository, base, head)
    found = cache.known(key)
    if not isinstance(found, Verdict):
        found = _found(repository, base, head, user_id, lender)
        if found is None:
            return None
        if not found.missing:
            cache.keep(key, found)
    return mergeability.with_missing(repository, found, base, head, lender=lender)


def learn(repository: Repository, base: str, head: str, found: Verdict) -> None:
    """What another has found out on its way to something else."""
    if not found.missing:
        cache.keep(_key(repository, base, head), found)


def trouble(repository: Repository, base: str, head: str) -> Verdict | None:
    """What is known already to be in the way of these two commits; nothing is looked at or begun."""
    found = cache.known(_key(repository, base, head))
    if not isinstance(found, Verdict):
        job = Job.objects.filter(key=_name(repository, base, head), state=State.DONE).first()
        found = _loaded(job.result) if job and job.result else None
    return found if found and not found.clean and not found.missing else None


def _key(repository: Repository, base: str, head: str) -> str:
    return cache.key_of(repository, "mergeable", base, head, VERSION)


def _name(repository: Repository, base: str, head: str) -> str:
    return f"{LOOK}:{VERSION}:{repository.pk}:{base}:{head}"


def _found(
    repository: Repository, base: str, head: str, user_id: int | None, lender: Repository | None
) -> Verdict | None:
    name = _name(repository, base, head)
    job = Job.objects.filter(key=name).first()
    if job is None and (quick := _at_once(repository, base, head)):
        return quick
    if job is None:
        arguments = {"repository": repository.pk, "base": base, "head": head, "lender": lender and lender.pk}
        job = jobs.start(LOOK, name, arguments, repository_id=repository.pk, user_id=user_id)
    return _of_job(job)


def _at_once(repository: Repository, base: str, head: str) -> Verdict | None:
    """None for what takes git long, or is for drivers to read."""
    with store().quarantine(repository.pk) as quarantine:
        try:
            found = merge.merge_tree(
                quarantine.repository, base, head, extra=quarantine.environment, timeout_seconds=QUICK_SECONDS
            )
        except GitTimeout:
            return None
        if any(mergeability.driver_of(conflict) for conflict in found.conflicts):
            return None
        return mergeability.resolved(repository, quarantine, base, found, keep=False)


def _of_job(job: Job) -> Verdict | None:
    if job.state in jobs.OPEN:
        return None
    found = _loaded(job.result) if job.state == State.DONE and job.result else None
    if found and not found.missing:
        return found
    if job.finished is None or job.finished < timezone.now() - LOOK_AGAIN:
        jobs.restart(job)
        return None
    if found is None:
        raise Busy(job.error or "Nobody knows whether this can be merged.", details="Reload the page in a minute.")
    return found


@jobs.handler(LOOK)
def look(run: Run) -> dict[str, Any]:
    """Arguments: repository, base, head (commit ids), lender (of a fork's). A Verdict, as a dictionary."""
    asked = run.job.arguments
    repository = Repository.objects.filter(pk=asked["repository"], deleted=None).first()
    if repository is None:
        raise Failed("The repository is gone.")
    lender = Repository.objects.filter(pk=asked.get("lender"), deleted=None).first()
    with store().quarantine(repository.pk) as quarantine:
        try:
            found = mergeability.merged(
                repository,
                quarantine,
                asked["base"],
                asked["head"],
                keep=False,
                beat=run.progress,
                lender=lender,
            )
        except Busy as error:
            raise Failed(f"{error.message} {error.details}") from error
    return asdict(found)


def _loaded(result: dict[str, Any]) -> Verdict:
    """From JSON, where every tuple is a list."""
    troubles = tuple(
        Trouble(one["path"], one["why"], tuple(one["where"]), tuple(one["missing"]), one["command"])
        for one in result["troubles"]
    )
    return Verdict(result["tree"], troubles, tuple(result["merged"]), tuple(result["notes"]))
