"""Bytes of a blob, read whole and compared with what they were when they came."""

from __future__ import annotations

import errno
import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable

from asgiref.sync import async_to_sync

from datasets.models import Blob
from hub.lib.objectstore import ObjectMissing, ObjectStoreError
from hub.lib.stores import object_store

Beat = Callable[[int], Awaitable[None]]


class Damaged(ObjectStoreError):
    """The store has other bytes than those that came."""


async def intact(blob: Blob) -> AsyncIterator[bytes]:
    """All bytes of a blob. Raises Damaged at their end when they are not those that came."""
    digest = hashlib.sha256()
    async for piece in object_store().get(blob.key):
        digest.update(piece)
        yield piece
    if digest.hexdigest() != blob.sha256:
        raise Damaged(f"The bytes of {blob.sha256} are damaged.")


def is_intact(blob: Blob, *, beat: Beat | None = None) -> bool:
    """Read all of it; False when its bytes are damaged or lost. beat: told of the bytes of each piece.

    Raises ObjectStoreError when the store does not answer."""
    return bool(async_to_sync(_is_intact)(blob, beat))


async def _is_intact(blob: Blob, beat: Beat | None) -> bool:
    try:
        async for piece in intact(blob):
            if beat:
                await beat(len(piece))
    except (Damaged, ObjectMissing):
        return False
    except OSError as error:
        if error.errno != errno.EIO:
            raise
        return False  # the disk cannot read it any more
    return True
