"""aws-chunked: a body in chunks of the client's making, signed or not, with or without trailers. Plain Python.

    hex-size[;chunk-signature=hex] CRLF data CRLF … 0[;chunk-signature=hex] CRLF [name:value CRLF]… CRLF

Follows: AWS, "Signature calculations … transferring a payload in multiple chunks" and "… including trailing headers".
Data is handed on as it comes; the caller must throw it away when an error follows.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from datasets.s3.errors import S3Error
from datasets.s3.signatures import mismatch

STREAMING = {
    "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
    "STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
    "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER",
}
MAX_LINE_BYTES, MAX_TRAILERS = 4096, 20
_EMPTY = hashlib.sha256(b"").hexdigest()
_CHUNK = re.compile(rb"([0-9a-fA-F]{1,12})(?:;chunk-signature=([0-9a-f]{64}))?")
_TRAILER = re.compile(rb"([A-Za-z0-9-]{1,100}):[ \t]*([\x20-\x7e]*)")


@dataclass(frozen=True)
class Signer:
    """What chunk signatures are made of. seed: the signature of the request, which the first chunk's covers."""

    key: bytes
    amz_date: str
    scope: str
    seed: str

    def chunk(self, previous: str, digest: str) -> str:
        return self._sign("AWS4-HMAC-SHA256-PAYLOAD", previous, f"{_EMPTY}\n{digest}")

    def trailer(self, previous: str, digest: str) -> str:
        return self._sign("AWS4-HMAC-SHA256-TRAILER", previous, digest)

    def _sign(self, kind: str, previous: str, rest: str) -> str:
        text = f"{kind}\n{self.amz_date}\n{self.scope}\n{previous}\n{rest}"
        return hmac.new(self.key, text.encode(), hashlib.sha256).hexdigest()


@dataclass
class Chunks:
    """The decoder: feed() pieces of the body as they arrive, finish() at its end.

    signer None: unsigned chunks. trailing: whether trailers may follow. trailers: their values, once finished.
    """

    signer: Signer | None
    trailing: bool
    trailers: dict[str, str] = field(default_factory=dict)
    _buffer: bytearray = field(default_factory=bytearray)
    _state: str = "size"
    _left: int = 0
    _given: str = ""
    _previous: str = ""
    _digest: hashlib._Hash = field(default_factory=hashlib.sha256)
    _signed_trailers: bytearray = field(default_factory=bytearray)

    def __post_init__(self) -> None:
        self._previous = self.signer.seed if self.signer else ""

    def feed(self, piece: bytes) -> Iterator[bytes]:
        """The data in this piece of the body. Raises S3Error."""
        self._buffer += piece
        while self._buffer:
            if self._state == "data":
                yield self._data()
            elif (line := self._line()) is None:
                return
            elif self._state == "size":
                self._size(line)
            elif self._state == "end of data":
                self._end_of_data(line)
            elif self._state == "trailers":
                self._trailer(line)
            else:
                raise _malformed("goes on after its end")

    def finish(self) -> None:
        """Raises S3Error when the body ended before its last chunk."""
        if self._state != "done" or self._buffer:
            raise S3Error("IncompleteBody", "The chunked body ends too early.")

    # ---- states ------------------------------------------------------------------------------------
    def _data(self) -> bytes:
        data = bytes(memoryview(self._buffer)[: self._left])
        del self._buffer[: len(data)]
        self._left -= len(data)
        if self.signer:
            self._digest.update(data)
        if not self._left:
            self._state = "end of data"
        return data

    def _line(self) -> bytes | None:
        """The next whole line without its CRLF, None while it has not arrived."""
        end = self._buffer.find(b"\r\n", 0, MAX_LINE_BYTES)
        if end < 0:
            if len(self._buffer) >= MAX_LINE_BYTES:
                raise _malformed("has a line that never ends")
            return None
        line = bytes(self._buffer[:end])
        del self._buffer[: end + 2]
        return line

    def _size(self, line: bytes) -> None:
        match = _CHUNK.fullmatch(line)
        if match is None or (match[2] is None) is (self.signer is not None):
            raise _malformed("has a chunk header that is none")
        self._left = int(match[1], 16)
        self._given = (match[2] or b"").decode()
        self._digest = hashlib.sha256()
        if self._left:
            self._state = "data"
        else:
            self._check_chunk()
            self._state = "trailers"

    def _end_of_data(self, line: bytes) -> None:
        if line:
            raise _malformed("has a chunk longer than its header says")
        self._check_chunk()
        self._state = "size"

    def _check_chunk(self) -> None:
        if self.signer is None:
            return
        expected = self.signer.chunk(self._previous, self._digest.hexdigest())
        if not hmac.compare_digest(expected, self._given):
            raise mismatch()
        self._previous = expected

    def _trailer(self, line: bytes) -> None:
        if not line:
            return self._end()
        match = _TRAILER.fullmatch(line)
        if match is None or not self.trailing or len(self.trailers) >= MAX_TRAILERS:
            raise _malformed("has a trailer that was not announced or is none")
        name, value = match[1].decode().lower(), match[2].decode().strip()
        if name in self.trailers:
            raise _malformed("has a trailer twice")
        self.trailers[name] = value
        if name != "x-amz-trailer-signature":
            self._signed_trailers += f"{name}:{value}\n".encode()

    def _end(self) -> None:
        self._state = "done"
        if self.signer and self.trailing:
            digest = hashlib.sha256(self._signed_trailers).hexdigest()
            expected = self.signer.trailer(self._previous, digest)
            if not hmac.compare_digest(expected.encode(), self.trailers.pop("x-amz-trailer-signature", "").encode()):
                raise mismatch()


def _malformed(how: str) -> S3Error:
    return S3Error("InvalidRequest", f"The aws-chunked body {how}.")
