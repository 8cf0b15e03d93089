"""The body of a request: out of its chunks, and checked against everything the request says of it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

from datasets.s3 import checksums
from datasets.s3.checksums import PREFIX, Expectations
from datasets.s3.chunks import STREAMING, Chunks
from datasets.s3.errors import S3Error, not_implemented
from datasets.s3.signatures import UNSIGNED
from hub.lib.numbers import whole
from hub.lib.objectstore.digests import feed, pieces

if TYPE_CHECKING:
    from datasets.s3.call import S3Call

MAX_PUT_BYTES = 5 * 1024**3
_HEX = frozenset("0123456789abcdef")


def declared_bytes(call: S3Call) -> int | None:
    """The length of the object in a body, as S3 demands it; None for a body in HTTP's own chunks. Raises S3Error."""
    chunked = _payload(call) in STREAMING
    if not chunked and call.header("transfer-encoding").lower() == "chunked":
        return None
    length = whole(call.header("x-amz-decoded-content-length" if chunked else "content-length"))
    if length is None:
        raise S3Error("MissingContentLength", "You must provide the Content-Length HTTP header.")
    return length


class Body:
    """One body, read once. checksums: what was announced of it and held, after stream() has ended.

    length: of the object inside, None where it need not be told. Raises S3Error for a bad announcement."""

    def __init__(self, call: S3Call, *, limit_bytes: int = MAX_PUT_BYTES, length: int | None = None) -> None:
        if length is not None and length > limit_bytes:
            raise S3Error("EntityTooLarge", f"Your proposed upload exceeds the maximum of {limit_bytes:,} bytes.")
        self._call, self._limit, self._length = call, limit_bytes, length
        self._expected, self._chunks = _expected(call), _chunks(call)
        if self._chunks and self._chunks.trailing:
            for name in call.header("x-amz-trailer").split(","):
                self._expected.await_trailer(name.strip().lower())

    async def stream(self) -> AsyncIterator[bytes]:
        """Pieces of 1 MiB, without chunks. Ends well only when everything announced holds.

        Raises S3Error, TooLarge, ClientGone."""
        total, chunks = 0, self._chunks
        raw = self._call.request.body(limit_bytes=self._limit + self._limit // 64 + 65_536)  # chunks have headers
        async for piece in pieces(_decoded(raw, chunks) if chunks else raw):
            total += len(piece)
            if total > self._limit:
                raise S3Error("EntityTooLarge", f"The body exceeds the maximum of {self._limit:,} bytes.")
            if self._length is not None and total > self._length:
                raise self._other_length(total)
            await feed(self._expected.update, piece)
            yield piece
        if chunks:
            chunks.finish()
        if self._length not in {None, total}:
            raise self._other_length(total)
        self._expected.check(chunks.trailers if chunks else None)

    def _other_length(self, total: int) -> S3Error:
        return S3Error("IncompleteBody", f"The body has {total:,} bytes and {self._length:,} were announced.")

    @property
    def checksums(self) -> dict[str, str]:
        """As headers."""
        return {f"{PREFIX}{name}": value for name, value in self._expected.checksums.items()}


async def _decoded(stream: AsyncIterator[bytes], chunks: Chunks) -> AsyncIterator[bytes]:
    async for piece in stream:
        for data in chunks.feed(piece):
            yield data


def _payload(call: S3Call) -> str:
    return call.claim.payload if call.claim else UNSIGNED


def _chunks(call: S3Call) -> Chunks | None:
    payload = _payload(call)
    if payload not in STREAMING:
        return None
    return Chunks(None if "UNSIGNED" in payload else call.signer, trailing=payload.endswith("TRAILER"))


def _expected(call: S3Call) -> Expectations:
    payload = _payload(call)
    is_digest = len(payload) == 64 and set(payload.lower()) <= _HEX
    if not is_digest and payload != UNSIGNED and payload not in STREAMING:
        if payload.startswith("STREAMING-"):
            raise not_implemented(f"bodies of the form {payload[:60]!r}")
        raise S3Error("InvalidArgument", "x-amz-content-sha256 must be a SHA-256 or one of S3's fixed words.")
    md5 = call.header("content-md5")
    return Expectations(
        md5=checksums.content_md5(md5) if "content-md5" in call.request.headers else None,
        sha256=payload if is_digest else "",
        checksums=checksums.announced(call.request.headers),
    )
