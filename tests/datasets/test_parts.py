"""Parts of objects in the folder: written to their place where that is known, and what then may go wrong."""

from __future__ import annotations

import asyncio
import hashlib
import tracemalloc
from collections.abc import AsyncIterator, Iterable
from pathlib import Path

import pytest

from hub.lib.objectstore import FolderStore, ObjectStoreError, StoredPart
from hub.lib.objectstore import following as following_module
from hub.lib.objectstore.digests import pieces
from hub.lib.objectstore.following import Following
from tests.datasets.conftest import stream

A, B, C, END = b"a" * 10, b"b" * 10, b"c" * 10, b"end"


@pytest.fixture
def store(tmp_path: Path) -> FolderStore:
    return FolderStore(tmp_path)


async def put(store: FolderStore, handle: str, number: int, data: bytes) -> StoredPart:
    return await store.put_part(handle, number, stream(data), size=len(data))


def joined(store: FolderStore, *sent: tuple[int, bytes], chosen: tuple[int, ...]) -> tuple[bytes, bool]:
    """(the object, whether it is the file that the parts were written to)"""

    async def story() -> tuple[bytes, bool]:
        handle = await store.begin_parts()
        whole = (store.root / "parts" / handle / "whole").stat().st_ino
        parts = {number: await put(store, handle, number, data) for number, data in sent}
        for _ in range(2):  # asked again, by a client that lost the answer
            stored = await store.join_parts(handle, [parts[number] for number in chosen])
        late = await put(store, handle, 99, b"late")  # changes nothing any more
        await store.forget_parts(handle)
        data = store.local(stored.key).read_bytes()
        assert (hashlib.sha256(data).hexdigest(), len(data)) == (stored.sha256, stored.size)
        assert late.size == 4
        assert not list((store.root / "parts").iterdir())
        assert not list(store.temporary.iterdir())
        return data, store.local(stored.key).stat().st_ino == whole

    return asyncio.run(story())


def test_parts_of_one_length_are_the_object(store):
    assert joined(store, (2, B), (1, A), (3, END), chosen=(1, 2, 3)) == (A + B + END, True)


@pytest.mark.parametrize(
    ("sent", "chosen", "expected"),
    [
        (((1, A), (2, B), (2, C)), (1, 2), A + C),  # sent again
        (((1, A), (2, B), (3, C)), (1, 2), A + B),  # one is not wanted
        (((1, A), (2, B), (3, C)), (1, 3), A + C),
        (((3, END), (1, A), (2, B)), (1, 2, 3), A + B + END),  # the short one came first
        (((1, A), (2, END), (3, B)), (1, 2, 3), A + END + B),
        (((1, END), (9, A)), (1, 9), END + A),
        (((1, b""),), (1,), b""),
    ],
)
def test_other_parts_are_copied_together(store, sent, chosen, expected):
    assert joined(store, *sent, chosen=chosen) == (expected, False)


def test_a_part_never_reaches_into_the_place_of_the_next(store):
    async def story() -> bytes:
        handle = await store.begin_parts()
        second, first = await put(store, handle, 2, B), None
        with pytest.raises(ObjectStoreError, match="longer"):
            await store.put_part(handle, 1, stream(A + C), size=10)
        first = await put(store, handle, 1, A)
        return store.local((await store.join_parts(handle, [first, second])).key).read_bytes()

    assert asyncio.run(story()) == A + B


def test_a_part_that_broke_off_leaves_what_was_acknowledged(store):
    async def broken() -> AsyncIterator[bytes]:
        yield b"x" * 5
        raise RuntimeError("the client left")

    async def story() -> bytes:
        handle = await store.begin_parts()
        first = await put(store, handle, 1, A)
        with pytest.raises(RuntimeError):
            await store.put_part(handle, 1, broken(), size=10)
        return store.local((await store.join_parts(handle, [first])).key).read_bytes()

    assert asyncio.run(story()) == A


# ---- sha256 of what goes to S3 -------------------------------------------------------------------
def part(number: int, data: bytes) -> StoredPart:
    return StoredPart(number, len(data), hashlib.md5(data).hexdigest(), str(number))


def add(following: Following, number: int, data: bytes) -> StoredPart:
    made = part(number, data)
    following.add("h", made, bytearray(data))
    return made


@pytest.mark.parametrize("order", [(1, 2, 3), (3, 2, 1), (2, 1, 3)])
def test_parts_are_followed_in_any_order(order):
    following, datas = Following(), {1: A, 2: B, 3: END}
    made = {number: add(following, number, datas[number]) for number in order}
    digests = following.take("h", [made[1], made[2], made[3]])
    assert (digests.size, digests.sha256) == (23, hashlib.sha256(A + B + END).hexdigest())
    assert following.take("h", [made[1]]).size == 0  # forgotten


def test_what_was_not_followed_is_left_to_read(monkeypatch):
    monkeypatch.setattr(following_module, "WAITING_BYTES", 10)
    following = Following()
    made = [add(following, 1, A), add(following, 3, C), add(following, 4, END), add(following, 2, B)]
    assert following.take("h", [made[0], made[3], made[1], made[2]]).size == 10  # 2 found no room, so 3 has no turn
    first = add(following, 1, A)
    assert following.take("h", [first]).size == 10  # what waited was given back


def test_another_part_of_the_same_number_is_found_out():
    following = Following()
    add(following, 1, A)
    again = add(following, 1, B)
    assert following.take("h", [again]).size == 0


def test_an_upload_that_stands_still_is_forgotten(monkeypatch):
    following = Following()
    made = add(following, 1, A)
    monkeypatch.setattr(following_module, "KEEP_SECONDS", -1)
    following.add("other", part(1, B), bytearray(B))
    assert following.take("h", [made]).size == 0


async def cut(data: Iterable[bytes], size: int) -> list[bytes]:
    async def parts() -> AsyncIterator[bytes]:
        for one in data:
            yield one

    return [piece async for piece in pieces(parts(), size)]


@pytest.mark.parametrize("sizes", [(3,), (10, 10), (25,), (4, 17, 1), (0, 9, 0, 2), (), (3, 5000, 9000, 1, 2, 4000)])
@pytest.mark.parametrize("size", [10, 6000])
def test_pieces_have_one_size(sizes, size):
    data = [bytes([65 + n]) * length for n, length in enumerate(sizes)]
    made = asyncio.run(cut(data, size))
    assert b"".join(made) == b"".join(data)
    assert all(len(piece) == size for piece in made[:-1])
    assert all(made)


def test_single_bytes_take_little_more_room_than_they_are():
    size = 200_000
    tracemalloc.start()
    made = asyncio.run(cut((b"x" for _ in range(size)), size))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert made == [b"x" * size]
    assert peak < 10 * size
