"""Repositories on disk: made, filled through a quarantine, refs moved by compare and swap."""

from __future__ import annotations

from pathlib import Path

import pytest
from dulwich.object_store import DiskObjectStore
from dulwich.objects import Blob, Commit, Tree

from repos.git import commands, store
from repos.git.store import ZERO, ObjectsRefused, RefChange, RefMoved, RepositoryMissing, RepoStore


@pytest.fixture
def repositories(tmp_path: Path) -> RepoStore:
    made = RepoStore(tmp_path)
    made.create(7)
    return made


def commit_in(quarantine: store.Quarantine, name: bytes = b"a.txt", text: bytes = b"hello") -> str:
    objects = DiskObjectStore(str(quarantine.objects))
    blob, tree, commit = Blob.from_string(text), Tree(), Commit()
    tree.add(name, 0o100644, blob.id)
    commit.tree, commit.message = tree.id, b"first"
    commit.author = commit.committer = b"Alice <alice@example.org>"
    commit.author_time = commit.commit_time = 1_700_000_000
    commit.author_timezone = commit.commit_timezone = 0
    for made in (blob, tree, commit):
        objects.add_object(made)
    return commit.id.decode()


def leftovers(path: Path) -> list[Path]:
    return [*path.glob("objects/tmp_*"), *path.glob("objects/pack/tmp_*"), *path.rglob("*.lock")]


def test_it_publishes_new_objects_as_one_pack(repositories):
    with repositories.quarantine(7) as quarantine:
        commit = commit_in(quarantine)
        repositories.publish(7, quarantine, [RefChange("refs/heads/main", ZERO, commit)])
    path = repositories.open_for_read(7)
    assert store.refs(path) == {"refs/heads/main": commit}
    assert commands.run(path, "cat-file", "-p", "HEAD:a.txt") == b"hello"
    assert len(list(path.glob("objects/pack/*.pack"))) == 1
    assert not leftovers(path)


def test_it_forgets_what_is_not_published(repositories):
    with repositories.quarantine(7) as quarantine:
        commit = commit_in(quarantine)
        assert {name for name, _ in quarantine.new_objects()} >= {commit}
    assert not leftovers(repositories.open_for_read(7))


def test_it_moves_no_ref_when_one_of_them_moved_before(repositories):
    with repositories.quarantine(7) as quarantine:
        commit = commit_in(quarantine)
        repositories.publish(7, quarantine, [RefChange("refs/heads/main", ZERO, commit)])
    path = repositories.open_for_write(7)
    changes = [RefChange("refs/heads/new", ZERO, commit), RefChange("refs/heads/main", "1" * 40, commit)]
    with pytest.raises(RefMoved):
        repositories.publish(7, None, changes)
    with pytest.raises(RefMoved):
        store.move_refs(path, changes)
    assert store.refs(path) == {"refs/heads/main": commit}


def test_it_refuses_hostile_trees_without_a_trace(repositories):
    with repositories.quarantine(7) as quarantine:
        commit = commit_in(quarantine, name=b".git")
        with pytest.raises(ObjectsRefused, match="hasDotgit"):
            repositories.publish(7, quarantine, [RefChange("refs/heads/main", ZERO, commit)])
    path = repositories.open_for_read(7)
    assert store.refs(path) == {}
    assert not list(path.glob("objects/pack/*"))
    assert not leftovers(path)


def test_it_deletes_a_ref(repositories):
    with repositories.quarantine(7) as quarantine:
        commit = commit_in(quarantine)
        repositories.publish(7, quarantine, [RefChange("refs/heads/main", ZERO, commit)])
    repositories.publish(7, None, [RefChange("refs/heads/main", commit, ZERO)])
    assert store.refs(repositories.open_for_read(7)) == {}


def test_creating_twice_changes_nothing(repositories):
    before = (repositories.open_for_read(7) / "HEAD").stat().st_mtime_ns
    path = repositories.create(7, default_branch="other")
    assert (path / "HEAD").stat().st_mtime_ns == before


def test_a_lost_folder_is_an_error_not_an_empty_repository(repositories):
    repositories.remove(7)
    repositories.remove(7)
    with pytest.raises(RepositoryMissing):
        repositories.open_for_read(7)
