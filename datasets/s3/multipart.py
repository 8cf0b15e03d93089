"""Multipart uploads: create, upload and copy parts, list, complete, abort."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from functools import partial
from typing import Any

from django.utils import timezone

from datasets.models import MultipartUpload, StoredObject
from datasets.s3 import documents, listing, metadata, names, uploads
from datasets.s3.bodies import Body, declared_bytes
from datasets.s3.buckets import encoder, max_keys
from datasets.s3.call import XML, S3Call
from datasets.s3.documents import MAX_PARTS, Part, many, node
from datasets.s3.errors import S3Error, code_and_status, no_such_upload
from datasets.s3.reading import owner
from datasets.s3.stores import upstream
from datasets.s3.writing import condition_of, source_of
from datasets.storage import quotas
from hub.lib.errors import HubError
from hub.lib.numbers import whole
from hub.lib.objectstore import ObjectMissing, StoredPart
from hub.lib.stores import object_store
from hub.lib.streams import ClientGone, in_thread

PATIENCE_SECONDS, BEAT_SECONDS = 15, 10  # clients give up after 60 seconds of silence
_RANGE = re.compile(r"bytes=(\d{1,18})-(\d{1,18})")


async def create(call: S3Call) -> None:
    names.rule_of(call.bucket, call.key)
    kept = metadata.given(call.wishes)
    await call.read()
    with upstream():
        handle = await object_store().begin_parts()
    upload = await in_thread(uploads.begin, call.repository.pk, call.bucket, call.key, handle, kept)
    await call.document("InitiateMultipartUploadResult", *_names(call), node("UploadId", upload.name))


async def upload_part(call: S3Call) -> None:
    """One part, of a body or of an object that is here (x-amz-copy-source)."""
    number, upload = _number(call), await _find(call)
    metadata.refuse_features(call.wishes)
    if "x-amz-copy-source" in call.request.headers:
        return await _copy_part(call, number, upload)
    length = declared_bytes(call)
    body = Body(call, length=length)
    part = await _keep(call, upload, number, body.stream(), length)
    await call.answer(headers=[("etag", f'"{part.md5}"'), *body.checksums.items()])


async def _copy_part(call: S3Call, number: int, upload: MultipartUpload) -> None:
    await call.read()
    blob = (await in_thread(source_of, call)).row.blob
    start, end = 0, blob.size
    if asked := call.header("x-amz-copy-source-range"):
        match = _RANGE.fullmatch(asked)
        if match is None or not int(match[1]) <= int(match[2]) < blob.size:
            raise S3Error("InvalidArgument", "x-amz-copy-source-range must be bytes=FIRST-LAST within the source.")
        start, end = int(match[1]), int(match[2]) + 1
    part = await _keep(call, upload, number, object_store().get(blob.key, start, end), end - start)
    modified = node("LastModified", documents.stamp(timezone.now()))
    await call.document("CopyPartResult", modified, node("ETag", f'"{part.md5}"'))


async def _keep(
    call: S3Call, upload: MultipartUpload, number: int, stream: AsyncIterator[bytes], length: int | None
) -> StoredPart:
    with upstream():
        room = partial(uploads.room, upload, number)
        stream = await quotas.within(stream, call.repository, declared=length, room=room)
        try:
            part = await object_store().put_part(upload.handle, number, stream, size=length)
        except ObjectMissing as error:
            raise no_such_upload() from error
        await in_thread(uploads.keep_part, upload, part)
    return part


async def complete(call: S3Call) -> None:
    """Joins the parts. What takes long keeps the connection alive with blanks; an error then comes under a 200."""
    named = await in_thread(documents.completion, await call.read())
    task = asyncio.create_task(_complete(call, named))
    done, _ = await asyncio.wait({task}, timeout=PATIENCE_SECONDS)
    if done:
        return await call.answer(documents.document("CompleteMultipartUploadResult", *task.result()))
    request = call.request
    try:
        await request.start(200, [XML])
        await request.write(documents.HEAD.encode())
        while not (await asyncio.wait({task}, timeout=BEAT_SECONDS))[0]:
            await request.write(b" ")
        await request.write((await _late(call, task)).removeprefix(documents.HEAD.encode()))
        await request.finish()
    except ClientGone:
        await asyncio.wait({task})  # it asks again, and finds the object made
        raise


async def _complete(call: S3Call, named: list[Part]) -> list[Any]:
    """The children of the answer."""
    row = await _joined(call, named)
    return [node("Location", call.request.path), *_names(call), node("ETag", f'"{row.etag}"')]


async def _joined(call: S3Call, named: list[Part]) -> StoredObject:
    place = (call.repository.pk, call.bucket, call.key)
    try:
        upload = await _find(call)
        with upstream():
            return await uploads.complete(upload, named, condition_of(call))
    except S3Error as error:
        if error.s3_code == "NoSuchUpload" and (row := await in_thread(uploads.done_already, *place, named)):
            return row
        raise


async def _late(call: S3Call, task: asyncio.Task[list[Any]]) -> bytes:
    try:
        return documents.document("CompleteMultipartUploadResult", *task.result())
    except HubError as error:
        code, _ = code_and_status(error)
        return documents.error_document(code, error.message, call.request.path, call.request.request_id)


async def abort(call: S3Call) -> None:
    upload = await _find(call)
    with upstream():
        await uploads.abort(upload)
    await call.answer(status=204)


async def list_parts(call: S3Call) -> None:
    upload, limit = await _find(call), max_keys(call.query.get("max-parts"), "max-parts")
    marker = whole(call.query.get("part-number-marker", "") or "0")
    if marker is None:
        raise S3Error("InvalidArgument", "part-number-marker must be a number.")
    found = await in_thread(lambda: list(upload.parts.filter(number__gt=marker).order_by("number")[: limit + 1]))
    more, parts = len(found) > limit, found[:limit]
    shown = [
        node(
            "Part",
            node("PartNumber", part.number),
            node("LastModified", documents.stamp(part.created)),
            node("ETag", f'"{part.md5}"'),
            node("Size", part.size),
        )
        for part in parts
    ]
    who = owner(call)
    await call.document(
        "ListPartsResult",
        *_names(call),
        node("UploadId", upload.name),
        node("PartNumberMarker", marker),
        node("NextPartNumberMarker", parts[-1].number if parts else 0),
        node("MaxParts", limit),
        node("IsTruncated", "true" if more else "false"),
        many(shown),
        node("Initiator", who_inside(who)),
        who,
        node("StorageClass", "STANDARD"),
    )


def who_inside(who: object) -> documents.Markup:
    """The children of an Owner, for an Initiator: the hub does not tell who began an upload."""
    return documents.Markup(str(who).removeprefix("<Owner>").removesuffix("</Owner>"))


async def list_uploads(call: S3Call) -> None:
    """Uploads that are under way, in the order of their keys and their beginning."""
    query, encode = call.query, encoder(call)
    limit = max_keys(query.get("max-uploads"), "max-uploads")
    prefix, marker, last = (query.get(name, "") for name in ("prefix", "key-marker", "upload-id-marker"))
    if query.get("delimiter"):
        raise S3Error("NotImplemented", "Multipart uploads are listed without a delimiter.")
    found = await in_thread(_uploads, call, prefix, marker, last, limit + 1)
    more, shown = len(found) > limit, found[:limit]
    rows = [
        node(
            "Upload",
            node("Key", encode(upload.key)),
            node("UploadId", upload.name),
            owner(call),
            node("StorageClass", "STANDARD"),
            node("Initiated", documents.stamp(upload.created)),
        )
        for upload in shown
    ]
    await call.document(
        "ListMultipartUploadsResult",
        node("Bucket", call.address.bucket_name),
        node("KeyMarker", encode(marker)),
        node("UploadIdMarker", last),
        node("NextKeyMarker", encode(shown[-1].key)) if more else None,
        node("NextUploadIdMarker", shown[-1].name) if more else None,
        node("Prefix", encode(prefix)),
        node("EncodingType", "url") if query.get("encoding-type") else None,
        node("MaxUploads", limit),
        node("IsTruncated", "true" if more else "false"),
        many(rows),
    )


def _uploads(call: S3Call, prefix: str, marker: str, last: str, count: int) -> list[MultipartUpload]:
    found = MultipartUpload.objects.filter(repository=call.repository, bucket=call.bucket)
    if prefix:
        found = found.filter(key__gte=prefix)
        if (end := listing.successor(prefix)) is not None:
            found = found.filter(key__lt=end)
    if marker and last:
        before = found.filter(key=marker, name=last).first()
        rest = found.filter(key=marker, pk__gt=before.pk) if before else found.none()
        found = rest | found.filter(key__gt=marker)
    elif marker:
        found = found.filter(key__gt=marker)
    return list(found.order_by("key", "pk")[:count])


async def _find(call: S3Call) -> MultipartUpload:
    return await in_thread(uploads.find, call.repository.pk, call.bucket, call.key, call.query.get("uploadId", ""))


def _number(call: S3Call) -> int:
    number = whole(call.query.get("partNumber", ""), least=1, most=MAX_PARTS)
    if number is None:
        raise S3Error("InvalidArgument", "Part number must be an integer between 1 and 10000, inclusive.")
    return number


def _names(call: S3Call) -> list[object]:
    return [node("Bucket", call.address.bucket_name), node("Key", call.key)]
