"""Parts of objects to come, in S3: one multipart upload of the store's, with the client's own part numbers."""

from __future__ import annotations

import base64
import hashlib
import os
import secrets
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import ExitStack, suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from hub.lib.objectstore.base import DigestMismatch, ObjectMissing, ObjectStoreError, Stored, StoredPart
from hub.lib.objectstore.digests import Digests, pieces, run
from hub.lib.objectstore.following import Following
from hub.lib.objectstore.s3_errors import tag_of, translated

PREFIX = "joined/"
KEEP_SECONDS = 8 * 24 * 3600  # a day longer than the rows that tell of them
MEMORY_BYTES = 8 * 1024 * 1024  # of one part; boto3's and rclone's parts fit, longer ones wait in a file


class S3Parts:
    """What S3Store does with parts. The store gives the rest."""

    if TYPE_CHECKING:
        bucket: str
        temporary: Path | None

        following: Following

        @property
        def control(self) -> Any: ...

        @property
        def unsigned(self) -> Any: ...

        def get(self, key: str, start: int = 0, end: int | None = None) -> AsyncIterator[bytes]: ...

        def exists(self, key: str) -> bool: ...

        def _size(self, key: str) -> int: ...

        def delete(self, key: str) -> None: ...

    async def begin_parts(self) -> str:
        name = secrets.token_hex(16)
        key = f"{PREFIX}{name[:2]}/{name[2:]}"
        answer = await self._call("create_multipart_upload", key)
        return f"{key} {answer['UploadId']}"

    async def put_part(
        self, handle: str, number: int, stream: AsyncIterator[bytes], *, size: int | None = None
    ) -> StoredPart:
        """The part is whole and checked before the store hears of it, so that it can be sent again."""
        key, upload = _of(handle)
        with _Kept(str(self.temporary) if self.temporary else None, size) as kept:
            async for piece in pieces(stream):
                await run(kept.write, piece)
            with translated(key):
                answer = await run(
                    partial(
                        self.unsigned.upload_part,
                        Bucket=self.bucket,
                        Key=key,
                        UploadId=upload,
                        PartNumber=number,
                        Body=kept.body(),
                        ContentMD5=base64.b64encode(kept.md5.digest()).decode(),
                    )
                )
            part = StoredPart(number, kept.size, kept.md5.hexdigest(), tag_of(answer, key))
            if kept.file is None:
                await run(self.following.add, handle, part, kept.data)
        return part

    async def join_parts(
        self,
        handle: str,
        parts: Sequence[StoredPart],
        *,
        md5s: frozenset[str] = frozenset(),
        unix_text: bool = False,
    ) -> Stored:
        """The store joins, then what was not followed is read for its digests: no row tells of it before."""
        key, upload = _of(handle)
        named = [{"PartNumber": part.number, "ETag": part.tag} for part in parts]
        digests = self.following.take(handle, parts)
        try:
            await self._call("complete_multipart_upload", key, UploadId=upload, MultipartUpload={"Parts": named})
        except ObjectMissing:
            if not await run(self.exists, key):  # joined by an earlier try whose row was not written
                raise
        if md5s:
            digests = Digests(unix_text=unix_text)
        size = sum(part.size for part in parts)
        async for piece in pieces(self.get(key, digests.size, size)):
            await run(digests.update, piece)
        if not digests.match(md5s):
            raise DigestMismatch(f"The bytes have the md5 {digests.md5}.")
        if await run(self._size, key) != size:
            raise ObjectStoreError(f"The object store made an object of {key} that has not the size of its parts.")
        return Stored(key=key, size=digests.size, md5=digests.md5, sha256=digests.sha256)

    async def forget_parts(self, handle: str) -> None:
        """Nothing is left in the store: the parts are the object now."""
        self.following.forget(handle)

    async def drop_parts(self, handle: str) -> None:
        key, upload = _of(handle)
        self.following.forget(handle)
        with suppress(ObjectMissing):
            await self._call("abort_multipart_upload", key, UploadId=upload)
        await run(self.delete, key)

    def sweep_parts(self, *, older_than_seconds: float = KEEP_SECONDS) -> int:
        """Abort what was begun so long ago that no row tells of it any more."""
        limit, swept = datetime.now(UTC) - timedelta(seconds=older_than_seconds), 0
        with translated(PREFIX):
            pages = self.control.get_paginator("list_multipart_uploads").paginate(Bucket=self.bucket, Prefix=PREFIX)
            for page in pages:
                for upload in page.get("Uploads", []):
                    if upload["Initiated"] < limit and upload["Key"].startswith(PREFIX):
                        self.control.abort_multipart_upload(
                            Bucket=self.bucket, Key=upload["Key"], UploadId=upload["UploadId"]
                        )
                        swept += 1
        return swept

    async def _call(self, operation: str, key: str, **arguments: Any) -> Any:
        with translated(key):
            return await run(partial(getattr(self.control, operation), Bucket=self.bucket, Key=key, **arguments))


def _of(handle: str) -> tuple[str, str]:
    key, space, upload = handle.partition(" ")
    if not space or not key.startswith(PREFIX):
        raise ObjectMissing(handle)
    return key, upload


class _Kept(ExitStack):
    """One part on its way: in memory while it is short, else in a temporary file. size: that was announced."""

    def __init__(self, folder: str | None, size: int | None) -> None:
        super().__init__()
        self.folder, self.limit, self.size = folder, size, 0
        self.md5 = hashlib.md5(usedforsecurity=False)
        self.data = bytearray()
        self.file: IO[bytes] | None = None

    def write(self, piece: bytes) -> None:
        self.size += len(piece)
        if self.limit is not None and self.size > self.limit:
            raise ObjectStoreError("A part is longer than it was announced.")
        self.md5.update(piece)
        try:
            if self.file is None and self.size > MEMORY_BYTES:
                handle, path = tempfile.mkstemp(dir=self.folder)
                self.file = self.enter_context(os.fdopen(handle, "w+b"))
                os.unlink(path)
                self.file.write(self.data)
                self.data = bytearray()
            if self.file is None:
                self.data += piece
            else:
                self.file.write(piece)
        except OSError as error:
            raise ObjectStoreError(f"The hub's temporary folder refused a part: {error.strerror or error}.") from error

    def body(self) -> bytearray | IO[bytes]:
        """For boto3, which sends a bytearray in one go."""
        if self.file is None:
            return self.data
        self.file.seek(0)
        return self.file
