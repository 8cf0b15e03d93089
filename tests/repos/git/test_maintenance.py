"""Maintenance: quick repositories, nothing lost, the leftovers of killed processes gone."""

from __future__ import annotations

import fcntl
import os
import subprocess
import time
from pathlib import Path

import pytest

from repos.git import commands, maintenance, store
from repos.git.store import RepoStore

AUTHOR = "author A <a@example.org> 1700000000 +0000\ncommitter A <a@example.org> 1700000000 +0000\n"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return RepoStore(tmp_path).create(1)


def write(path: Path, number: int) -> str:
    """One more commit on refs/heads/b<number> and in refs/exps, as loose objects."""
    blob = commands.run(path, "hash-object", "-w", "--stdin", stdin=f"file {number}\n".encode()).decode().strip()
    tree = commands.run(path, "mktree", stdin=f"100644 blob {blob}\tf\n".encode()).decode().strip()
    text = f"tree {tree}\n{AUTHOR}\n{number}\n".encode()
    commit = commands.run(path, "hash-object", "-t", "commit", "-w", "--stdin", stdin=text).decode().strip()
    commands.run(path, "update-ref", f"refs/heads/b{number}", commit)
    commands.run(path, "update-ref", f"refs/exps/aa/{number}", commit)
    return commit


def grow_old(path: Path, seconds: int) -> None:
    for found in [path, *path.rglob("*")]:
        os.utime(found, (time.time() - seconds,) * 2)


def test_it_packs_objects_refs_and_history(path):
    before = {write(path, number) for number in range(60)}
    assert maintenance.repack_is_due(path)
    assert maintenance.maintain(path)
    assert list(path.glob("objects/pack/multi-pack-index-*.bitmap"))
    assert list(path.glob("objects/info/commit-graphs/*.graph"))
    assert not list(path.glob("objects/[0-9a-f][0-9a-f]/*"))
    assert (path / "packed-refs").exists()
    assert set(store.refs(path, "refs/exps/").values()) == before
    assert commands.run(path, "fsck", "--strict", "--connectivity-only") == b""
    assert not maintenance.repack_is_due(path)
    assert maintenance.maintain(path)


def test_it_keeps_what_no_ref_reaches(path):
    commit = write(path, 1)
    write(path, 2)
    commands.run(path, "update-ref", "-d", "refs/heads/b1")
    commands.run(path, "update-ref", "-d", "refs/exps/aa/1")
    maintenance.maintain(path)
    assert commands.run(path, "cat-file", "-t", commit) == b"commit\n"


def test_an_empty_repository_needs_nothing(path):
    assert maintenance.maintain(path)


def test_only_one_maintains_at_a_time(path):
    with open(path / "covey-maintenance", "a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert not maintenance.maintain(path)
    assert maintenance.maintain(path)


def test_it_removes_old_leftovers_and_keeps_young_ones(path):
    (path / "objects/tmp_objdir-incoming-x/pack").mkdir(parents=True)
    (path / "objects/tmp_objdir-incoming-x/pack/tmp_pack_a").write_bytes(b"x")
    (path / "objects/pack/tmp_idx_a").write_bytes(b"x")
    (path / "refs/heads/main.lock").write_bytes(b"")
    (path / "packed-refs.lock").write_bytes(b"")
    assert maintenance.tidy(path) == 0
    grow_old(path, 700)
    assert maintenance.tidy(path) == 2
    grow_old(path, 3700)
    (path / "objects/tmp_objdir-incoming-x/pack/tmp_pack_a").write_bytes(b"still growing")
    assert maintenance.tidy(path) == 1
    grow_old(path, 3700)
    assert maintenance.tidy(path) == 1
    assert not list(path.rglob("tmp_*"))
    assert (path / "HEAD").exists()


def test_what_killed_uploads_and_removals_leave_goes_after_an_hour(path, tmp_path):
    temporary = tmp_path / "tmp"
    left = [temporary / "upload-x", path.parent / "new-x", path.parent / "gone-7.git"]
    for folder in [*left, temporary / "restore-x"]:
        folder.mkdir(parents=True)
        (folder / "part").write_bytes(b"x")
    (temporary / "backup-x.sqlite3").write_bytes(b"x")
    assert maintenance.tidy_temporary(temporary, tmp_path) == 0
    assert maintenance.tidy_temporary(temporary, tmp_path, now=time.time() + 3700) == 4
    assert os.listdir(temporary) == ["restore-x"]  # a person waits for it
    assert os.listdir(path.parent) == [path.name]


def test_a_stale_lock_no_longer_stops_writers(path):
    commit = write(path, 1)
    (path / "refs/heads/b1.lock").write_bytes(b"")
    with pytest.raises(commands.GitError):
        commands.run(path, "update-ref", "refs/heads/b1", commit, "0" * 40)
    grow_old(path / "refs/heads/b1.lock", 700)
    maintenance.tidy(path)
    commands.run(path, "update-ref", "-d", "refs/heads/b1")
    assert subprocess.run(["git", f"--git-dir={path}", "fsck"], capture_output=True).returncode == 0
