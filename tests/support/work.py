"""The jobs of a test, worked as by a worker."""

from __future__ import annotations

from hub.jobs import jobs


def work() -> None:
    """Every job that waits."""
    for job_id in jobs.due():
        jobs.work(job_id)
