"""Merging by rebase: each commit replayed on the base, its author kept, and still merged exactly once."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from hub.lib.errors import Unprocessable
from repos import publishing
from repos.pulls import branches, building, drivers, merging, tasks
from repos.pulls.building import CannotMerge
from repos.pulls.drivers import Outcome
from repos.pulls.merging import Order
from repos.pulls.models import PullRequest
from tests.repos.issues.conftest import as_actor
from tests.repos.pulls.conftest import TEXT, again, deliver, dying

pytestmark = pytest.mark.django_db
REBASE = Order(method="rebase")


def log(project, asked: str, form: str = "%s") -> list[str]:
    return project.git("log", "--reverse", f"--format={form}", asked).splitlines()


def test_every_commit_is_replayed_with_its_author(bob, project, proposed):
    project.commit({"c.txt": "c\n"}, "Add c\n\nWhy.", branch="work")
    base = project.commit({"b.txt": "changed\n"}, "Meanwhile")
    commit = merging.merge(as_actor(bob), again(bob, proposed()), REBASE)
    assert project.git("rev-parse", "main") == commit
    assert log(project, f"{base}..main") == ["Rewrite", "Add c"]
    assert log(project, f"{base}..main", "%an %at") == log(project, f"{base}..work", "%an %at")
    assert set(log(project, f"{base}..main", "%cn")) == {"bob"}
    assert project.git("show", "-s", "--format=%b", commit) == "Why."
    assert "line three" in project.git("show", "main:a.txt")
    assert project.git("show", "main:b.txt") == "changed"
    assert project.git("fsck", "--full", "--strict", "--unreachable") == ""
    done = again(bob, only())
    assert (done.issue.state, done.merge_commit, done.base_id, done.method) == ("merged", commit, base, "rebase")


def only() -> PullRequest:
    return PullRequest.objects.select_related("issue__repository__owner").get()


def test_it_is_replayed_also_where_nothing_happened_meanwhile(bob, project, proposed):
    commit = merging.merge(as_actor(bob), again(bob, proposed()), REBASE)
    assert commit != project.tips["work"]
    assert log(project, "main^..main", "%an %cn") == [f"{log(project, 'work^..work', '%an')[0]} bob"]


def test_merges_in_between_and_what_the_base_has_already_are_dropped(alice, project, proposed):
    project.commit({"c.txt": "c\n"}, "Same", branch="work")
    base = project.commit({"c.txt": "c\n"}, "Same here")
    tree = project.git("merge-tree", "--write-tree", "work", "main")
    merged = project.git("commit-tree", tree, "-p", "work", "-p", "main", "-m", "Merge main")
    project.git("update-ref", "refs/heads/work", merged)
    blob = project.git("hash-object", "-w", "--stdin", stdin=b"root\n")
    rooted = project.git("mktree", stdin=f"100644 blob {blob}\troot.txt\n".encode())
    root = project.git("commit-tree", rooted, "-m", "Rooted")  # another history, merged in as well
    other = project.git("commit-tree", tree, "-p", merged, "-p", root, "-m", "Merge other")
    project.git("update-ref", "refs/heads/work", other)
    merging.merge(as_actor(alice), again(alice, proposed()), REBASE)
    assert sorted(log(project, f"{base}..main")) == ["Rewrite", "Rooted"]
    assert project.git("show", "main:root.txt") == "root"
    with pytest.raises(Unprocessable, match="nothing to merge"):
        merging.merge(as_actor(alice), again(alice, proposed(title="Again")), REBASE)


def test_a_change_that_the_base_took_already_is_passed_over_as_git_rebase_does(alice, project, proposed):
    project.commit({"a.txt": TEXT.replace("line 3\n", "line three\n"), "new.txt": "new\n"}, "Picked from work")
    base = project.commit({"a.txt": TEXT.replace("line 3\n", "line 3, again\n")}, "Then changed")
    project.commit({"c.txt": "c\n"}, "More", branch="work")
    merging.merge(as_actor(alice), again(alice, proposed()), REBASE)
    assert log(project, f"{base}..main") == ["More"]


def test_a_conflict_names_the_commit_and_the_way_out(alice, project, proposed):
    project.commit({"a.txt": TEXT.replace("line 3\n", "line 3!\n")}, "Meanwhile")
    tip = project.git("rev-parse", "main")
    with pytest.raises(CannotMerge, match=r"in commit [0-9a-f]{7} “Rewrite”") as caught:
        merging.merge(as_actor(alice), again(alice, proposed()), REBASE)
    assert "git rebase origin/main" in caught.value.details
    assert (project.git("rev-parse", "main"), only().claimed) == (tip, None)


def test_too_many_commits_are_refused_with_the_commands(alice, project, proposed, monkeypatch):
    monkeypatch.setattr(building, "MOST_REPLAYED", 1)
    project.commit({"c.txt": "c\n"}, "More", branch="work")
    with pytest.raises(Unprocessable, match="More than 1 commits") as caught:
        merging.merge(as_actor(alice), again(alice, proposed()), REBASE)
    assert "git rebase origin/main && git push --force-with-lease" in caught.value.details


def test_drivers_put_each_commit_together(alice, project, proposed, registering):
    asked = []

    class Lines:
        """Takes both sides' files, so that the second commit sees what the first has made."""

        def wants(self, path):
            return path == "new.txt"

        def merge(self, repository, sides, *, keep, lender=None):
            asked.append((sides.ours, sides.theirs))
            return Outcome(sides.theirs + sides.ours)

        def missing(self, repository, base, head, *, lender=None):
            return []

    drivers.register(Lines())
    project.commit({"new.txt": "new\nmore\n"}, "More", branch="work")
    project.commit({"new.txt": "base\n"}, "Meanwhile")
    commit = merging.merge(as_actor(alice), again(alice, proposed()), REBASE)
    assert asked == [(b"base\n", b"new\n"), (b"new\nbase\n", b"new\nmore\n")]
    assert project.git("show", f"{commit}:new.txt").split() == ["new", "more", "new", "base"]
    assert project.git("fsck", "--full", "--strict", "--unreachable") == ""


@pytest.mark.parametrize("after_the_swap", [False, True])
def test_a_killed_rebase_is_merged_exactly_when_the_base_has_its_last_commit(
    alice, private, project, proposed, after_the_swap
):
    project.commit({"c.txt": "c\n"}, "More", branch="work")
    pull = proposed()
    with dying(publishing, "publish", after=after_the_swap):
        merging.merge(as_actor(alice), again(alice, pull), Order(method="rebase", delete_branch=True))
    PullRequest.objects.filter(merged=None).update(claimed=timezone.now() - timedelta(minutes=5))
    tasks.reconcile_merges()
    deliver()
    settled = again(alice, pull)
    assert (settled.issue.state == "merged", settled.claimed) == (after_the_swap, None)
    assert branches.contains(private, "main", settled.merge_commit) is after_the_swap
    assert ("work" in project.git("branch", "--list")) is not after_the_swap
    if after_the_swap:
        assert settled.merged_by == alice
        assert settled.issue.entries.get(kind="merged").author == alice
    else:
        merging.merge(as_actor(alice), settled, REBASE)
    assert log(project, f"{project.tips['main']}..main") == ["Rewrite", "More"]
