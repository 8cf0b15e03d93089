"""A fork is a copy: what its branches reach and nothing else, and nothing of either is readable through the other."""

from __future__ import annotations

import subprocess

import pytest

from hub.jobs import jobs
from hub.jobs.models import Job
from hub.lib.errors import NotFound, Unprocessable
from repos import repositories
from repos.forks import copying, listing, making
from repos.forks.making import Wish
from repos.git.store import ZERO, RefChange, move_refs, refs
from repos.models import Access, Membership, Repository
from tests.repos.forks.conftest import forked, settle
from tests.repos.issues.conftest import as_actor, seen
from tests.support.writer import Writer

pytestmark = pytest.mark.django_db


def has(repository: Repository, sha: str) -> bool:
    return subprocess.run(["git", f"--git-dir={repository.path}", "cat-file", "-e", sha], check=False).returncode == 0


def test_it_has_the_branches_and_tags(bob, public, project):
    project.git("tag", "-a", "v1", "-m", "One", "main")
    project.git("update-ref", "refs/pull/1/head", project.tips["main"])
    fork = forked(bob, public)
    fork.refresh_from_db()
    assert (fork.full_name, fork.empty, fork.default_branch, fork.parent) == ("bob/public", False, "main", public)
    mine, theirs = refs(fork.path), refs(public.path)
    del theirs["refs/pull/1/head"]
    assert mine == theirs
    assert project.git("rev-parse", "v1") == refs(fork.path)["refs/tags/v1"]
    assert subprocess.run(["git", f"--git-dir={fork.path}", "fsck", "--full", "--strict"], check=False).returncode == 0
    assert not (fork.path / "objects/info/alternates").exists()


def test_what_no_branch_reaches_does_not_come_along(bob, public, project):
    gone = project.commit({"secret.txt": "s\n"}, "Secret", branch="gone", start=project.tips["main"])
    blob = project.git("rev-parse", f"{gone}:secret.txt")
    kept = project.commit({"pull.txt": "p\n"}, "Of a pull request", branch="asked", start=project.tips["main"])
    moves = [("refs/heads/gone", gone, ZERO), ("refs/heads/asked", kept, ZERO), ("refs/pull/3/head", ZERO, kept)]
    move_refs(public.path, [RefChange(*move) for move in moves])
    fork = forked(bob, public)
    assert has(fork, project.tips["main"])
    assert [sha for sha in (gone, blob, kept) if has(fork, sha)] == []


def test_nothing_of_a_fork_is_in_its_parent(bob, public, project):
    fork = forked(bob, public, private=True)
    sha = Writer(fork, fork.path).commit({"b.txt": "b\n"}, "Mine", branch="mine", start=project.tips["main"])
    assert has(fork, sha)
    assert not has(public, sha)


def test_only_the_default_branch_when_asked(bob, public, project):
    project.commit({"b.txt": "b\n"}, "Other", branch="other", start=project.tips["main"])
    project.git("tag", "v1", "main")
    assert set(refs(forked(bob, public, only_default=True).path)) == {"refs/heads/main"}


def test_ones_own_is_found_again(bob, charlie, public, project):
    fork = forked(bob, public)
    again, new = making.fork(as_actor(bob), seen(bob, public), Wish("another"))
    assert (again, new) == (fork, False)
    of_fork = forked(charlie, fork)
    assert (of_fork.parent, of_fork.network) == (fork, public.pk)
    assert making.fork(as_actor(charlie), seen(charlie, public), Wish()) == (of_fork, False)
    with pytest.raises(Unprocessable, match="yours already"):
        making.fork(as_actor(bob), fork, Wish())


def test_a_taken_name_says_so_and_another_works(bob, public, project):
    Repository.objects.create(owner=bob.owner, name="public")
    with pytest.raises(Unprocessable, match="bob/public already exists"):
        making.fork(as_actor(bob), seen(bob, public), Wish())
    assert forked(bob, public, name="another").full_name == "bob/another"


