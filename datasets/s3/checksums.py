"""The checksums a client may announce for a body: computed as it streams, compared at its end. Plain Python.

CRC-32 is zlib's, SHA is hashlib's; CRC-32C and CRC-64/NVME are awscrt's (a pure Python loop takes minutes per GB).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import zlib
from collections.abc import Callable, Mapping
from typing import Protocol

from datasets.s3.errors import S3Error, not_implemented

PREFIX = "x-amz-checksum-"
_ABOUT = {"x-amz-checksum-algorithm", "x-amz-checksum-mode", "x-amz-checksum-type"}


class Digest(Protocol):
    def update(self, data: bytes, /) -> None: ...

    def digest(self) -> bytes: ...


class Crc:
    """A CRC with hashlib's two methods. step(data, previous) is one step of it; width in bytes."""

    def __init__(self, step: Callable[[bytes, int], int], width: int) -> None:
        self._step, self._width, self._value = step, width, 0

    def update(self, data: bytes, /) -> None:
        self._value = self._step(data, self._value)

    def digest(self) -> bytes:
        return self._value.to_bytes(self._width, "big")


def make(algorithm: str) -> Digest:
    """A digest by S3's name of it (lower case). Raises S3Error for one that is not offered."""
    if algorithm == "crc32":
        return Crc(zlib.crc32, 4)
    if algorithm == "sha1":
        return hashlib.sha1(usedforsecurity=False)
    if algorithm == "sha256":
        return hashlib.sha256()
    if algorithm in {"crc32c", "crc64nvme"}:
        from awscrt import checksums

        return Crc(getattr(checksums, algorithm), 4 if algorithm == "crc32c" else 8)
    raise not_implemented(f"the checksum algorithm {algorithm[:40]!r}")


def announced(headers: Mapping[str, str]) -> dict[str, str]:
    """{algorithm: base64 value} of the x-amz-checksum-… headers among these."""
    found = {name: value for name, value in headers.items() if name.startswith(PREFIX) and name not in _ABOUT}
    return {name.removeprefix(PREFIX): value for name, value in found.items()}


def content_md5(header: str) -> bytes:
    """The 16 bytes of a Content-MD5 header. Raises S3Error."""
    try:
        value = base64.b64decode(header, validate=True)
    except binascii.Error:
        value = b""
    if len(value) != 16:
        raise S3Error("InvalidDigest", "The Content-MD5 you specified is not valid.")
    return value


class Expectations:
    """Everything a request says about its body. Feed it the body; check() raises S3Error when one does not hold."""

    def __init__(
        self, *, md5: bytes | None = None, sha256: str = "", checksums: Mapping[str, str] | None = None
    ) -> None:
        self.checksums = dict(checksums or {})
        self._md5 = (hashlib.md5(usedforsecurity=False), md5) if md5 is not None else None
        self._sha256 = (hashlib.sha256(), sha256.lower()) if sha256 else None
        self._made = {name: make(name) for name in self.checksums}

    def await_trailer(self, name: str) -> None:
        """A checksum that comes after the body, in a trailer of this name."""
        if name.startswith(PREFIX):
            algorithm = name.removeprefix(PREFIX)
            self._made[algorithm] = make(algorithm)

    def update(self, piece: bytes) -> None:
        for digest in (*(pair[0] for pair in (self._md5, self._sha256) if pair), *self._made.values()):
            digest.update(piece)

    def check(self, trailers: Mapping[str, str] | None = None) -> None:
        self.checksums |= announced(trailers or {})
        if self._md5 and self._md5[0].digest() != self._md5[1]:
            raise S3Error("BadDigest", "The Content-MD5 you specified did not match what we received.")
        if self._sha256 and not hmac.compare_digest(self._sha256[0].hexdigest(), self._sha256[1]):
            raise S3Error(
                "XAmzContentSHA256Mismatch", "The provided x-amz-content-sha256 does not match what was computed."
            )
        for algorithm, digest in self._made.items():
            made = base64.b64encode(digest.digest()).decode()
            if algorithm not in self.checksums:
                raise S3Error("InvalidRequest", f"The trailer {PREFIX}{algorithm} was announced and did not come.")
            if self.checksums[algorithm] != made:
                raise S3Error(
                    "BadDigest", f"The {algorithm.upper()} you specified did not match the calculated checksum."
                )
