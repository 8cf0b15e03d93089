"""The rows of the S3 endpoint: what a key names, and how it comes to name something else."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from django.db import IntegrityError, transaction
from django.utils import timezone

from datasets import objects, presence
from datasets.models import Blob, MultipartUpload, StoredObject
from datasets.s3.addresses import DVC
from datasets.s3.errors import S3Error, no_such_bucket, no_such_key, no_such_upload
from hub.lib.objectstore import Stored

_BATCH = 500


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
    return (
        StoredObject.objects.select_related("blob").filter(repository_id=repository_id, bucket=bucket, key=key).first()
    )


def keep(wanted: Wanted, stored: Stored, *, upload: MultipartUpload | None = None) -> StoredObject:
    """Let a key name bytes that are in the store: rows in one transaction, with the end of the upload they came by.

    Raises S3Error when the condition does not hold, the repository has gone, or another ended the upload first."""
    try:
        with transaction.atomic():
            if upload and not MultipartUpload.objects.filter(pk=upload.pk).delete()[0]:
                raise no_such_upload()
            blob = objects.blob_row(stored)
            row = _write(wanted, blob)
    except IntegrityError as error:
        raise no_such_bucket() from error
    objects.keep_one(blob, stored)
    return row


def point(wanted: Wanted, blob: Blob) -> StoredObject:
    """The same for bytes that a key of this hub names already: a copy. Raises S3Error."""
    try:
        with transaction.atomic():
            return _write(wanted, blob)
    except IntegrityError as error:
        raise no_such_bucket() from error


def remove(repository_id: int, bucket: str, keys: Iterable[str]) -> None:
    """Forget these names; absent ones are fine. Bytes that nothing names any more stay for the collector."""
    wanted = list(keys)
    for start in range(0, len(wanted), _BATCH):
        StoredObject.objects.filter(
            repository_id=repository_id, bucket=bucket, key__in=wanted[start : start + _BATCH]
        ).delete()
    if bucket == DVC:
        presence.forget(repository_id)


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


def _write(wanted: Wanted, blob: Blob) -> StoredObject:
    row = StoredObject(
        repository_id=wanted.repository_id,
        bucket=wanted.bucket,
        key=wanted.key,
        blob=blob,
        etag=wanted.etag,
        metadata=wanted.metadata,
        created=timezone.now(),
    )
    if wanted.condition != Condition() or wanted.fixed:
        return _write_one(wanted, row)
    StoredObject.objects.bulk_create(
        [row],
        update_conflicts=True,
        unique_fields=["repository", "bucket", "key"],
        update_fields=["blob", "etag", "metadata", "created"],
    )
    return row


def _write_one(wanted: Wanted, row: StoredObject) -> StoredObject:
    """With a look at what is there, which nobody changes meanwhile."""
    same = {"repository_id": wanted.repository_id, "bucket": wanted.bucket, "key": wanted.key}
    inserted = True
    there = StoredObject.objects.select_for_update().filter(**same).first()
    if there is None:
        check(wanted.condition, None)
        StoredObject.objects.bulk_create([row], ignore_conflicts=True)
        there = StoredObject.objects.select_for_update().get(**same)
        inserted = (there.blob_id, there.created) == (row.blob_id, row.created)
        if inserted:
            return there
    check(wanted.condition, there)
    if not wanted.fixed:
        there.blob, there.etag, there.metadata, there.created = row.blob, row.etag, row.metadata, row.created
        there.save(update_fields=["blob", "etag", "metadata", "created"])
    return there
