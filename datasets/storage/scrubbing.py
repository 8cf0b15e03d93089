"""Read every object again, a little at a time, and say which are not what they were when they came.

Its row is the truth: when it was last read whole, and since when it is rotten. To clients a rotten object is absent,
so that programs which have it send it again; that mends it (objects.keep_one_copy).
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from asgiref.sync import sync_to_async
from django.conf import settings
from django.db.models import F, Q
from django.utils import timezone

from datasets.models import Blob, StoredObject
from datasets.storage.intact import is_intact
from datasets.tracked import presence
from hub.accounts import audit
from hub.accounts.actor import Actor
from hub.jobs import jobs
from hub.jobs.jobs import Run

logger = logging.getLogger("covey.scrub")
SCRUB = "datasets.scrub"
RUN_SECONDS = 40  # of one run; beat starts the next
BYTES_PER_SECOND = 32 * 1024**2
ROTTEN_AGAIN = timedelta(days=1)
WINDOW = 100  # objects looked up at once
MAX_NAMED = 20  # repositories told of one object


def due() -> Iterator[Blob]:
    """Objects that were not read for long, the longest first; rotten ones each day. A fresh one was read as it came.
    Whoever takes one checks it before the next."""
    before = timezone.now() - timedelta(days=settings.SCRUB_DAYS)
    rows = Blob.objects.filter(
        Q(checked__lt=before)
        | Q(checked=None, created__lt=before)
        | Q(rotten__isnull=False, checked__lt=timezone.now() - ROTTEN_AGAIN)
    ).order_by(F("checked").asc(nulls_first=True), "pk")
    while window := list(rows[:WINDOW]):
        yield from window


def start() -> None:
    """Go on, unless a run is under way."""
    if not settings.SCRUB_DAYS or not any(True for _ in due()):
        return
    job = jobs.start(SCRUB, SCRUB, {})
    if job.state not in jobs.OPEN:
        jobs.restart(job)


@jobs.handler(SCRUB)
def scrub(run: Run) -> dict[str, Any]:
    """{"objects", "bytes": read in this run, "rotten": how many of them}."""
    began, size, count, rotten = time.monotonic(), 0, 0, 0

    async def beat(more: int) -> None:
        nonlocal size
        size += more
        await sync_to_async(run.progress)(size)
        ahead = size / BYTES_PER_SECOND - (time.monotonic() - began)
        if ahead > 0:
            await asyncio.sleep(ahead)  # the rate that readers are left in peace at

    for blob in due():
        count += 1
        rotten += not check(blob, beat)
        if time.monotonic() - began > RUN_SECONDS:
            break
    return {"objects": count, "bytes": size, "rotten": rotten}


def check(blob: Blob, beat: Any = None) -> bool:
    """Read an object and write down whether it is what it was. Raises ObjectStoreError when the store is away."""
    good = is_intact(blob, beat=beat) or is_intact(blob, beat=beat)  # it may have been replaced under the first look
    now, rows = timezone.now(), Blob.objects.filter(pk=blob.pk, key=blob.key)
    if not rows.update(checked=now, rotten=None if good else blob.rotten or now):
        return True  # it was removed, or came again, meanwhile
    if good is (blob.rotten is None):
        return good
    if not good:
        _report(blob, now)
    for repository_id in StoredObject.objects.filter(blob=blob).values_list("repository_id", flat=True).distinct():
        presence.forget(repository_id)
    return good


def _report(blob: Blob, now: datetime) -> None:
    logger.error("object %s (%s bytes, %s) is damaged or lost", blob.md5, blob.size, blob.key)
    names = StoredObject.objects.filter(blob=blob).select_related("repository").order_by("pk")
    for row in names[:MAX_NAMED]:
        audit.record(
            "data.rot",
            Actor(),
            subject=f"{row.repository.full_name if row.repository.deleted is None else 'deleted'}: {row.key}",
            of=row.repository,
            after={"md5": blob.md5, "bytes": blob.size, "found": now.isoformat()},
        )
