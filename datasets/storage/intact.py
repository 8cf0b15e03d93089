"""Bytes of a blob, read whole and compared with what they were when they came."""

from __future__ import annotations

import errno
import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime

from asgiref.sync import async_to_sync

from datasets.models import Blob
from hub.lib.objectstore import ObjectMissing
from hub.lib.objectstore.digests import feed
from hub.lib.stores import object_store
from hub.lib.streams import in_thread

Beat = Callable[[int], Awaitable[None]]
LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)


class Damaged(ObjectMissing):
    """The store has other bytes than those that came."""


async def read(blob: Blob, data: bytes | None, start: int, end: int) -> AsyncIterator[bytes]:
    """Bytes start to end for a client; all of them only when they are those that came, which no part can tell.

    data: all bytes, where they are at hand. Raises Damaged before the last piece; the scrub looks at the object next.
    """
    whole = end - start == blob.size
    try:
        if data is not None:
            if whole and hashlib.sha256(data).hexdigest() != blob.sha256:
                raise _damaged(blob)
            yield data[start:end]
            return
        async for piece in intact(blob) if whole else object_store().get(blob.key, start, end):
            yield piece
    except Damaged:
        await in_thread(_doubt, blob)
        raise


async def intact(blob: Blob) -> AsyncIterator[bytes]:
    """All bytes of a blob. Raises Damaged instead of the last piece when they are not those that came."""
    last = b""
    async for piece in _stored(blob):
        if last:
            yield last
        last = piece
    if last:
        yield last


async def _stored(blob: Blob) -> AsyncIterator[bytes]:
    """All bytes that the store has. Raises Damaged at their end when they are not those that came."""
    digest = hashlib.sha256()
    async for piece in object_store().get(blob.key):
        await feed(digest.update, piece)
        yield piece
    if digest.hexdigest() != blob.sha256:
        raise _damaged(blob)


def _damaged(blob: Blob) -> Damaged:
    return Damaged(f"{blob.sha256}: the store gave other bytes than those that came")


def _doubt(blob: Blob) -> None:
    Blob.objects.filter(pk=blob.pk, key=blob.key).update(checked=LONG_AGO)


def md5_of(blob: Blob) -> str:
    """The md5 of its bytes. Of an object that came in parts nobody has asked for it before: all of it is read once.

    Raises Damaged, ObjectStoreError."""
    if not blob.md5:
        blob.md5 = async_to_sync(_md5)(blob)
        Blob.objects.filter(pk=blob.pk, md5="").update(md5=blob.md5)
    return blob.md5


async def _md5(blob: Blob) -> str:
    digest = hashlib.md5(usedforsecurity=False)
    async for piece in intact(blob):
        digest.update(piece)
    return digest.hexdigest()


def is_intact(blob: Blob, *, beat: Beat | None = None) -> bool:
    """Read all of it; False when its bytes are damaged or lost. beat: told of the bytes of each piece.

    Raises ObjectStoreError when the store does not answer."""
    return bool(async_to_sync(_is_intact)(blob, beat))


async def _is_intact(blob: Blob, beat: Beat | None) -> bool:
    try:
        async for piece in _stored(blob):
            if beat:
                await beat(len(piece))
    except ObjectMissing:
        return False
    except OSError as error:
        if error.errno != errno.EIO:
            raise
        return False  # the disk cannot read it any more
    return True
