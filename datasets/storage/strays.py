"""Bytes in the store that no row tells of: whoever brought them was killed between the two.

They get a row without a name and go as everything that nothing names does (removal.py), under the lock of that row:
an upload of the same bytes that comes meanwhile keeps them, or is asked to send them again.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from itertools import islice

from asgiref.sync import async_to_sync
from django.utils import timezone

from datasets.models import Blob
from datasets.s3.uploads import KEEP_DAYS
from datasets.storage import removal
from hub.lib.objectstore import ObjectMissing, Stored
from hub.lib.objectstore.digests import Digests, pieces
from hub.lib.stores import object_store

AREAS = ("sha256/", "multipart/", "joined/")  # of the store; artifacts have rows of MLflow's
GRACE = timedelta(days=KEEP_DAYS + 1)  # no upload lasts longer, in parts or not
WINDOW = 1_000


def sweep() -> int:
    """Remove them; how many there were. Raises ObjectStoreError when the store does not answer."""
    return sum(map(_remove, _found()))


def _found() -> Iterator[str]:
    """The keys of those that lie there for long."""
    before = timezone.now() - GRACE
    for area in AREAS:
        listed = (key for key, _ in object_store().list(area))
        while window := list(islice(listed, WINDOW)):
            known = set(Blob.objects.filter(key__in=window).values_list("key", flat=True))
            for key in (key for key in window if key not in known):
                written = object_store().written(key)
                if written is not None and written < before:
                    yield key


def _remove(key: str) -> bool:
    try:
        stored = async_to_sync(_read)(key)
    except ObjectMissing:  # it has gone by itself
        return False
    removal.drop(stored)
    return True


async def _read(key: str) -> Stored:
    """As put() answered then. The name of a damaged one still tells whose lock its key is under."""
    digests = Digests()
    async for piece in pieces(object_store().get(key)):
        digests.update(piece)
    named = key.removeprefix("sha256/").replace("/", "") if key.startswith("sha256/") else digests.sha256
    return Stored(key=key, size=digests.size, md5=digests.md5, sha256=named)
