"""Objects in an S3 bucket: obstore (Rust) moves small bytes at a quarter of boto3's CPU, boto3 controls the rest.

Where obstore is not installed, boto3 does it all.
"""

from __future__ import annotations

import asyncio
import secrets
import threading
from collections.abc import AsyncIterator, Collection, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import quote

from hub.lib.objectstore.base import DigestMismatch, ObjectMissing, ObjectStoreError, Stored
from hub.lib.objectstore.digests import PIECE_BYTES, Digests, at_once, feed, pieces, run
from hub.lib.objectstore.following import Following
from hub.lib.objectstore.multipart import SINGLE_PUT_BYTES, Multipart
from hub.lib.objectstore.s3_errors import tag_of, translated
from hub.lib.objectstore.s3_parts import S3Parts

READ_AHEAD_BYTES = 4 * PIECE_BYTES
DAY_SECONDS = 24 * 3600
_lock = threading.Lock()


@dataclass(frozen=True)
class S3Store(S3Parts):
    """One bucket at any S3 endpoint. use_obstore False forces the boto3-only path. temporary: where long parts wait.

    Objects up to 8 MiB lie under sha256/…; larger ones under multipart/<random>, since their key is needed before
    their digest is known. An object becomes visible only after its md5 matched.
    """

    endpoint: str
    bucket: str
    access_key: str
    secret_key: str
    region: str = "us-east-1"
    use_obstore: bool = True
    temporary: Path | None = None
    following: Following = field(default_factory=Following, compare=False)

    async def put(
        self, stream: AsyncIterator[bytes], *, md5s: frozenset[str] = frozenset(), unix_text: bool = False
    ) -> Stored:
        digests, buffer = Digests(unix_text=unix_text), bytearray()
        multipart: Multipart | None = None
        try:
            async for piece in pieces(stream):
                await feed(digests.update, piece)
                if len(buffer) + len(piece) > (multipart.part_bytes if multipart else SINGLE_PUT_BYTES):
                    multipart = multipart or await Multipart.begin(
                        self.control, self.unsigned, self.bucket, _random_key()
                    )
                    await multipart.send(buffer)
                    buffer = bytearray()
                buffer += piece
            if not digests.match(md5s):
                raise DigestMismatch(f"The bytes have the md5 {digests.md5}.")
            if multipart:
                key = multipart.key
                await multipart.send(buffer)
                await multipart.complete()
                multipart = None
                if await run(self._size_after, key) != digests.size:
                    raise ObjectStoreError(f"The object store made nothing whole of the parts of {key}.")
            else:
                key = f"sha256/{digests.sha256[:2]}/{digests.sha256[2:]}"
                await self._put_small(key, bytes(buffer), digests.md5)
        finally:
            if multipart:
                await asyncio.shield(multipart.abort())
        return Stored(key=key, size=digests.size, md5=digests.md5, sha256=digests.sha256)

    async def get(self, key: str, start: int = 0, end: int | None = None) -> AsyncIterator[bytes]:
        """By ranges, the next one fetched while the last is being sent: a client may be slow for hours without
        holding a connection to the store, and one that only asked for existence costs one small range."""
        stop = await run(self._size, key) if end is None else end
        position, ahead = start, None
        step = PIECE_BYTES
        try:
            while position < stop:
                data = await (ahead or self._range(key, position, min(position + step, stop)))
                ahead, position, step = None, position + len(data), READ_AHEAD_BYTES
                for offset in range(0, len(data), PIECE_BYTES):
                    yield data[offset : offset + PIECE_BYTES]
                    if ahead is None and position < stop:
                        ahead = asyncio.ensure_future(self._range(key, position, min(position + step, stop)))
        finally:
            if ahead:
                ahead.cancel()

    def head(self, key: str, limit: int) -> bytes:
        with translated(key):
            return self.control.get_object(Bucket=self.bucket, Key=key, Range=f"bytes=0-{limit - 1}")["Body"].read()

    def read_range(self, key: str, start: int, end: int) -> bytes:
        with translated(key):
            if self._stream is None:
                data = self._boto3_range(key, start, end)
            else:
                import obstore

                data = bytes(obstore.get_range(self._stream, key, start=start, end=end))
        return _whole(key, data, end - start)

    def at_hand(self, key: str, size: int) -> None:
        return None

    def exists(self, key: str) -> bool:
        try:
            self._size(key)
        except ObjectMissing:
            return False
        return True

    def present(self, keys: Collection[str]) -> set[str]:
        return {key for key, here in zip(keys, at_once(self.exists, keys), strict=True) if here}

    def local(self, key: str) -> None:
        return None

    def delete(self, key: str) -> None:
        with translated(key):
            self.control.delete_object(Bucket=self.bucket, Key=key)

    def list(self, prefix: str = "") -> Iterator[tuple[str, int]]:
        with translated(prefix):
            for page in self.control.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=prefix):
                for entry in page.get("Contents", []):
                    yield entry["Key"], entry["Size"]

    def written(self, key: str) -> datetime | None:
        with suppress(ObjectMissing), translated(key):
            written: datetime = self.control.head_object(Bucket=self.bucket, Key=key)["LastModified"]
            return written
        return None

    def sweep(self, *, older_than_seconds: float = DAY_SECONDS) -> int:
        """Abort multipart uploads begun a day ago or more: S3 does not say when the last part came."""
        limit, swept = datetime.now(UTC) - timedelta(seconds=max(older_than_seconds, DAY_SECONDS)), 0
        with translated("multipart/"):
            for page in self.control.get_paginator("list_multipart_uploads").paginate(Bucket=self.bucket):
                for upload in page.get("Uploads", []):
                    if upload["Initiated"] < limit and upload["Key"].startswith("multipart/"):
                        self.control.abort_multipart_upload(
                            Bucket=self.bucket, Key=upload["Key"], UploadId=upload["UploadId"]
                        )
                        swept += 1
        return swept + self.sweep_parts()

    def check(self) -> None:
        key = f"check/{secrets.token_hex(16)}"
        with translated(key):
            self.control.put_object(Bucket=self.bucket, Key=key, Body=b"covey")
        read = self.head(key, 5)
        self.delete(key)
        if read != b"covey":
            raise ObjectStoreError(f"The object store at {self.endpoint} gave back other bytes than it was given.")

    def presigned_url(self, key: str, *, seconds: int, filename: str = "") -> str | None:
        """SigV4, which boto3 must be told: on custom endpoints it would sign with the old version."""
        parameters = {"Bucket": self.bucket, "Key": key}
        if filename:
            parameters["ResponseContentDisposition"] = f"attachment; filename*=UTF-8''{quote(filename, safe='')}"
        return self.control.generate_presigned_url("get_object", Params=parameters, ExpiresIn=seconds)

    # ---- the two clients -----------------------------------------------------------------------
    @cached_property
    def control(self) -> Any:
        return self._client()

    @cached_property
    def unsigned(self) -> Any:
        """For bodies that are sent with their md5, which the store compares: a sha256 for the signature would be read
        out of them once more here and once more there."""
        return self._client(payload_signing_enabled=False)

    def _client(self, **signing: bool) -> Any:
        import boto3
        from botocore.config import Config

        with _lock:  # boto3's clients may be shared between threads, making them may not
            return boto3.session.Session().client(
                "s3",
                endpoint_url=self.endpoint,
                region_name=self.region,
                aws_access_key_id=self.access_key,
                aws_secret_access_key=self.secret_key,
                config=Config(
                    signature_version="s3v4",
                    s3={"addressing_style": "path", **signing},
                    connect_timeout=5,
                    # A store that is frozen is given up after a minute in all.
                    read_timeout=20,
                    retries={"total_max_attempts": 3, "mode": "standard"},
                    max_pool_connections=32,
                    request_checksum_calculation="when_required",
                    response_checksum_validation="when_required",
                ),
            )

    @cached_property
    def _stream(self) -> Any:
        """obstore's client, or None without obstore."""
        if not self.use_obstore:
            return None
        try:
            from obstore.store import S3Store as Client
        except ImportError:
            return None
        return Client(
            self.bucket,
            endpoint=self.endpoint,
            region=self.region,
            access_key_id=self.access_key,
            secret_access_key=self.secret_key,
            virtual_hosted_style_request=False,
            # obstore's own are ten in three minutes, which no client waits for.
            retry_config={"max_retries": 3, "retry_timeout": timedelta(seconds=30)},
            client_options={
                "allow_http": self.endpoint.startswith("http://"),
                "connect_timeout": timedelta(seconds=5),
                "timeout": timedelta(seconds=60),
            },
        )

    async def _put_small(self, key: str, data: bytes, md5: str) -> None:
        with translated(key):
            if self._stream is None:
                answer = await run(lambda: self.control.put_object(Bucket=self.bucket, Key=key, Body=data))
                tag = tag_of(answer, key)
            else:
                import obstore

                tag = str((await obstore.put_async(self._stream, key, data, use_multipart=False))["e_tag"])
        # Where the store encrypts with keys of its own the tag is no md5: then the bytes themselves are compared.
        if tag.strip('"') == md5:
            return
        if await run(self._size_after, key) != len(data) or (data and await self._range(key, 0, len(data)) != data):
            raise ObjectStoreError(f"The object store keeps other bytes of {key} than it was given.")

    async def _range(self, key: str, start: int, end: int) -> bytes:
        with translated(key):
            if self._stream is None:
                data = await run(self._boto3_range, key, start, end)
            else:
                import obstore

                data = bytes(await obstore.get_range_async(self._stream, key, start=start, end=end))
        return _whole(key, data, end - start)

    def _boto3_range(self, key: str, start: int, end: int) -> bytes:
        return self.control.get_object(Bucket=self.bucket, Key=key, Range=f"bytes={start}-{end - 1}")["Body"].read()

    def _size(self, key: str) -> int:
        with translated(key):
            if self._stream is None:
                return self.control.head_object(Bucket=self.bucket, Key=key)["ContentLength"]
            import obstore

            return obstore.head(self._stream, key)["size"]

    def _size_after(self, key: str) -> int:
        """Of what was just stored; -1 where nothing was."""
        try:
            return self._size(key)
        except ObjectMissing:
            return -1


def _whole(key: str, data: bytes, size: int) -> bytes:
    if len(data) != size:
        raise ObjectStoreError(f"Object {key} gave {len(data)} bytes instead of {size}.")
    return data


def _random_key() -> str:
    name = secrets.token_hex(16)
    return f"multipart/{name[:2]}/{name[2:]}"
