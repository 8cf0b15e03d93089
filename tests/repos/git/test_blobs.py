"""Many blobs at once: bounded in memory, in git processes and in bytes."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from repos.git import cli, read

DATA = [b"", b"a", b"bb" * 30, b"c" * 120, b"dd", b"e" * 100]


@pytest.fixture
def store(tmp_path: Path) -> Path:
    subprocess.run(["git", "init", "-q", "--bare", tmp_path / "r.git"], check=True)
    return tmp_path / "r.git"


@pytest.fixture
def oids(store: Path) -> list[str]:
    write = ["git", f"--git-dir={store}", "hash-object", "-w", "--stdin"]
    return [subprocess.run(write, input=data, capture_output=True, check=True).stdout.decode().strip() for data in DATA]


def test_each_comes_whole_whether_it_is_batched_or_streamed(store, oids, monkeypatch):
    monkeypatch.setattr(read, "BATCH_BYTES", 100)
    sizes = read.blob_sizes(store, oids)
    found = {oid: b"".join(pieces) for oid, pieces in read.each_blob(store, sizes, oids)}
    assert found == dict(zip(oids, DATA, strict=True))


def test_small_ones_share_a_git(store, oids, monkeypatch):
    started = []
    run = cli.run
    monkeypatch.setattr(cli, "run", lambda *args, **options: started.append(args) or run(*args, **options))
    sizes = read.blob_sizes(store, oids)
    started.clear()
    assert len(list(read.each_blob(store, sizes, oids))) == len(DATA)
    assert len(started) == 1


def test_what_is_missing_too_large_or_too_much_is_left_out(oids):
    sizes = {oid: len(data) for oid, data in zip(oids, DATA, strict=True)}
    del sizes[oids[1]]
    assert read.within(sizes, oids, each_bytes=110, all_bytes=1000) == [oids[0], oids[2], oids[4], oids[5]]
    assert read.within(sizes, oids, each_bytes=110, all_bytes=70) == [oids[0], oids[2], oids[4]]
