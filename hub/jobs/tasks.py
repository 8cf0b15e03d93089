"""Celery's side of the outbox and of jobs: a task carries an id and may be lost or run twice."""

from __future__ import annotations

import logging
import time
from typing import Any

from celery import shared_task
from kombu.exceptions import OperationalError

from hub.jobs import answers, jobs, outbox

logger = logging.getLogger("covey.jobs")
LEFT_ALONE_SECONDS = 15
_left_alone_until = float("-inf")


@shared_task
def deliver_outbox(row_id: int) -> None:
    outbox.deliver(row_id)


@shared_task
def relay_outbox() -> None:
    """Deliver what no task delivered: run by beat, so a lost task only costs time."""
    for row_id in outbox.pending():
        outbox.deliver(row_id)
    outbox.forget_delivered()


@shared_task
def run_job(job_id: int) -> None:
    jobs.work(job_id)


@shared_task
def relay_jobs() -> None:
    """Take up jobs that no task took, or whose worker died."""
    for job_id in jobs.due():
        wake(run_job, job_id)


@shared_task
def forget_jobs() -> None:
    """Keep the table of jobs from growing for ever."""
    if forgotten := jobs.forget_ended():
        logger.info("forgot %s jobs that ended over a month ago", forgotten)


@shared_task
def forget_answers() -> None:
    answers.forget_old()


def wake(task: Any, *args: Any) -> None:
    """Send a task as a hint. A broker that is down loses nothing: the row is found by the relay.

    One that does not answer costs seconds, so it is left alone for a while: requests wait here, pushes for one."""
    global _left_alone_until
    if time.monotonic() < _left_alone_until:
        return
    try:
        task.delay(*args)
    except (OperationalError, OSError):
        _left_alone_until = time.monotonic() + LEFT_ALONE_SECONDS
        logger.warning("broker unreachable; %s%r waits for the relay", task.name, args)
