"""The rows of the S3 endpoint: what a key names, and how it comes to name something else."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from typing import TypeVar

from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from datasets import objects
from datasets.models import Blob, MultipartUpload, StoredObject
from datasets.s3.addresses import DVC
from datasets.s3.errors import S3Error, no_such_key, no_such_upload
from datasets.storage import quotas, removal
from datasets.tracked import presence
from hub.lib.objectstore import Stored
from hub.lib.prepared import Prepared, insert, moment
from hub.lib.streams import fresh_connections, in_thread
from hub.lib.together import Together

T = TypeVar("T")
_Written = tuple[StoredObject, int | None]  # the row, the blob it named before when that is another one
PLACE = ("repository_id", "bucket", "key")
_writer = threading.Lock()


@dataclass(frozen=True)
class Condition:
    """What must hold of the key for a write. absent: If-None-Match: *. etag: If-Match, "*" for any."""

    absent: bool = False
    etag: str = ""


@dataclass(frozen=True)
class Wanted:
    """A row to be. fixed: one that is there stays, since it names the same bytes."""

    repository_id: int
    bucket: str
    key: str
    etag: str
    metadata: dict[str, str] = field(default_factory=dict)
    fixed: bool = False
    condition: Condition = Condition()


def find(repository_id: int, bucket: str, key: str) -> StoredObject | None:
    row = objects.named(repository_id, bucket, key)
    return row if row and row.blob.rotten is None else None


_LOCKED = Prepared(
    lambda repository_id, bucket, key: StoredObject.objects.select_for_update(no_key=True).filter(
        repository_id=repository_id, bucket=bucket, key=key
    ),
    int,
    str,
    str,
)


async def keep(wanted: Wanted, stored: Stored, *, upload: MultipartUpload | None = None) -> StoredObject:
    """Let a key name bytes that are in the store: rows in one transaction, with the end of the upload they came by.

    Raises S3Error when the condition does not hold or another ended the upload first, NotFound when the repository
    has gone, Busy when the bytes were removed in this very moment (removal.py), OverQuota with the bytes removed."""
    async with removal.dropped_over_quota(stored):
        row, before = await _keep_together(_Arrival(wanted, stored, upload))
    if before is not None:
        await in_thread(_free, before)
    return row


@dataclass(frozen=True, eq=False)
class _Arrival:
    """What keep() was called with."""

    wanted: Wanted
    stored: Stored
    upload: MultipartUpload | None

    @property
    def place(self) -> tuple[int, str, str]:
        return self.wanted.repository_id, self.wanted.bucket, self.wanted.key


def _keep_all(arrivals: Sequence[_Arrival]) -> list[_Written]:
    """The rows of several, all or none. Rows of keys are taken in their order, so that no two transactions wait for
    each other; of arrivals for one key the last counts."""
    with writing():
        limits = {found: _limited(found) for found in sorted({each.wanted.repository_id for each in arrivals})}
        for each in arrivals:
            if each.upload and not MultipartUpload.objects.filter(pk=each.upload.pk).delete()[0]:
                raise no_such_upload()
        blobs = objects.locked_all([each.stored for each in arrivals])
        in_order = sorted(arrivals, key=lambda each: each.place)
        written = {
            each: _write(each.wanted, blobs[each.stored.sha256], limits[each.wanted.repository_id]) for each in in_order
        }
        objects.keep_one_copy((blobs[each.stored.sha256], each.stored) for each in arrivals)
    return [written[each] for each in arrivals]


# For the reason of objects.publish_together.
_keep_together = Together("s3-rows", fresh_connections()(lambda arrivals: _again(lambda: _keep_all(arrivals))))


def point(wanted: Wanted, blob_id: int) -> StoredObject:
    """The same for bytes that a key of this hub names already: a copy. Raises S3Error, NotFound."""
    row, before = _again(lambda: _point(wanted, blob_id))
    if before is not None:
        _free(before)
    return row


def _point(wanted: Wanted, blob_id: int) -> _Written:
    with writing():
        limit = _limited(wanted.repository_id)
        blob = Blob.objects.select_for_update(no_key=True).filter(pk=blob_id).first()
        if blob is None:  # removed since it was found
            raise no_such_key()
        return _write(wanted, blob, limit)


def remove(repository_id: int, bucket: str, keys: Iterable[str]) -> None:
    """Forget these names, and the bytes that nothing names any more; absent ones are fine."""
    wanted = list(keys)
    for start in range(0, len(wanted), removal.BATCH):
        with writing():
            some = wanted[start : start + removal.BATCH]
            removal.remove_names(StoredObject.objects.filter(repository_id=repository_id, bucket=bucket, key__in=some))
    if bucket == DVC:
        presence.forget(repository_id)


def _free(blob_id: int) -> None:
    """Bytes that a key has named until now; in a transaction of its own, so that nothing waits for two locks."""
    with writing():
        removal.remove_unnamed([blob_id])


@contextmanager
def writing() -> Iterator[None]:
    """A transaction. SQLite's one writer is waited for in line: its own waiting is by naps of up to 100 ms."""
    with _writer if connection.vendor == "sqlite" else nullcontext(), transaction.atomic():
        yield


