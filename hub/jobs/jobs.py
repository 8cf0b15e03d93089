"""Long work that somebody may watch, leave, come back to and cancel. The row is the truth; a task is only a hint.

A worker claims a row for a minute and renews the claim while it works; when it dies, the claim runs out and another
takes the row. So a handler may run twice, and its result counts only while the claim is its own. Work that met an
outage waits for its end; one that fails for its own sake is tried three times.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone

from hub.jobs.models import Job
from hub.lib.errors import Busy, OutOfSpace
from hub.lib.failures import passing

logger = logging.getLogger("covey.jobs")
State = Job.State
LEASE = timedelta(seconds=60)
ATTEMPTS = 3
AWAY_SECONDS = (5, 15, 30, 60)  # between tries while a part of the hub is away
FULL_SECONDS = (60, 300, 900, 3600)  # while a disk is full: a try may take all that others have freed
EXCUSED = 1_440  # a day of tries
AT_ONCE = 2  # per worker process: the other threads stay free for short tasks
QUEUED_PER_REPOSITORY = 50
BEAT_SECONDS = 1.0
OPEN = (State.QUEUED, State.RUNNING)
KEEP_ENDED = timedelta(days=30)


class Cancelled(Exception):
    """The row is no longer this run's: somebody cancelled it, or another worker has taken it over."""


class Stopped(Exception):
    """This worker is to end; another goes on with the work."""


class Failed(Exception):
    """The work cannot be done, however often it is tried; the message is for the person who asked."""


@dataclass
class Run:
    """One attempt at a job, as its handler sees it."""

    job: Job
    attempt: int
    _last: float = field(default=0.0, repr=False)

    def progress(self, done: int, total: int | None = None) -> None:
        """Say how far it is and keep the claim; call it at least every few seconds. Raises Cancelled and Stopped."""
        if _stopping.is_set():
            raise Stopped
        if time.monotonic() - self._last < BEAT_SECONDS:
            return
        self._last = time.monotonic()
        self._write(done=done, total=total, leased_until=timezone.now() + LEASE)

    def _write(self, **values: Any) -> None:
        mine = Job.objects.filter(pk=self.job.pk, state=State.RUNNING, attempts=self.attempt)
        if not mine.update(**storable(values)):
            raise Cancelled


Handler = Callable[[Run], Any]
_handlers: dict[str, Handler] = {}
_stopping = threading.Event()


def handler(kind: str) -> Callable[[Handler], Handler]:
    """Register what does jobs of a kind. It returns the result as JSON, or raises Failed."""

    def register(function: Handler) -> Handler:
        _handlers[kind] = function
        return function

    return register


def start(
    kind: str,
    key: str,
    arguments: dict[str, Any],
    *,
    repository_id: int | None = None,
    user_id: int | None = None,
    again: bool = False,
    at_once: bool = False,
) -> Job:
    """The job of this key, asked for if it was not yet. again: try one that failed or was cancelled once more.
    at_once: it is run here before this returns, unless a worker has it; only if this process dies, one takes it.

    Raises Busy when a repository has too many waiting already.
    """
    job = Job.objects.filter(key=key).first()
    begun = _begun() if at_once else {}
    if job is None:
        waiting = Job.objects.filter(repository_id=repository_id, state=State.QUEUED).count() if repository_id else 0
        if waiting >= QUEUED_PER_REPOSITORY:
            raise Busy("Too much work waits for this repository already.", details="Try again in a few minutes.")
        values = {"kind": kind, "arguments": arguments, "repository_id": repository_id, "user_id": user_id}
        job, made = Job.objects.get_or_create(key=key, defaults=values | begun)
    else:
        made = again and _reset(job, begun)
    _go_on(job, made, at_once)
    return job


def restart(job: Job, *, at_once: bool = False) -> None:
    """Do finished work again: what it left behind was removed."""
    _go_on(job, _reset(job, _begun() if at_once else {}), at_once)


def _begun() -> dict[str, Any]:
    """A row made so is its maker's from the first: no worker that looks for work comes between."""
    now = timezone.now()
    return {"state": State.RUNNING, "attempts": 1, "started": now, "leased_until": now + LEASE}


def _go_on(job: Job, made: bool, at_once: bool) -> None:
    if made and at_once:
        _attempt(Run(job, job.attempts))
    elif made:
        _hint(job.pk)
    elif at_once and job.state == State.QUEUED:
        run(job.pk)
    if at_once:
        job.refresh_from_db()


def cancel(job_id: int) -> bool:
    """Stop a job that waits or runs; its run notices within seconds. False when it had ended already."""
    open_ = Job.objects.filter(pk=job_id, state__in=OPEN)
    return bool(open_.update(state=State.CANCELLED, finished=timezone.now(), leased_until=None))


def forget_of(repository_id: int) -> int:
    """Delete every job of a repository that is gone; how many. One that runs notices within seconds."""
    return Job.objects.filter(repository_id=repository_id).delete()[0]


def forget_ended() -> int:
    """Delete what ended over a month ago; how many. Asked for again, it is done again."""
    ended = Job.objects.exclude(state__in=OPEN).filter(finished__lt=timezone.now() - KEEP_ENDED)
    return ended.delete()[0]


