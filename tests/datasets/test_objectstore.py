"""What every store promises: the bytes, their digests, nothing visible that did not match, nothing left behind."""

from __future__ import annotations

import asyncio
import errno
import hashlib
import os
import time

import pytest

from hub.lib.errors import says_disk_full
from hub.lib.objectstore import DigestMismatch, FolderStore, ObjectMissing, ObjectStoreError, S3Store
from tests.support.refusing import RefusingStore

MIB = 1024 * 1024


def md5(data: bytes) -> str:
    return hashlib.md5(data).hexdigest()


async def joined(stream) -> bytes:
    return b"".join([piece async for piece in stream])


def everything(store) -> list[tuple[str, int]]:
    return list(store.list())


@pytest.mark.parametrize("size", [0, 1, 100_000, MIB, MIB + 1, 8 * MIB, 8 * MIB + 1, 21 * MIB])
def test_it_gives_back_what_it_was_given(store, streamed, size):
    data = os.urandom(size)
    parts = [data[i : i + 65_537] for i in range(0, size, 65_537)]
    stored = asyncio.run(store.put(streamed(*parts), md5s=frozenset({md5(data)})))
    assert (stored.size, stored.md5, stored.sha256) == (size, md5(data), hashlib.sha256(data).hexdigest())
    assert asyncio.run(joined(store.get(stored.key))) == data
    assert store.exists(stored.key)
    if size:
        assert store.head(stored.key, 10) == data[:10]


def test_it_reads_any_range(store, streamed):
    data = os.urandom(9 * MIB + 77)
    key = asyncio.run(store.put(streamed(data))).key
    for start, end in [(0, 1), (5, 5), (MIB - 1, MIB + 1), (len(data) - 3, len(data)), (123, 7 * MIB)]:
        assert asyncio.run(joined(store.get(key, start, end))) == data[start:end]


@pytest.mark.parametrize("size", [10, 10 * MIB])
def test_it_keeps_nothing_whose_md5_differs(store, streamed, size):
    before = traces(store)
    with pytest.raises(DigestMismatch):
        asyncio.run(store.put(streamed(b"x" * size), md5s=frozenset({"0" * 32})))
    assert traces(store) == before


@pytest.mark.parametrize("size", [10, 10 * MIB])
def test_it_keeps_nothing_of_a_stream_that_breaks(store, size):
    async def broken():
        yield b"x" * size
        raise ConnectionResetError

    before = traces(store)
    with pytest.raises((ConnectionResetError, ObjectStoreError)):
        asyncio.run(store.put(broken()))
    assert traces(store) == before


def test_it_keeps_nothing_of_a_cancelled_upload(store):
    async def endless():
        while True:
            yield b"x" * MIB
            await asyncio.sleep(0.01)

    async def cancel():
        task = asyncio.create_task(store.put(endless()))
        await asyncio.sleep(0.6)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    before = traces(store)
    asyncio.run(cancel())
    assert traces(store) == before


def traces(store) -> tuple[object, int]:
    """Objects, and how much is under way; other tests' uploads in parts may be."""
    return everything(store), leftovers(store)


def leftovers(store) -> int:
    """Temporary files, or multipart uploads under way."""
    if isinstance(store, FolderStore):
        return len(os.listdir(store.temporary))
    return len(store.control.list_multipart_uploads(Bucket=store.bucket).get("Uploads", []))


def test_many_uploads_of_the_same_bytes_agree(store, streamed):
    data = os.urandom(3 * MIB)

    async def together():
        return await asyncio.gather(*(store.put(streamed(data[:MIB], data[MIB:])) for _ in range(16)))

    stored = asyncio.run(together())
    assert {s.sha256 for s in stored} == {hashlib.sha256(data).hexdigest()}
    assert asyncio.run(joined(store.get(stored[0].key))) == data


def test_it_says_what_is_missing(store):
    with pytest.raises(ObjectMissing):
        asyncio.run(joined(store.get("sha256/00/" + "1" * 62)))
    with pytest.raises(ObjectMissing):
        store.head("sha256/00/" + "1" * 62, 5)
    assert not store.exists("sha256/00/" + "1" * 62)
    store.delete("sha256/00/" + "1" * 62)


def test_it_deletes_and_lists(store, streamed):
    key = asyncio.run(store.put(streamed(b"listed"))).key
    assert (key, 6) in everything(store)
    assert list(store.list(key)) == [(key, 6)]
    store.delete(key)
    assert (key, 6) not in everything(store)


def test_it_takes_the_names_dvc_2_gave_to_text(store, streamed):
    text = b"a,b\r\n1,2\r\n" * 300_000
    pieces = [text[i : i + MIB] for i in range(0, len(text), MIB)]
    unix = hashlib.md5(b"".join(piece.replace(b"\r\n", b"\n") for piece in pieces)).hexdigest()
    with pytest.raises(DigestMismatch):
        asyncio.run(store.put(streamed(text), md5s=frozenset({unix})))
    stored = asyncio.run(store.put(streamed(text), md5s=frozenset({unix}), unix_text=True))
    assert asyncio.run(joined(store.get(stored.key))) == text


def test_binary_with_crlf_has_no_second_name(store, streamed):
    data = b"\0\r\n" * 100
    unix = md5(data.replace(b"\r\n", b"\n"))
    with pytest.raises(DigestMismatch):
        asyncio.run(store.put(streamed(data), md5s=frozenset({unix}), unix_text=True))


def test_it_checks_itself(store):
    store.check()
    assert not [key for key, _ in everything(store) if key.startswith("check/")]


def test_an_unreachable_store_says_so():
    store = S3Store(endpoint="http://127.0.0.1:9", bucket="b", access_key="a", secret_key="s")
    with pytest.raises(ObjectStoreError):
        store.check()


