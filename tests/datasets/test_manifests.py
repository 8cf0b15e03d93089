"""Manifests: the same bytes as DVC writes, read as a stream, paged from an index."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from datasets.dvc import manifests
from datasets.dvc.manifests import BadManifest, Item, Manifest


def md5(text: str) -> str:
    return hashlib.md5(text.encode()).hexdigest()


async def chopped(data: bytes, size: int):
    for start in range(0, len(data), size):
        yield data[start : start + size]


def read(data: bytes, size: int = 7) -> list[tuple[str, str]]:
    async def all_of():
        return [entry async for entry in manifests.entries(chopped(data, size))]

    return asyncio.run(all_of())


def index(tmp_path, *pairs: tuple[str, str]) -> Manifest:
    place = tmp_path / "index.sqlite"
    asyncio.run(manifests.build(chopped(manifests.dumps(pairs), 1000), place))
    assert os.listdir(tmp_path) == ["index.sqlite"]
    return Manifest(place)


def test_it_writes_the_bytes_of_dvc():
    from dvc_data.hashfile.hash_info import HashInfo
    from dvc_data.hashfile.tree import Tree

    pairs = [("b/ünï 文件+%.txt", md5("1")), ("a.txt", md5("2")), ("b", md5("3")), ("b.c", md5("4")), ("A", md5("5"))]
    tree = Tree()
    for path, name in pairs:
        tree.add(tuple(path.split("/")), None, HashInfo("md5", name))
    assert manifests.dumps(pairs) == tree.as_bytes()


paths = st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\\"), min_size=1, max_size=12).map(
    lambda text: "f" + text.replace("/", "_")
)


@settings(max_examples=100, deadline=None)
@given(st.dictionaries(paths, st.integers(0, 9).map(lambda n: md5(str(n))), max_size=20), st.integers(1, 50))
def test_reading_undoes_writing_however_it_is_cut(pairs, size):
    assert dict(read(manifests.dumps(pairs.items()), size)) == pairs


@settings(max_examples=300, deadline=None)
@given(
    st.binary(max_size=200)
    | st.text(alphabet='[]{},:" \\md5relpath0', max_size=200).map(str.encode)
    | st.lists(
        st.dictionaries(st.sampled_from(["md5", "relpath", "x"]), st.none() | st.integers() | st.text(max_size=9)),
        max_size=4,
    ).map(lambda value: json.dumps(value).encode()),
    st.integers(1, 60),
)
def test_any_bytes_are_read_or_refused(data, size):
    try:
        found = read(data, size)
    except BadManifest:
        return
    for path, name in found:
        assert len(name) == 32
        assert ".." not in path.split("/")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{}",
        b"[",
        b"[[[[",
        b'[{"md5": "x"}',
        b'[{"md5": 1, "relpath": "x"}]',
        b"[1]",
        b"\xff",
        b"[" * 1_000_000,
        b'[{"relpath": "' + b"x" * 3_000_000,
        b'[{"n": ' + b"9" * 30_000 + b"}]",
        b"[] trailing",
    ],
)
def test_it_refuses_what_is_no_manifest(data):
    with pytest.raises(BadManifest):
        read(data, 65_536)


@pytest.mark.parametrize("path", ["../x", "/x", "a//b", "a/./b", "", ".", "a/", "a\\b", "a\0b", ".git/x", "\ud800"])
def test_it_passes_over_hostile_paths(path):
    good = {"md5": md5("1"), "relpath": "ok"}
    assert read(json.dumps([{"md5": md5("1"), "relpath": path}, good]).encode()) == [("ok", md5("1"))]


def test_the_index_lists_and_finds(tmp_path):
    manifest = index(tmp_path, ("b.txt", md5("1")), ("a/x.txt", md5("2")), ("a/c/y.txt", md5("3")), ("z.txt", md5("1")))
    assert list(manifest.children("")) == [Item("a", ""), Item("b.txt", md5("1")), Item("z.txt", md5("1"))]
    assert list(manifest.children("a")) == [Item("c", ""), Item("x.txt", md5("2"))]
    assert list(manifest.children("nothing")) == []
    assert manifest.find("a/c/y.txt") == Item("y.txt", md5("3"))
    assert manifest.find("a/c") == Item("c", "")
    assert manifest.find("a/no") is None
    assert manifest.find("a/\udcff") is None
    assert manifest.count() == 4
    whole = list(manifest.children(""))
    for start in range(5):
        for limit in range(5):
            assert list(manifest.children("", start, limit)) == whole[start : start + limit]
    assert (manifest.count_children(""), manifest.count_children("a"), manifest.count_children("no")) == (3, 2, 0)
    assert dict(manifest.md5s()) == {md5("1"): 2, md5("2"): 1, md5("3"): 1}
    assert sorted(path for path, _ in manifest.files()) == ["a/c/y.txt", "a/x.txt", "b.txt", "z.txt"]


def test_a_bad_manifest_leaves_no_index(tmp_path):
    with pytest.raises(BadManifest):
        asyncio.run(manifests.build(chopped(b'[{"md5": "x"', 5), tmp_path / "i.sqlite"))
    assert os.listdir(tmp_path) == []


def test_a_large_manifest_needs_little_memory(tmp_path):
    data = manifests.dumps((f"d{n % 50}/f{n}.png", md5(str(n))) for n in range(100_000))
    tracemalloc.start()
    asyncio.run(manifests.build(chopped(data, 1 << 20), tmp_path / "i.sqlite"))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(data) > 7_000_000
    assert peak < 20_000_000
    assert Manifest(tmp_path / "i.sqlite").count() == 100_000