def test_nothing_is_forked_that_is_empty_or_ones_own(alice, bob, public, project):
    with pytest.raises(Unprocessable, match="yours already"):
        making.fork(as_actor(alice), seen(alice, public), Wish())
    Repository.objects.filter(pk=public.pk).update(empty=True)
    with pytest.raises(Unprocessable, match="no commits"):
        making.fork(as_actor(bob), seen(bob, public), Wish())


def test_a_private_one_stays_private(alice, bob, private, writer):
    writer(private).commit({"a": "a\n"}, "First")
    with pytest.raises(Unprocessable, match="is private"):
        making.fork(as_actor(bob), seen(bob, private), Wish(private=False))
    fork = forked(bob, private)
    assert (fork.private, fork.kept_private) == (True, True)
    with pytest.raises(Unprocessable, match="stays private"):
        repositories.update(as_actor(bob), fork, private=False)
    repositories.delete(as_actor(alice), private)
    with pytest.raises(Unprocessable, match="stays private"):
        repositories.update(as_actor(bob), fork, private=False)


def test_it_may_be_public_once_its_parent_is(alice, bob, private, writer):
    writer(private).commit({"a": "a\n"}, "First")
    fork = forked(bob, private)
    repositories.update(as_actor(alice), private, private=False)
    assert not repositories.update(as_actor(bob), fork, private=False).private


def test_a_private_fork_of_a_public_one_is_its_owners_to_show(bob, public, project):
    fork = forked(bob, public, private=True)
    assert (fork.private, fork.kept_private) == (True, False)
    assert not repositories.update(as_actor(bob), fork, private=False).private


def test_a_fork_that_one_may_not_read_is_neither_listed_nor_counted(alice, bob, charlie, public, project):
    forked(bob, public, private=True)
    shown = forked(charlie, public)
    public.refresh_from_db()
    assert list(listing.forks_of(as_actor(alice), public)) == [shown]
    assert (listing.count(as_actor(alice), public), listing.count(as_actor(bob), public)) == (1, 2)


@pytest.mark.parametrize("after", ["access", "deleted"])
def test_it_fails_when_the_parent_may_not_be_read_any_more(alice, bob, private, writer, after):
    writer(private).commit({"a": "a\n"}, "First")
    fork, _ = making.fork(as_actor(bob), seen(bob, private), Wish())
    if after == "access":
        Membership.objects.filter(repository=private, user=bob).delete()
    else:
        repositories.delete(as_actor(alice), private)
    settle()
    job = copying.job_of(fork)
    assert job
    assert (job.state, "may not read it any more" in job.error) == (Job.State.FAILED, True)
    assert refs(fork.path) == {}


def test_a_failed_copy_is_tried_again(bob, private, writer):
    writer(private).commit({"a": "a\n"}, "First")
    fork, _ = making.fork(as_actor(bob), seen(bob, private), Wish())
    Membership.objects.filter(repository=private, user=bob).delete()
    settle()
    Membership.objects.create(repository=private, user=bob, access=Access.READ)
    copying.again(fork)
    settle()
    assert copying.job_of(fork) is None
    assert set(refs(fork.path)) == {"refs/heads/main"}


def test_a_copy_runs_twice_and_leaves_what_was_pushed_meanwhile(bob, public, project, writer):
    fork, _ = making.fork(as_actor(bob), seen(bob, public), Wish())
    mine = writer(fork).commit({"b": "b\n"}, "Mine")
    project.commit({"c": "c\n"}, "Other", branch="other", start=project.tips["main"])
    settle()
    jobs.restart(Job.objects.get(kind=copying.COPY))
    settle()
    assert refs(fork.path) == {"refs/heads/main": mine, "refs/heads/other": project.tips["other"]}


def test_either_goes_without_the_other(alice, bob, public, project):
    fork = forked(bob, public)
    repositories.delete(as_actor(alice), seen(alice, public))
    settle()
    assert has(fork, project.tips["main"])
    assert not public.path.exists()
    with pytest.raises(NotFound):
        seen(bob, public)