def _again(write: Callable[[], T]) -> T:
    """Once more when another request has made the same row in between."""
    try:
        return write()
    except IntegrityError:
        return write()


def check(condition: Condition, row: StoredObject | None) -> None:
    """Whether a write may go on, as far as one can know before its transaction. Raises S3Error."""
    if condition.absent and row is not None:
        raise precondition_failed("If-None-Match")
    if condition.etag and row is None:
        raise no_such_key()
    if condition.etag and row is not None and condition.etag not in {"*", row.etag}:
        raise precondition_failed("If-Match")


def precondition_failed(name: str) -> S3Error:
    return S3Error("PreconditionFailed", f"At least one of the pre-conditions you specified did not hold: {name}.")


def _limited(repository_id: int) -> int:
    """Hold a repository and, where its data is limited, its count; the limit, 0 for none."""
    if limit := objects.hold(repository_id):
        quotas.locked(repository_id)
    return limit


def _insert(row: StoredObject) -> None:
    """save(force_insert=True) in plain SQL, for the reason of insert(); the row does not learn its id."""
    values = (row.repository_id, row.bucket, row.key, row.blob_id, row.etag, json.dumps(row.metadata), moment())
    insert(StoredObject, (*PLACE, "blob_id", "etag", "metadata", "created"), [values], conflict="")


def _write(wanted: Wanted, blob: Blob, limit: int) -> _Written:
    """Nobody else changes the row meanwhile.

    Raises IntegrityError when another has made the row since this one looked."""
    there = _LOCKED.first(wanted.repository_id, wanted.bucket, wanted.key)
    if there is None:
        check(wanted.condition, None)
        if limit:
            quotas.charge(wanted.repository_id, limit, blob.size)
        made = StoredObject(
            repository_id=wanted.repository_id,
            bucket=wanted.bucket,
            key=wanted.key,
            blob=blob,
            etag=wanted.etag,
            metadata=wanted.metadata,
            created=timezone.now(),
        )
        _insert(made)
        return made, None
    check(wanted.condition, there)
    if wanted.fixed and (there.blob_id == blob.pk or there.blob.rotten is None):
        if objects.is_told_late(there):
            there.told = timezone.now()
            there.save(update_fields=["told"])
        return there, None
    if limit:
        quotas.charge(wanted.repository_id, limit, blob.size - there.blob.size)
    before, there.blob = there.blob_id, blob
    there.etag, there.metadata, there.created = wanted.etag, wanted.metadata, timezone.now()
    there.save(update_fields=["blob", "etag", "metadata", "created"])
    return there, before if before != blob.pk else None
