"""The interface of a store, and the ways it can fail."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol


class ObjectStoreError(Exception):
    """The store did not do what was asked (unreachable, full, refused)."""


class ObjectMissing(ObjectStoreError):
    """No object has this key."""


class DigestMismatch(ObjectStoreError):
    """The bytes that arrived are not the bytes that were announced; nothing was stored."""


@dataclass(frozen=True)
class Stored:
    """What put() wrote: both digests (hex) and the size in bytes. md5 "": nobody has asked for it (join_parts)."""

    key: str
    size: int
    md5: str
    sha256: str


@dataclass(frozen=True)
class StoredPart:
    """One part of an object to come. tag: the store's own word for these bytes in this place."""

    number: int
    size: int
    md5: str
    tag: str


class ObjectStore(Protocol):
    """Streams in, streams out, constant memory. A returned put() survives kill -9."""

    async def put(
        self, stream: AsyncIterator[bytes], *, md5s: frozenset[str] = frozenset(), unix_text: bool = False
    ) -> Stored:
        """Store a stream under a key of the store's choosing; when md5s is given, its md5 must be one of them.

        unix_text: the md5 of the bytes with CRLF as LF counts too (DVC 2's rule for text).
        Raises DigestMismatch with nothing stored. Storing the same bytes again is harmless, but may make a second
        copy under another key: whoever keeps the rows deletes the key that lost.
        """
        ...

    def get(self, key: str, start: int = 0, end: int | None = None) -> AsyncIterator[bytes]:
        """Bytes start (inclusive) to end (exclusive) in pieces of at most 1 MiB. Nothing is read before the first is
        asked for, and nothing after the iterator is closed. Raises ObjectMissing."""
        ...

    def head(self, key: str, limit: int) -> bytes:
        """The first bytes; blocking. Raises ObjectMissing."""
        ...

    def read_range(self, key: str, start: int, end: int) -> bytes:
        """Bytes start (inclusive) to end (exclusive), a few MiB at most; blocking. Raises ObjectMissing, and
        ObjectStoreError when the object is shorter."""
        ...

    def at_hand(self, key: str, size: int) -> bytes | None:
        """The whole object of this size when it is small and no network lies between, else None; blocking. Raises as
        read_range."""
        ...

    def exists(self, key: str) -> bool: ...

    def present(self, keys: Collection[str]) -> set[str]:
        """Those of them that exist, asked at the same time where a network lies between."""
        ...

    def local(self, key: str) -> Path | None:
        """The object as a file of this machine, to be read only; None when this store keeps none here."""
        ...

    def delete(self, key: str) -> None:
        """Remove; absent is fine."""
        ...

    def list(self, prefix: str = "") -> Iterator[tuple[str, int]]:
        """(key, size) of every object under a prefix, in key order."""
        ...

    def written(self, key: str) -> datetime | None:
        """When these bytes came; None when they have gone."""
        ...

    def sweep(self, *, older_than_seconds: float = 3600) -> int:
        """Remove what uploads that died have left behind; how many there were."""
        ...

    def check(self) -> None:
        """Write, read and remove one small object. Raises ObjectStoreError saying what is wrong."""
        ...

    # ---- an object that comes in parts, in any order ------------------------------------------------
    async def begin_parts(self) -> str:
        """A place for parts; its handle (at most 400 characters)."""
        ...

    async def put_part(
        self, handle: str, number: int, stream: AsyncIterator[bytes], *, size: int | None = None
    ) -> StoredPart:
        """Keep a part; one of the same number may come again. size: in bytes, where it was announced; a stream that
        is longer is refused. A returned part survives kill -9. Raises ObjectMissing when the handle has gone."""
        ...

    async def join_parts(
        self,
        handle: str,
        parts: Sequence[StoredPart],
        *,
        md5s: frozenset[str] = frozenset(),
        unix_text: bool = False,
    ) -> Stored:
        """The object made of these parts in this order, as put() would have stored it; safe to call again. Without md5s
        its md5 may be left out.

        Raises DigestMismatch with the parts kept, ObjectMissing when the handle or a part has gone. In S3 every part
        but the last has 5 MiB or more."""
        ...

    async def forget_parts(self, handle: str) -> None:
        """After join_parts: what is needed no more. The joined object stays."""
        ...

    async def drop_parts(self, handle: str) -> None:
        """Instead of join_parts: everything goes, joined or not."""
        ...

    def presigned_url(self, key: str, *, seconds: int, filename: str = "") -> str | None:
        """A URL that clients may GET without credentials, or None when this store cannot make one."""
        ...
