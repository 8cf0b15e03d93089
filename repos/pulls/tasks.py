"""Merges that no request waits for any more. May run twice or be lost: rows and git are the truth."""

from __future__ import annotations

from celery import shared_task

from repos.pulls import merging


@shared_task
def reconcile_merges() -> None:
    """Settle merges whose web process died between git's swap and the row, or before the swap."""
    for pull in merging.abandoned():
        merging.settle(pull)
