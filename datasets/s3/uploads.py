"""The rows of uploads in parts, and the end of one: parts become an object, or nothing."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from datetime import timedelta

from asgiref.sync import async_to_sync
from django.db import IntegrityError, transaction
from django.db.models import Q, Sum
from django.utils import timezone

from datasets.models import MultipartUpload, StoredObject, UploadedPart
from datasets.s3 import rows
from datasets.s3.documents import Part
from datasets.s3.errors import S3Error, no_such_upload
from datasets.s3.names import rule_of
from datasets.s3.rows import Condition, Wanted
from datasets.storage import quotas
from hub.lib.objectstore import StoredPart
from hub.lib.stores import object_store
from hub.lib.streams import in_thread
from repos.models import Repository

MIN_PART_BYTES = 5 * 1024 * 1024  # of every part but the last
KEEP_DAYS = 7


def begin(repository_id: int, bucket: str, key: str, handle: str, metadata: dict[str, str]) -> MultipartUpload:
    return MultipartUpload.objects.create(
        repository_id=repository_id,
        bucket=bucket,
        key=key,
        name=secrets.token_urlsafe(32),
        handle=handle,
        metadata=metadata,
    )


def find(repository_id: int, bucket: str, key: str, name: str) -> MultipartUpload:
    """Raises S3Error."""
    found = MultipartUpload.objects.filter(repository_id=repository_id, bucket=bucket, key=key, name=name[:64]).first()
    if found is None:
        raise no_such_upload()
    return found


def keep_part(upload: MultipartUpload, part: StoredPart) -> None:
    """The last of one number counts. Raises S3Error when the upload has ended meanwhile."""
    row = UploadedPart(
        upload=upload, number=part.number, size=part.size, md5=part.md5, tag=part.tag, created=timezone.now()
    )
    try:
        with transaction.atomic():
            UploadedPart.objects.bulk_create(
                [row],
                update_conflicts=True,
                unique_fields=["upload", "number"],
                update_fields=["size", "md5", "tag", "created"],
            )
    except IntegrityError as error:
        raise no_such_upload() from error


def room(upload: MultipartUpload, number: int, repository: Repository) -> int | None:
    """Bytes that one part may have, beside the other parts of its upload; None: any number."""
    left = quotas.room(repository)
    others = upload.parts.exclude(number=number).aggregate(size=Sum("size"))["size"] or 0
    return None if left is None else left - others


def chosen(upload: MultipartUpload, named: Sequence[Part]) -> list[StoredPart]:
    """The stored parts that a completion names. Raises S3Error."""
    there = {part.number: part for part in upload.parts.all()}
    found = []
    for part in named:
        row = there.get(part.number)
        if row is None or row.md5 != part.etag:
            raise S3Error(
                "InvalidPart",
                f"Part {part.number} could not be found, or its entity tag is not the one that was uploaded.",
            )
        found.append(StoredPart(row.number, row.size, row.md5, row.tag))
    if small := [part.number for part in found[:-1] if part.size < MIN_PART_BYTES]:
        raise S3Error("EntityTooSmall", f"Part {small[0]} is smaller than 5 MiB; only the last part may be.")
    return found


def etag_of(md5s: Sequence[str]) -> str:
    """S3's entity tag of an object made of parts: the md5 of their md5s, and their number."""
    joined = hashlib.md5(b"".join(bytes.fromhex(md5) for md5 in md5s), usedforsecurity=False)
    return f"{joined.hexdigest()}-{len(md5s)}"


def done_already(repository_id: int, bucket: str, key: str, named: Sequence[Part]) -> StoredObject | None:
    """The object that an earlier completion has made, for a client that lost the answer and asks again."""
    try:
        etag = etag_of([part.etag for part in named])
    except ValueError:
        return None
    row = rows.find(repository_id, bucket, key)
    return row if row and row.etag == etag else None


async def complete(upload: MultipartUpload, named: Sequence[Part], condition: Condition) -> StoredObject:
    """Join the parts and let the key name them. Raises S3Error, ObjectStoreError."""
    parts = await in_thread(chosen, upload, named)
    rule = rule_of(upload.bucket, upload.key)
    stored = await object_store().join_parts(upload.handle, parts, md5s=rule.md5s, unix_text=rule.unix_text)
    wanted = Wanted(
        upload.repository_id,
        upload.bucket,
        upload.key,
        etag_of([part.md5 for part in parts]),
        upload.metadata,
        rule.fixed,
        condition,
    )
    row = await rows.keep(wanted, stored, upload=upload)
    await object_store().forget_parts(upload.handle)
    return row


async def abort(upload: MultipartUpload) -> None:
    """Raises S3Error when another request has ended it first."""
    deleted, _ = await in_thread(MultipartUpload.objects.filter(pk=upload.pk).delete)
    if not deleted:
        raise no_such_upload()
    await object_store().drop_parts(upload.handle)


def sweep() -> int:
    """Give up uploads that were begun a week ago, or into a repository that is deleted; how many there were."""
    limit, swept = timezone.now() - timedelta(days=KEEP_DAYS), 0
    found = MultipartUpload.objects.filter(Q(created__lt=limit) | Q(repository__deleted__isnull=False))
    for upload in found.iterator():
        if MultipartUpload.objects.filter(pk=upload.pk).delete()[0]:
            async_to_sync(object_store().drop_parts)(upload.handle)
            swept += 1
    return swept
