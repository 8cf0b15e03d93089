"""Bytes that the sandbox asks for while it works: only what a page needs leaves the store, within a limit."""

from __future__ import annotations

import asyncio
import io
import os
import random
from typing import Any

import numpy
import pyarrow
import pytest
from pyarrow import parquet

from datasets import objects, results, sandboxed
from datasets.dvc import keys
from hub.lib import stores
from hub.lib.objectstore import ObjectMissing, ObjectStoreError, S3Store
from hub.lib.sandbox import Unreadable
from hub.lib.served import ServedFile, served
from tests.datasets.test_contents import pointer


def packed(rows: int, columns: int) -> bytes:
    chance, sink = numpy.random.default_rng(1), io.BytesIO()
    parquet.write_table(pyarrow.table({f"c{n}": chance.normal(size=rows) for n in range(columns)}), sink)
    return sink.getvalue()


@pytest.fixture(scope="module")
def large() -> bytes:
    """32 MB in one row group: 20 columns of 200,000 doubles."""
    return packed(200_000, 20)


def test_a_served_file_reads_like_a_file():
    data, chance = random.Random(1).randbytes(700_000), random.Random(2)
    with served(lambda start, end, again: data[start:end], size=len(data), max_bytes=10**9) as made:
        file = ServedFile(f"/dev/fd/{os.dup(made.socket.fileno())}", len(data))
        file.fetch([(0, 10), (650_000, 700_000), (300_000, 300_500)])
        plain = io.BytesIO(data)
        for _ in range(200):
            place, size = chance.randrange(800_000), chance.choice([0, 1, 500, 300_000, -1])
            assert file.seek(place) == plain.seek(place)
            assert (file.read(size), file.tell()) == (plain.read(size), max(place, plain.tell()))
        file._socket.close()
    assert made.bytes_read < 4 * len(data)  # blocks may overlap


def test_no_more_is_served_than_one_call_may_read(large):
    def read(start: int, end: int, again: bool) -> bytes:
        return large[start:end]

    with served(read, size=len(large), max_bytes=2_000_000) as made, pytest.raises(Unreadable, match="than one page"):
        ask("page", made, large, columns=list(range(20)), offset=0, limit=100)
    assert made.bytes_read > 2_000_000


def test_what_the_store_says_is_said():
    def read(start: int, end: int, again: bool) -> bytes:
        raise ObjectMissing("gone")

    with pytest.raises(ObjectMissing), served(read, size=1_000, max_bytes=10**9) as made:
        ask("about", made, b"x" * 1_000)


def ask(function: str, made: Any, data: bytes, **options: Any) -> Any:
    return sandboxed.call(f"viewing:{function}", descriptors=[made.socket.fileno()], size=len(data), **options)


@pytest.mark.parametrize("offset", [0, 199_950])
def test_of_a_column_only_the_pages_before_the_rows_are_read(large, offset):
    def read(start: int, end: int, again: bool) -> bytes:
        return large[start:end]

    with served(read, size=len(large), max_bytes=10**9) as made:
        answer = ask("page", made, large, columns=[3, 17], offset=offset, limit=100)
    expected = parquet.read_table(io.BytesIO(large), columns=["c3", "c17"]).slice(offset, 100).to_pylist()
    assert answer["rows"] == [[repr(row["c3"]), repr(row["c17"])] for row in expected]
    assert made.bytes_read < (3_500_000 if offset == 0 else 5_000_000)


def test_a_range_of_every_kind_of_store(store, streamed):
    stored = asyncio.run(store.put(streamed(b"0123456789")))
    assert store.read_range(stored.key, 2, 5) == b"234"
    with pytest.raises(ObjectStoreError):
        store.read_range(stored.key, 8, 20)
    with pytest.raises(ObjectMissing):
        store.read_range("sha256/ab/none", 0, 1)


# ---- through the page, from S3 -----------------------------------------------------------------
@pytest.fixture
def asked(seaweedfs, settings, monkeypatch):
    """The hub's store is SeaweedFS; the sizes of the ranges that it is asked for."""
    for name, value in seaweedfs.items():
        setattr(settings, name, value)
    stores.object_store.cache_clear()
    sizes: list[int] = []
    read_range = S3Store.read_range

    def counted(self: S3Store, key: str, start: int, end: int) -> bytes:
        sizes.append(end - start)
        return read_range(self, key, start, end)

    monkeypatch.setattr(S3Store, "read_range", counted)
    yield sizes
    stores.object_store.cache_clear()


@pytest.mark.django_db
def test_the_first_page_of_a_large_table_in_s3_reads_little(
    asked, private, writer, streamed, as_user, bob, large, django_assert_max_num_queries
):
    results.forget(private.pk)
    stored = asyncio.run(stores.object_store().put(streamed(large)))
    objects.publish(private.pk, keys.BUCKET, keys.key_of(stored.md5), stored)
    writer(private).commit({"rows.parquet.dvc": pointer(stored.md5, "rows.parquet", size=len(large))})
    client = as_user(bob)
    address = "/alice/private/datasets/table/main/rows.parquet"
    with django_assert_max_num_queries(16):
        answer = client.get(f"{address}?format=json").json()
    assert (answer["total"], len(answer["rows"])) == (200_000, 100)
    assert 5_000_000 < sum(asked) < 20_000_000
    asked.clear()
    second = client.get(f"{address}?format=json&page=2").json()
    assert second["rows"][0]["row"] == 101
    assert sum(asked) == 0  # the beginnings of the columns are kept here
    waiting = client.get(f"{address}?format=json&filter=c0:gt:3")
    assert waiting.status_code == 202  # a copy is made once, by a job
