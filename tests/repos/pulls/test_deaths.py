"""A hub that is killed at any point of a merge: whoever comes next (push event, beat, attempt, page) settles it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from repos import publishing
from repos.git.store import refs
from repos.pulls import building, heads, merging, opening, tasks
from repos.pulls.merging import Order
from repos.pulls.models import PullRequest
from tests.repos.issues.conftest import as_actor
from tests.repos.pulls.conftest import Died, again, deliver, dying, killed

pytestmark = pytest.mark.django_db


def a_minute_later() -> None:
    PullRequest.objects.filter(merged=None).update(claimed=timezone.now() - timedelta(minutes=5))


POINTS = {
    "claimed": (building, "built"),
    "commit made": (merging, "_write_ahead"),
    "written ahead": (publishing, "publish"),
    "swapped": (merging, "finish"),
    "merged": (heads, "delete_if_wanted"),
}
BEFORE_THE_SWAP = ("claimed", "commit made", "written ahead")


@pytest.fixture(params=POINTS)
def point(request) -> str:
    return request.param


@pytest.fixture
def left(method, point, alice, project, proposed) -> PullRequest:
    """A merge, wanted with its branch deleted, that died at a point."""
    pull = proposed()
    project.commit({"b.txt": "changed\n"}, "Meanwhile")
    with dying(*POINTS[point]):
        merging.merge(as_actor(alice), again(alice, pull), Order(method=method, delete_branch=True))
    return pull


def by_events(alice, pull):
    deliver()


def by_the_beat(alice, pull):
    tasks.reconcile_merges()
    deliver()


def by_who_looks(alice, pull):
    opening.pull_of(again(alice, pull).repository, pull.number)
    deliver()


def by_another_attempt(alice, pull):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(building, "built", killed)  # it settles before it builds anything
        try:
            merging.merge(as_actor(alice), again(alice, pull), Order())
        except (Died, merging.Conflict):
            a_minute_later()
    by_the_beat(alice, pull)


@pytest.mark.parametrize(
    ("method", "settle"),
    [("merge", by_events), ("squash", by_the_beat), ("rebase", by_who_looks), ("rebase", by_another_attempt)],
)
def test_it_is_merged_exactly_when_the_base_has_it_and_its_branch_goes(alice, private, project, point, left, settle):
    a_minute_later()
    settle(alice, left)
    swapped = point not in BEFORE_THE_SWAP
    if swapped or settle is not by_events:  # a claim without a swap makes no event
        assert PullRequest.objects.get().claimed is None
    now = again(alice, left)
    assert (now.issue.state, now.claimed) == ("merged" if swapped else "open", None)
    assert ("refs/heads/work" in refs(private.path)) is not swapped
    if swapped:
        assert (now.merged_by, now.delete_branch) == (alice, False)
        kinds = [entry.kind for entry in now.issue.entries.order_by("pk")]
        assert kinds == ["merged", "head_deleted"]
        assert now.issue.entries.first().author == alice
        assert project.git("log", "--format=%s", "main").count("Rewrite a line (#1)") <= 1
    else:
        commit = merging.merge(as_actor(alice), now, Order(method="rebase"))
        assert project.git("rev-parse", "main") == commit
    assert project.git("show", "main:b.txt") == "changed"
    assert "line three" in project.git("show", "main:a.txt")