def _reset(job: Job, begun: dict[str, Any]) -> bool:
    ended = Job.objects.filter(pk=job.pk, state=job.state).exclude(state__in=OPEN)
    fresh = {"state": State.QUEUED, "done": 0, "total": None, "error": "", "result": None, "attempts": 0, "excused": 0}
    fresh |= {"not_before": None, "leased_until": None, "started": None, "finished": None}
    changed = ended.update(**fresh | begun)
    job.refresh_from_db()
    return bool(changed)


def _hint(job_id: int) -> None:
    from hub.jobs import tasks

    transaction.on_commit(partial(tasks.wake, tasks.run_job, job_id))


def storable(value: Any) -> Any:
    """Without zero characters and lone surrogates, of which names in people's files may have some: no database takes
    them as text."""
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode().replace("\0", "�")
    if isinstance(value, list | tuple):
        return [storable(item) for item in value]
    return {storable(k): storable(v) for k, v in value.items()} if isinstance(value, dict) else value


# ---- the worker's side -------------------------------------------------------------------------
_turns = threading.BoundedSemaphore(AT_ONCE)


def work(job_id: int) -> None:
    """Run a job, then those that came while it ran. With no turn free the row waits for who has one."""
    wanted: int | None = job_id
    while wanted is not None:
        if not _turns.acquire(blocking=False):
            return
        try:
            while wanted is not None:
                run(wanted)
                wanted = _next()
        finally:
            _turns.release()
        wanted = _next()  # one that found no turn free a moment ago


def stop() -> None:
    """This process is to end: its runs give their jobs back within seconds, and it takes no other."""
    _stopping.set()


def run(job_id: int) -> None:
    """One attempt at one job, when nobody else has it."""
    claimed = None if _stopping.is_set() else _claim(job_id)
    if claimed is not None:
        _attempt(claimed)


def _attempt(claimed: Run) -> None:
    job = claimed.job
    try:
        result = _handlers[job.kind](claimed)
        claimed._write(state=State.DONE, result=result, finished=timezone.now(), leased_until=None)
    except Cancelled:
        logger.info("job %s %s was cancelled", job.pk, job.kind)
    except Stopped:
        _end(claimed, state=State.QUEUED, excused=job.excused + 1, leased_until=None)
    except Exception as error:
        # Not only Failed: of a broken part of the hub the log says more, and the relay tries again.
        _failed(claimed, error)


def _failed(claimed: Run, error: Exception) -> None:
    job, now = claimed.job, timezone.now()
    if (away := passing(error)) and job.excused < EXCUSED:
        waits = FULL_SECONDS if isinstance(away, OutOfSpace) else AWAY_SECONDS
        wait = waits[min(job.excused, len(waits) - 1)]
        logger.warning("job %s %s waits %d s: %s", job.pk, job.kind, wait, away.message)
        excuse = {"excused": job.excused + 1, "not_before": now + timedelta(seconds=wait), "error": away.message}
        _end(claimed, state=State.QUEUED, leased_until=None, **excuse)
    elif isinstance(error, Failed):
        _end(claimed, state=State.FAILED, error=str(error)[:2000], finished=now, leased_until=None)
    else:
        logger.error("job %s %s failed", job.pk, job.kind, exc_info=error)
        if claimed.attempt - job.excused >= ATTEMPTS:
            message = "A part of the hub failed. Its log says why."
            _end(claimed, state=State.FAILED, error=message, finished=now, leased_until=None)
        else:
            _end(claimed, state=State.QUEUED, error="", leased_until=None)


def due(*, limit: int = 100) -> list[int]:
    """Ids of jobs that wait, or whose worker died, oldest first; those that killed three workers are ended."""
    now = timezone.now()
    dead = Job.objects.filter(_free(now), state=State.RUNNING, attempts__gte=F("excused") + ATTEMPTS)
    dead.update(state=State.FAILED, error="The work ended three workers; it is too large for this hub.", finished=now)
    return list(Job.objects.filter(_free(now)).order_by("pk").values_list("pk", flat=True)[:limit])


def _free(now: datetime) -> Q:
    """Jobs that may be claimed. A time further off than any ever is was written before the clock was set back."""
    longest = timedelta(seconds=max(FULL_SECONDS))
    waits = Q(state=State.QUEUED) & ~Q(not_before__gt=now, not_before__lte=now + longest)
    return waits | (Q(state=State.RUNNING) & ~Q(leased_until__gte=now, leased_until__lte=now + 2 * LEASE))


def _claim(job_id: int) -> Run | None:
    now = timezone.now()
    free, begun = Job.objects.filter(_free(now), pk=job_id), {"started": now, "done": 0, "not_before": None}
    if not free.update(state=State.RUNNING, leased_until=now + LEASE, attempts=F("attempts") + 1, **begun):
        return None
    job = Job.objects.get(pk=job_id)
    return Run(job, job.attempts)


def _next() -> int | None:
    """The oldest that waits. One that failed just now waits for the relay."""
    if _stopping.is_set():
        return None
    fresh = Job.objects.filter(state=State.QUEUED, attempts=0)
    return fresh.order_by("pk").values_list("pk", flat=True).first()


def _end(claimed: Run, **values: Any) -> None:
    try:
        claimed._write(**values)
    except Cancelled:
        logger.info("job %s %s was cancelled", claimed.job.pk, claimed.job.kind)
