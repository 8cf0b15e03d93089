"""Empty a deleted repository: its names for objects, the bytes that no repository names any more, the index of its
datasets, and its comparisons with their results.

Bytes are shared: one Blob may have names in many repositories, and an upload of the same bytes may be under way.
Two rules keep an acknowledged object from losing its bytes:

1. Whoever names a blob (objects.publish) and whoever removes one (here) first lock its row. Under that lock it is
   decided: a blob with a name stays, one without goes, row and bytes in one transaction. An upload that comes second
   finds no row and makes one.
2. An upload stores its bytes before it has the lock, so the removal may have taken them: the key in the store is made
   of the content. So it looks, under the lock, whether they are there; if not, nothing is acknowledged and the client
   is asked to send them again.

An upload into the deleted repository itself holds the repository's row while it publishes; the removal waits for it
once, and later uploads see that the repository is deleted.

Killed anywhere, what is left has rows still, and the next run goes on from them: at worst a row of this repository
names bytes that are gone, which nobody can read.

Names always go at once. Bytes stay while a backup copies them (hub/lib/backups.py); sweep() finds them later.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from functools import reduce
from operator import or_

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from datasets import objects, results
from datasets.models import Blob, DatasetChange, DatasetIndex, DatasetVersion, StoredObject
from datasets.storage import quotas
from datasets.tracked import manifests
from hub.jobs import jobs
from hub.jobs.models import Job
from hub.lib import backups
from hub.lib.objectstore import Stored
from hub.lib.stores import object_store
from hub.lib.streams import in_thread
from repos.models import Repository

logger = logging.getLogger("covey.datasets")
BATCH = 50  # objects per transaction: SQLite's other writers wait for no more than this
BATCH_ROWS = 1000  # the same of plain rows


def leftovers() -> list[int]:
    """Deleted repositories that still name objects, or have an index or jobs."""
    stores = (StoredObject, DatasetChange, DatasetVersion, DatasetIndex, Job)
    rows = (Exists(model.objects.filter(repository_id=OuterRef("pk"))) for model in stores)
    left = reduce(or_, map(Q, rows))
    return list(Repository.objects.filter(left, deleted__isnull=False).values_list("pk", flat=True))


def remove(repository_id: int) -> int:
    """Remove all data of a deleted repository; how many names of objects went. Safe to run twice, and at the same time.

    Raises ObjectStoreError when the store does not answer; what was done until then stands.
    """
    if not _is_deleted(repository_id):
        logger.error("repository %s is not deleted; its objects stay", repository_id)
        return 0
    removed = 0
    while count := _remove_batch(repository_id):
        removed += count
    _forget(repository_id)
    return removed


def _forget(repository_id: int) -> None:
    """What was made of the data: jobs first, so that one at work stops instead of keeping another result."""
    jobs.forget_of(repository_id)
    results.forget(repository_id)
    for model in (DatasetChange, DatasetVersion, DatasetIndex):  # changes point at versions
        rows = model.objects.filter(repository_id=repository_id).order_by("pk").values_list("pk", flat=True)
        while batch := list(rows[:BATCH_ROWS]):
            model.objects.filter(pk__in=batch).delete()


@transaction.atomic
def _is_deleted(repository_id: int) -> bool:
    """FOR UPDATE waits for uploads that hold the row: after this, none can name an object here any more."""
    return Repository.objects.select_for_update().filter(pk=repository_id, deleted__isnull=False).exists()


def _remove_batch(repository_id: int) -> int:
    rows = StoredObject.objects.filter(repository_id=repository_id).order_by("pk")[:BATCH]
    return len(remove_names(StoredObject.objects.filter(pk__in=[row.pk for row in rows.only("pk")])))


@transaction.atomic
def remove_names(rows: QuerySet[StoredObject]) -> list[StoredObject]:
    """Remove these names (at most BATCH), and the bytes that nothing names any more; those that went.

    The blobs are locked first, as by uploads; then the rows are looked at again, so that one which meanwhile is no
    longer among those asked for stays."""
    quotas.lock_all(rows.values_list("repository_id", flat=True))
    _locked(rows.values_list("blob_id", flat=True))
    gone = list(rows.select_for_update(of=("self",)).select_related("blob").order_by("pk"))
    StoredObject.objects.filter(pk__in=[row.pk for row in gone]).delete()
    for repository_id in sorted({row.repository_id for row in gone}):
        quotas.refund(repository_id, sum(row.blob.size for row in gone if row.repository_id == repository_id))
    remove_unnamed(row.blob_id for row in gone)
    return gone


def sweep() -> int:
    """Remove what was left without a name while a backup ran; how many."""
    swept, last = 0, 0
    while window := list(Blob.objects.filter(pk__gt=last).order_by("pk").values_list("pk", flat=True)[:BATCH_ROWS]):
        last = window[-1]
        unnamed = Blob.objects.filter(pk__in=window).exclude(Exists(StoredObject.objects.filter(blob=OuterRef("pk"))))
        ids = list(unnamed.values_list("pk", flat=True))
        for start in range(0, len(ids), BATCH):
            with transaction.atomic():
                swept += remove_unnamed(ids[start : start + BATCH])
    return swept


@asynccontextmanager
async def dropped_over_quota(stored: Stored) -> AsyncIterator[None]:
    """Around the naming of stored bytes: they go again when there is no room for them, since others came first."""
    try:
        yield
    except quotas.OverQuota:
        await in_thread(drop, stored)
        raise


def drop(stored: Stored) -> None:
    """Stored bytes go, unless somebody names the same."""
    with transaction.atomic():
        blob = objects.locked(stored)
        if blob.key != stored.key:
            object_store().delete(stored.key)
        remove_unnamed([blob.pk])


def _locked(blob_ids: Iterable[int]) -> list[Blob]:
    """In the order of their ids, so that two removals never wait for each other."""
    return list(Blob.objects.select_for_update().filter(pk__in=set(blob_ids)).order_by("pk"))


def remove_unnamed(blob_ids: Iterable[int]) -> int:
    """Bytes and rows of those that no key names any more, inside of the caller's transaction; how many."""
    locked = _locked(blob_ids)
    if not locked or backups.running():
        return 0
    named = set(StoredObject.objects.filter(blob__in=locked).values_list("blob_id", flat=True))
    unnamed = [blob for blob in locked if blob.pk not in named]
    for blob in unnamed:
        object_store().delete(blob.key)
        manifests.forget(blob)
        results.manifest_place(blob).unlink(missing_ok=True)
    Blob.objects.filter(pk__in=[blob.pk for blob in unnamed]).delete()
    return len(unnamed)
