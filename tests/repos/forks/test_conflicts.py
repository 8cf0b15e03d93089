"""Conflicts of a fork's branch are resolved in the fork, by who may push there; the base only gives what it has."""

from __future__ import annotations

import pytest

from hub.lib.errors import Conflict, Denied
from repos import editing
from repos.editing import Put
from repos.git.store import refs
from repos.pulls import branches, merging
from repos.pulls.conflicts import listing, resolving
from repos.pulls.conflicts.resolving import Order
from repos.pulls.drivers import Choices
from tests.repos.forks.conftest import forked, settle
from tests.repos.issues.conftest import as_actor, seen
from tests.repos.pulls.conftest import again, propose
from tests.support.writer import Writer

pytestmark = pytest.mark.django_db


@pytest.fixture
def pull(alice, bob, public, project):
    """bob's fork and alice's main have changed the same line."""
    fork = forked(bob, public)
    change = [Put("a.txt", b"bob's\n")]
    start = project.tips["main"]
    editing.commit_changes(fork, as_actor(bob), branch="work", changes=change, message="Mine", start=start)
    editing.commit_changes(
        seen(alice, public), as_actor(alice), branch="main", changes=[Put("a.txt", b"alice's\n")], message="Hers"
    )
    made = propose(bob, public, head="bob:work")
    settle()
    return again(bob, made)


def resolved(user, pull, word="ours"):
    found = listing.listing(pull, *listing.tips(pull), user_id=None)
    choices = {file.digest: Choices(rest=word) for file in found.files}
    return resolving.answer(resolving.begin(as_actor(user), pull, Order(found.ours, found.theirs, choices)))


def test_who_owns_the_fork_resolves_there_and_the_base_merges(alice, bob, public, pull):
    told = resolved(bob, pull)
    assert told["state"] == "done"
    fork = Writer(pull.source, pull.source.path)
    assert fork.git("rev-parse", "work") == told["commit"]
    assert fork.git("show", "work:a.txt") == "bob's"
    assert branches.head_tip(pull) == told["commit"]
    settle()
    merging.merge(as_actor(alice), again(alice, pull), merging.Order())
    assert Writer(public, public.path).git("show", "main:a.txt") == "bob's"


def test_who_may_not_push_to_the_fork_may_not(alice, pull):
    with pytest.raises(Denied):
        resolved(alice, again(alice, pull))


def test_the_base_moved(alice, bob, public, pull):
    found = listing.listing(pull, *listing.tips(pull), user_id=None)
    editing.commit_changes(
        seen(alice, public), as_actor(alice), branch="main", changes=[Put("c.txt", b"c\n")], message="More"
    )
    tip = refs(pull.source.path)["refs/heads/work"]
    choices = {found.files[0].digest: Choices(rest="ours")}
    with pytest.raises(Conflict, match="moved while you chose"):
        resolving.begin(as_actor(bob), pull, Order(found.ours, found.theirs, choices))
    assert refs(pull.source.path)["refs/heads/work"] == tip