def test_the_folder_sweeps_what_died_and_keeps_what_lives(tmp_path):
    store = FolderStore(tmp_path)
    for name, age in [("dead", 4000), ("alive", 10)]:
        (store.temporary / name).write_bytes(b"x")
        os.utime(store.temporary / name, (time.time() - age,) * 2)
    assert store.sweep() == 1
    assert os.listdir(store.temporary) == ["alive"]


@pytest.mark.parametrize("key", ["../etc/passwd", "sha256/../../x", "/etc/passwd", "tmp/x", "sha256/", ""])
def test_no_key_leads_out_of_the_folder(tmp_path, key):
    with pytest.raises(ObjectMissing):
        FolderStore(tmp_path).head(key, 1)


def test_the_folder_mends_a_damaged_copy(tmp_path, streamed):
    store = FolderStore(tmp_path)
    key = asyncio.run(store.put(streamed(b"right"))).key
    (tmp_path / key).write_bytes(b"wrong")
    assert asyncio.run(store.put(streamed(b"right"))).key == key
    assert store.head(key, 5) == b"right"


def test_a_copy_that_is_there_gives_way_only_to_a_durable_one(tmp_path, streamed, monkeypatch):
    store = FolderStore(tmp_path)
    kept = store.local(asyncio.run(store.put(streamed(b"bytes"))).key)
    before, told = kept.stat().st_ino, os.fsync

    def refuses(_):
        raise OSError(errno.EIO, "the disk is gone")

    monkeypatch.setattr(os, "fsync", refuses)
    with pytest.raises(ObjectStoreError):
        asyncio.run(store.put(streamed(b"bytes")))
    assert (kept.stat().st_ino, leftovers(store)) == (before, 0)
    monkeypatch.setattr(os, "fsync", told)
    asyncio.run(store.put(streamed(b"bytes")))
    assert kept.stat().st_ino != before


def test_a_disk_without_links_keeps_objects_too(tmp_path, streamed, monkeypatch):
    def refuses(*_):
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuses)
    store = FolderStore(tmp_path)
    kept = asyncio.run(store.put(streamed(b"bytes")))
    assert (store.head(kept.key, 9), leftovers(store)) == (b"bytes", 0)


def test_presigned_urls_serve_without_credentials(seaweedfs, streamed):
    import httpx

    store = S3Store(
        endpoint=seaweedfs["COVEY_S3_ENDPOINT"],
        bucket=seaweedfs["COVEY_S3_BUCKET"],
        access_key=seaweedfs["COVEY_S3_ACCESS_KEY"],
        secret_key=seaweedfs["COVEY_S3_SECRET_KEY"],
    )
    key = asyncio.run(store.put(streamed(b"signed"))).key
    url = store.presigned_url(key, seconds=60, filename="naïve.txt")
    assert url is not None
    answer = httpx.get(url, headers={"Range": "bytes=0-1"})
    assert (answer.status_code, answer.content) == (206, b"si")
    assert httpx.get(url.replace("X-Amz-Signature=", "X-Amz-Signature=0")).status_code == 403


@pytest.mark.parametrize("use_obstore", [True, False])
@pytest.mark.parametrize("size", [10, 9 * 1024**2])
@pytest.mark.parametrize(("status", "code"), [(507, "XMinioStorageFull"), (403, "QuotaExceeded")])
def test_a_bucket_without_room_is_told_as_such(streamed, use_obstore, size, status, code):
    with RefusingStore(status, code) as refusing:
        given = refusing.settings
        store = S3Store(
            endpoint=given["COVEY_S3_ENDPOINT"],
            bucket="hub",
            access_key="key",
            secret_key="secret",
            use_obstore=use_obstore,
        )
        with pytest.raises(ObjectStoreError) as raised:
            asyncio.run(store.put(streamed(b"x" * size)))
    assert says_disk_full(raised.value)


def test_small_uploads_at_once_share_the_disk_and_keep_their_own_ends(tmp_path, streamed):
    """One refused among them, two of the same bytes, one empty."""
    store = FolderStore(tmp_path)
    datas = [b"a", b"b", b"wrong", b"a", b""]

    async def together():
        puts = [store.put(streamed(data), md5s=frozenset({md5(data.replace(b"wrong", b"right"))})) for data in datas]
        return await asyncio.gather(*puts, return_exceptions=True)

    heard = asyncio.run(together())
    assert isinstance(heard.pop(2), DigestMismatch)
    assert [one.md5 for one in heard] == [md5(b"a"), md5(b"b"), md5(b"a"), md5(b"")]
    assert {store.head(one.key, 9) for one in heard} == {b"a", b"b", b""}
    assert (len(everything(store)), leftovers(store)) == (3, 0)


def test_what_is_near_and_small_is_read_at_once(tmp_path, streamed):
    store = FolderStore(tmp_path)
    for size in (0, 5, MIB, MIB + 1):
        data = os.urandom(size)
        key = asyncio.run(store.put(streamed(data))).key
        assert store.at_hand(key, size) == (data if size <= MIB else None)
    (tmp_path / key).write_bytes(b"cut")
    with pytest.raises(ObjectStoreError):
        store.at_hand(key, 4)
    with pytest.raises(ObjectMissing):
        store.at_hand("sha256/00/" + "1" * 62, 5)


def test_it_tells_which_of_many_are_here(store, streamed):
    keys = [asyncio.run(store.put(streamed(data))).key for data in (b"one", b"two")]
    absent = "sha256/00/" + "1" * 62
    assert store.present([*keys, absent]) == set(keys)
    assert store.present([]) == set()
