"""Edits without a clone: whole or not at all, never over somebody else's change, never outside the tree."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.accounts.actor import ANONYMOUS, Actor
from hub.jobs.models import Outbox
from hub.lib.errors import Conflict, Denied, NotFound, Unauthenticated, Unprocessable
from repos import content, editing
from repos.content import Entry
from repos.editing import ABSENT, Delete, Put, Rename
from repos.git import writing
from repos.models import Push, Repository
from repos.storage import store

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("git_root")]


@pytest.fixture
def repo(private: Repository) -> Repository:
    store().create(private.pk)
    return private


def git(repository: Repository, *arguments: str) -> str:
    command = ["git", f"--git-dir={repository.path}", *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def commit(repository, actor, *changes, branch="main", **options):
    return editing.commit_changes(repository, actor, branch=branch, changes=changes, **options)


@pytest.fixture
def writer(bob) -> Actor:
    return Actor(user=bob, session=True)


def files(repository, rev="main") -> dict[str, str]:
    names = git(repository, "ls-tree", "-r", "--name-only", rev).splitlines()
    return {name: git(repository, "show", f"{rev}:{name}") for name in names}


def test_it_makes_the_first_commit_of_an_empty_repository(repo, writer):
    tip = commit(repo, writer, Put("src/train.py", b"print(1)\n"), Put("README.md", b"# Hi\n"), message="Begin")
    assert git(repo, "rev-parse", "main") == tip
    assert git(repo, "rev-list", "--count", "main") == "1"
    assert files(repo) == {"README.md": "# Hi", "src/train.py": "print(1)"}
    assert git(repo, "log", "-1", "--format=%an <%ae>|%s") == "bob <bob@example.org>|Begin"
    git(repo, "fsck", "--full", "--strict")


def test_it_publishes_like_a_push(repo, writer):
    tip = commit(repo, writer, Put("a", b"1"))
    push = Push.objects.get(repository=repo)
    assert (push.state, push.via, push.user) == ("done", "web", writer.user)
    assert push.updates.get().new == tip
    assert Outbox.objects.filter(topic="repos.pushed", payload__push_id=push.pk).exists()
    repo.refresh_from_db()
    assert not repo.empty


def test_it_edits_renames_and_deletes_in_one_commit(repo, writer):
    commit(repo, writer, Put("a/one", b"1"), Put("a/two", b"2"), Put("three", b"3"))
    commit(repo, writer, Put("a/one", b"uno"), Rename("a/two", "b/deep/two"), Delete("three"))
    assert files(repo) == {"a/one": "uno", "b/deep/two": "2"}
    assert git(repo, "rev-list", "--count", "main") == "2"


def test_it_renames_a_file_into_a_folder_of_its_own_name(repo, writer):
    commit(repo, writer, Put("model", b"1"))
    commit(repo, writer, Rename("model", "model/weights"))
    assert files(repo) == {"model/weights": "1"}


def test_a_folder_left_empty_disappears(repo, writer):
    commit(repo, writer, Put("a/b/c", b"1"), Put("x", b"1"))
    commit(repo, writer, Delete("a/b/c"))
    assert files(repo) == {"x": "1"}


def test_it_deletes_the_last_file(repo, writer):
    commit(repo, writer, Put("x", b"1"))
    commit(repo, writer, Delete("x"))
    assert files(repo) == {}
    git(repo, "fsck", "--full", "--strict")


def test_it_keeps_the_executable_bit(repo, writer):
    commit(repo, writer, Put("run.sh", b"1"))
    tree = subprocess.run(
        ["git", f"--git-dir={repo.path}", "mktree"],
        input=f"100755 blob {git(repo, 'rev-parse', 'main:run.sh')}\trun.sh\n",
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()
    made = git(repo, "-c", "user.name=a", "-c", "user.email=a@b", "commit-tree", tree, "-p", "main", "-m", "x")
    git(repo, "update-ref", "refs/heads/main", made)
    commit(repo, writer, Put("run.sh", b"2"))
    assert git(repo, "ls-tree", "main").startswith("100755")


def test_nothing_changed_makes_no_commit(repo, writer):
    tip = commit(repo, writer, Put("a", b"1"))
    assert commit(repo, writer, Put("a", b"1")) == tip
    assert Push.objects.count() == 1


def test_it_takes_large_files_from_disk(repo, writer, tmp_path):
    large = tmp_path / "large"
    large.write_bytes(b"x" * 9_000_000)
    commit(repo, writer, Put("large", large))
    assert git(repo, "cat-file", "-s", "main:large") == "9000000"


def test_it_refuses_a_stale_edit(repo, writer):
    commit(repo, writer, Put("a", b"1"))
    seen = git(repo, "rev-parse", "main:a")
    tip = commit(repo, writer, Put("a", b"2"))
    for stale in [Put("a", b"3", expected=seen), Delete("a", expected=seen), Rename("a", "b", expected=seen)]:
        with pytest.raises(Conflict):
            commit(repo, writer, stale)
    assert git(repo, "rev-parse", "main") == tip


def test_it_refuses_to_bring_back_what_was_deleted(repo, writer):
    commit(repo, writer, Put("a", b"1"), Put("b", b"1"))
    seen = git(repo, "rev-parse", "main:a")
    commit(repo, writer, Delete("a"))
    with pytest.raises(Conflict):
        commit(repo, writer, Put("a", b"3", expected=seen))


def test_it_refuses_to_create_over_a_file(repo, writer):
    commit(repo, writer, Put("a", b"1"), Put("b", b"2"))
    with pytest.raises(Conflict):
        commit(repo, writer, Put("a", b"2", expected=ABSENT))
    with pytest.raises(Conflict):
        commit(repo, writer, Rename("a", "b"))


def test_an_old_tip_matters_only_for_the_same_file(repo, writer):
    old = commit(repo, writer, Put("a", b"1"), Put("b", b"1"))
    commit(repo, writer, Put("a", b"2"))
    commit(repo, writer, Put("b", b"2"), expected_tip=old)
    assert files(repo) == {"a": "2", "b": "2"}
    with pytest.raises(Conflict):
        commit(repo, writer, Put("a", b"3"), expected_tip=old)
    with pytest.raises(Conflict):
        commit(repo, writer, Put("b", b"3"), expected_tip=old, exact_tip=True)


def test_a_tip_of_another_history_is_a_conflict(repo, writer):
    commit(repo, writer, Put("a", b"1"))
    for unknown in ["1" * 40, "0" * 40]:
        with pytest.raises(Conflict):
            commit(repo, writer, Put("a", b"3"), expected_tip=unknown)


def test_two_writers_at_once_both_win_on_different_files(repo, writer, alice, monkeypatch):
    """The second edit lands between our reading the tip and our swap: ours is made again on top."""
    commit(repo, writer, Put("a", b"1"))
    publish, raced = editing.publishing.publish, []

    def racing(*args, **options):
        if not raced:
            raced.append(True)
            commit(repo, Actor(user=alice), Put("theirs", b"1"))
        return publish(*args, **options)

    monkeypatch.setattr(editing.publishing, "publish", racing)
    commit(repo, writer, Put("ours", b"1"))
    assert files(repo) == {"a": "1", "theirs": "1", "ours": "1"}


def test_new_branches_begin_where_they_are_told(repo, writer):
    tip = commit(repo, writer, Put("a", b"1"))
    with pytest.raises(NotFound):
        commit(repo, writer, Put("b", b"1"), branch="topic")
    commit(repo, writer, Put("b", b"1"), branch="topic", start=tip)
    assert files(repo, "topic") == {"a": "1", "b": "1"}
    assert files(repo) == {"a": "1"}


HOSTILE = [
    *("", "/", "/etc/passwd", "a//b", "a/", "../x", "a/../../x", "a/..", ".", "./a", "..", "a/./b", "a\0b", "a\nb"),
    *(".git", ".git/config", ".GIT/config", "a/.git/hooks/x", ".git ", ".git.", "git~1", "GIT~1/x", ".g\u200cit/x"),
    *(".git::$INDEX_ALLOCATION/x", "a\\..\\b", ".git\\config", "..\\x", "x" * 256, "a/" * 70 + "b", "\udc80x", "\x7f"),
]


@pytest.mark.parametrize("path", HOSTILE)
def test_it_refuses_hostile_names(repo, writer, path):
    for change in [Put(path, b"x"), Delete(path), Rename("a", path)]:
        with pytest.raises(Unprocessable):
            commit(repo, writer, change)
    assert git(repo, "for-each-ref") == ""


@given(st.text(max_size=30))
def test_any_name_is_refused_or_stays_below_the_root(path):
    try:
        parts = writing.parts_of(path)
    except writing.BadPath:
        return
    assert b"/".join(parts).decode("utf-8", "surrogateescape") == path
    assert not any(part.lower().strip(b" .") in {b"", b".git", b"git~1", b"git"} and part[:1] == b"." for part in parts)


@pytest.mark.parametrize("name", ["ünïcode/日本語.txt", "with space", "#1?.txt", "-rf", "--help", "a:b", "x" * 255])
def test_it_takes_unusual_names(repo, writer, name):
    commit(repo, writer, Put(name, b"1"))
    out = subprocess.run(
        ["git", f"--git-dir={repo.path}", "ls-tree", "-rz", "--name-only", "main"], capture_output=True, check=True
    )
    assert out.stdout.decode() == name + "\0"


@pytest.fixture
def linked(repo, writer, tmp_path) -> tuple[Repository, Path]:
    """main holds `evil`, a symbolic link to a folder outside (Gogs CVE-2025-8110)."""
    target = tmp_path / "scratch"
    target.mkdir()
    commit(repo, writer, Put("evil", str(target).encode()))
    oid = git(repo, "rev-parse", "main:evil")
    line = f"120000 blob {oid}\tevil\n"
    tree = subprocess.run(
        ["git", f"--git-dir={repo.path}", "mktree"], input=line, capture_output=True, text=True, check=True
    ).stdout.strip()
    made = git(repo, "-c", "user.name=a", "-c", "user.email=a@b", "commit-tree", tree, "-p", "main", "-m", "link")
    git(repo, "update-ref", "refs/heads/main", made)
    return repo, target


def test_a_link_is_replaced_and_never_followed(linked, writer):
    repo, target = linked
    with pytest.raises(Unprocessable):
        commit(repo, writer, Put("evil/pwned", b"x"))
    commit(repo, writer, Put("evil", b"now a file"))
    assert git(repo, "ls-tree", "main").startswith("100644")
    assert list(target.iterdir()) == []


def test_a_folder_or_file_in_the_way_is_said(repo, writer):
    commit(repo, writer, Put("a/b", b"1"), Put("c", b"1"))
    for change in [Put("a", b"1"), Put("c/d", b"1")]:
        with pytest.raises(Unprocessable, match=r"folder"):
            commit(repo, writer, change)


def test_it_refuses_one_path_twice(repo, writer):
    with pytest.raises(Unprocessable):
        commit(repo, writer, Put("a", b"1"), Put("a", b"2"))


def test_what_is_not_there_cannot_be_deleted(repo, writer):
    commit(repo, writer, Put("a", b"1"))
    with pytest.raises(NotFound):
        commit(repo, writer, Delete("b"))
    with pytest.raises(NotFound):
        commit(repo, writer, Rename("a/x", "b"))


def test_readers_and_strangers_may_not_write(repo, charlie, public):
    store().create(public.pk)
    with pytest.raises(NotFound):
        commit(repo, Actor(user=charlie), Put("a", b"1"))
    with pytest.raises(Denied):
        commit(public, Actor(user=charlie), Put("a", b"1"))
    with pytest.raises(Unauthenticated):
        commit(public, ANONYMOUS, Put("a", b"1"))
    assert git(public, "for-each-ref") == ""


@pytest.mark.parametrize("branch", ["-x", "a..b", "a b", "HEAD", "x.lock", "a~1"])
def test_it_refuses_bad_branch_names(repo, writer, branch):
    with pytest.raises(Unprocessable):
        commit(repo, writer, Put("a", b"1"), branch=branch)


class Tracks:
    """A source that tracks data/images and everything below it."""

    def listing(self, repository, commit, directory):
        return []

    def stat(self, repository, commit, path):
        tracked = path == "data/images"
        return Entry(path, "dir", "0" * 32, versioning="dvc", pointer="data/images.dvc") if tracked else None

    def open(self, repository, commit, path):
        return None


def test_it_refuses_paths_that_dvc_tracks(repo, writer, registering):
    commit(repo, writer, Put("README", b"1"))
    content.register(Tracks())
    for path in ["data/images", "data/images/1.png"]:
        with pytest.raises(Unprocessable, match="DVC"):
            commit(repo, writer, Put(path, b"1"))
    commit(repo, writer, Put("data/other", b"1"))


def test_no_quarantine_is_left_behind(repo, writer):
    commit(repo, writer, Put("a", b"1"))
    with pytest.raises(Conflict):
        commit(repo, writer, Put("a", b"1", expected=ABSENT))
    assert not [path for path in (repo.path / "objects").iterdir() if path.name.startswith("tmp")]
