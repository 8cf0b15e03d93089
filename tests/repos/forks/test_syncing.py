"""A fork catches up with its parent, and says how far it is behind."""

from __future__ import annotations

import pytest

from hub.lib.errors import Conflict, Denied, NotFound, Unprocessable
from repos import repositories
from repos.forks import upstream
from repos.git.store import refs
from repos.models import Repository
from tests.repos.forks.conftest import forked
from tests.repos.issues.conftest import as_actor, seen
from tests.support.writer import Writer

pytestmark = pytest.mark.django_db


@pytest.fixture
def fork(bob, public, project) -> Repository:
    return forked(bob, public)


def tip(repository: Repository, branch: str = "main") -> str:
    return refs(repository.path)[f"refs/heads/{branch}"]


def standing(user, fork: Repository) -> tuple[int, int] | None:
    found = upstream.standing(as_actor(user), seen(user, fork))
    return (found.ahead, found.behind) if found else None


def mine(fork: Repository, files: dict[str, str], project) -> str:
    made = Writer(fork, fork.path, count=10, tips={"main": project.tips["main"]})
    return made.commit(files, "Mine")


def test_it_tells_how_far_it_is(alice, bob, charlie, public, project, fork):
    assert standing(bob, fork) == (0, 0)
    mine(fork, {"b.txt": "b\n"}, project)
    project.commit({"c.txt": "c\n"}, "Third")
    project.commit({"c.txt": "cc\n"}, "Fourth")
    assert standing(charlie, fork) == (1, 2)
    repositories.update(as_actor(alice), public, private=True)
    assert standing(bob, fork) is None


def test_a_branch_that_is_only_behind_moves_on(bob, project, fork):
    new = project.commit({"c.txt": "c\n"}, "Third")
    done = upstream.sync(as_actor(bob), fork, "main")
    assert (done.kind, done.commit, tip(fork)) == ("fast-forward", new, new)
    assert upstream.sync(as_actor(bob), fork, "main").kind == "none"


def test_a_new_branch_of_the_parent_is_made(bob, project, fork):
    new = project.commit({"c.txt": "c\n"}, "Third", branch="other", start=project.tips["main"])
    assert upstream.sync(as_actor(bob), fork, "other").kind == "fast-forward"
    assert tip(fork, "other") == new


def test_both_sides_are_merged(bob, project, fork):
    ours = mine(fork, {"b.txt": "b\n"}, project)
    theirs = project.commit({"c.txt": "c\n"}, "Third")
    done = upstream.sync(as_actor(bob), fork, "main")
    assert done.kind == "merge"
    assert Writer(fork, fork.path).git("log", "-1", "--format=%P", "main").split() == [ours, theirs]


def test_what_both_changed_is_told_and_nothing_moves(bob, project, fork):
    ours = mine(fork, {"a.txt": "mine\n"}, project)
    project.commit({"a.txt": "theirs\n"}, "Third")
    with pytest.raises(Conflict, match=r"a\.txt"):
        upstream.sync(as_actor(bob), fork, "main")
    assert tip(fork) == ours


def test_a_parent_that_begins_anew_is_told(bob, project, fork):
    ours = mine(fork, {"a.txt": "mine\n"}, project)
    project.git("update-ref", "refs/heads/main", project.commit({"new.txt": "1\n"}, "New", branch="apart"))
    with pytest.raises(Unprocessable, match="no common commit"):
        upstream.sync(as_actor(bob), fork, "main")
    assert tip(fork) == ours


def test_nothing_private_becomes_public_by_it(alice, bob, public, project, fork):
    repositories.update(as_actor(alice), public, private=True)
    public.memberships.create(user=bob, access=1)
    project.commit({"secret.txt": "s\n"}, "Third")
    with pytest.raises(Unprocessable, match="is private by now"):
        upstream.sync(as_actor(bob), fork, "main")


@pytest.mark.parametrize("branch", ["gone", "", "a\0b", "../main", "main:x"])
def test_a_branch_that_is_not_there(bob, fork, branch):
    with pytest.raises(NotFound, match="has no branch"):
        upstream.sync(as_actor(bob), fork, branch)


def test_who_may_not_write_and_what_has_no_parent(alice, bob, charlie, public, fork):
    with pytest.raises(Denied):
        upstream.sync(as_actor(charlie), seen(charlie, fork), "main")
    with pytest.raises(NotFound, match="is gone"):
        upstream.sync(as_actor(alice), seen(alice, public), "main")
    repositories.delete(as_actor(alice), seen(alice, public))
    with pytest.raises(NotFound, match="is gone"):
        upstream.sync(as_actor(bob), fork, "main")


def test_what_a_private_fork_got_of_a_private_parent_stays_private(alice, bob, public, project):
    """It was made while the parent was public, so nothing kept it private until now."""
    fork = forked(bob, public, private=True)
    repositories.update(as_actor(alice), public, private=True)
    public.memberships.create(user=bob, access=1)
    project.commit({"secret.txt": "s\n"}, "Third")
    assert upstream.sync(as_actor(bob), seen(bob, fork), "main").kind == "fast-forward"
    with pytest.raises(Unprocessable, match="stays private"):
        repositories.update(as_actor(bob), seen(bob, fork), private=False)
