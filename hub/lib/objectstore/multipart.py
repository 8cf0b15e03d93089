"""One multipart upload: a few parts in flight, completed only by the caller's word, aborted otherwise."""

from __future__ import annotations

import asyncio
import base64
import hashlib
from typing import Any

from hub.lib.objectstore.base import ObjectStoreError
from hub.lib.objectstore.digests import run
from hub.lib.objectstore.s3_errors import tag_of

MIB = 1024 * 1024
SINGLE_PUT_BYTES = 8 * MIB
PARTS_IN_FLIGHT = 3
MAX_PARTS = 10_000  # S3's own limit


def part_bytes(number: int) -> int:
    """Parts grow so that 10,000 of them hold 450 GiB, while an ordinary upload buffers little."""
    return 8 * MIB if number <= 2_000 else 32 * MIB if number <= 4_000 else 64 * MIB


class Multipart:
    def __init__(self, control: Any, unsigned: Any, bucket: str, key: str, upload_id: str) -> None:
        self.control, self.unsigned, self.bucket, self.key, self.upload_id = control, unsigned, bucket, key, upload_id
        self.etags: dict[int, str] = {}
        self._number = 0
        self._flying: set[asyncio.Future[None]] = set()

    @classmethod
    async def begin(cls, control: Any, unsigned: Any, bucket: str, key: str) -> Multipart:
        """unsigned: the client for bodies that go with their md5."""
        beginning = asyncio.ensure_future(_call(control.create_multipart_upload, Bucket=bucket, Key=key))
        try:
            answer = await asyncio.shield(beginning)
        except asyncio.CancelledError:  # the store begins it all the same
            await asyncio.wait({beginning})
            if not beginning.exception():
                upload_id = beginning.result()["UploadId"]
                await asyncio.shield(cls(control, unsigned, bucket, key, upload_id).abort())
            raise
        return cls(control, unsigned, bucket, key, answer["UploadId"])

    @property
    def part_bytes(self) -> int:
        return part_bytes(self._number + 1)

    async def send(self, data: bytearray) -> None:
        """Queue one part; waits while too many are under way. The buffer is the upload's from here on."""
        while len(self._flying) >= PARTS_IN_FLIGHT:
            await self._settle(asyncio.FIRST_COMPLETED)
        self._number += 1
        if self._number > MAX_PARTS:
            raise ObjectStoreError("The object is larger than S3's 10,000 parts can hold here (450 GiB).")
        self._flying.add(asyncio.ensure_future(self._part(self._number, data)))

    async def complete(self) -> None:
        """Make the object visible, whole."""
        await self._settle(asyncio.ALL_COMPLETED)
        parts = [{"PartNumber": number, "ETag": etag} for number, etag in sorted(self.etags.items())]
        await _call(
            self.control.complete_multipart_upload,
            Bucket=self.bucket,
            Key=self.key,
            UploadId=self.upload_id,
            MultipartUpload={"Parts": parts},
        )

    async def abort(self) -> None:
        """Forget the parts. Those under way are waited for: one that arrived later would be kept for ever."""
        if self._flying:
            await asyncio.wait(self._flying)
            for part in self._flying:
                part.exception()  # looked at, so that asyncio does not report it as lost
        await _call(self.control.abort_multipart_upload, Bucket=self.bucket, Key=self.key, UploadId=self.upload_id)

    async def _settle(self, when: str) -> None:
        if self._flying:
            done, self._flying = await asyncio.wait(self._flying, return_when=when)
            # All are looked at: of two that failed at once asyncio would report the other as lost.
            if errors := [error for part in done if (error := part.exception())]:
                raise errors[0]

    async def _part(self, number: int, data: bytearray) -> None:
        answer = await _call(
            self.unsigned.upload_part,
            Bucket=self.bucket,
            Key=self.key,
            UploadId=self.upload_id,
            PartNumber=number,
            Body=data,
            ContentMD5=await run(_md5, data),
        )
        self.etags[number] = tag_of(answer, self.key)


def _md5(data: bytearray) -> str:
    """As S3 wants it in Content-MD5: the store compares, so that what a proxy altered is not taken."""
    return base64.b64encode(hashlib.md5(data, usedforsecurity=False).digest()).decode()


async def _call(operation: Any, **arguments: Any) -> Any:
    """One boto3 call in a thread. Raises ObjectStoreError."""
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        return await run(lambda: operation(**arguments))
    except (BotoCoreError, ClientError) as error:
        raise ObjectStoreError(f"The object store did not take the upload: {error}") from error
