"""Writes that arrive at once: one transaction, and each hears of its own end only."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine, Sequence
from typing import Any

import pytest

from datasets.models import Blob, StoredObject
from datasets.s3 import rows
from datasets.s3.addresses import OWN
from datasets.s3.errors import S3Error
from datasets.s3.rows import Condition, Wanted
from hub.lib.errors import NotFound
from hub.lib.objectstore import FolderStore
from repos.models import Repository
from tests.datasets.conftest import stream

pytestmark = pytest.mark.django_db(transaction=True)
FRESH = Condition(absent=True)


async def kept(
    folder: FolderStore, repository_id: int, key: str, data: bytes, condition: Condition = Condition()
) -> StoredObject:
    stored = await folder.put(stream(data))
    return await rows.keep(Wanted(repository_id, OWN, key, stored.md5, condition=condition), stored)


def at_once(writes: Sequence[Coroutine[Any, Any, StoredObject]]) -> list[Any]:
    """What each hears; all are waiting, in this order, before the first is done."""
    together, go = rows._keep_together, threading.Event()

    async def ask() -> list[Any]:
        together._thread.submit(go.wait, 30)
        asked = []
        for write in writes:
            asked.append(asyncio.ensure_future(write))
            while len(together._waiting) < len(asked):
                await asyncio.sleep(0.001)
        go.set()
        return list(await asyncio.gather(*asked, return_exceptions=True))

    return asyncio.run(ask())


def test_of_writes_at_once_each_key_names_its_bytes(private: Repository, folder: FolderStore):
    asyncio.run(kept(folder, private.pk, "c", b"before"))
    datas = [("b", b"1"), ("a", b"2"), ("c", b"1"), ("d", b"first"), ("d", b"last")]
    heard = at_once([kept(folder, private.pk, key, data) for key, data in datas])
    assert [row.key for row in heard] == ["b", "a", "c", "d", "d"]
    named = {row.key: folder.head(row.blob.key, 9) for row in StoredObject.objects.select_related("blob")}
    assert named == {"a": b"2", "b": b"1", "c": b"1", "d": b"last"}
    assert Blob.objects.count() == len(list(folder.list())) == 3  # what was named before is gone


def test_a_write_that_is_refused_spoils_no_other(private: Repository, folder: FolderStore):
    asyncio.run(kept(folder, private.pk, "there", b"old"))
    new, there, other, lost = at_once(
        [
            kept(folder, private.pk, "new", b"1"),
            kept(folder, private.pk, "there", b"2", FRESH),
            kept(folder, private.pk, "other", b"3", FRESH),
            kept(folder, 10**6, "lost", b"4"),
        ]
    )
    assert (new.key, other.key) == ("new", "other")
    assert isinstance(there, S3Error)
    assert "If-None-Match" in str(there)
    assert isinstance(lost, NotFound)
    found = set(StoredObject.objects.values_list("key", "blob__size"))
    assert found == {("there", 3), ("new", 1), ("other", 1)}
