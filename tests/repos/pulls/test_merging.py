"""The merge itself: what comes out, once and only once, whoever pushes or dies at the same moment."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from hub.lib.errors import Conflict, Denied, NotFound, Unprocessable
from repos import publishing
from repos.git.store import refs
from repos.issues import opening as issues
from repos.issues import states
from repos.models import Push, Repository
from repos.pulls import branches, drivers, merging, tasks, verdicts
from repos.pulls.drivers import Outcome
from repos.pulls.merging import CannotMerge, Order
from repos.pulls.models import PullRequest
from tests.repos.issues.conftest import as_actor, seen
from tests.repos.pulls.conftest import TEXT, again, deliver, dying, push

pytestmark = pytest.mark.django_db


def shown(project, rev: str, path: str = "a.txt") -> str:
    return project.git("show", f"{rev}:{path}") + "\n"


def test_it_opens_once_and_keeps_the_commits(alice, private, project, proposed):
    pull = proposed()
    assert refs(private.path, "refs/pull/")["refs/pull/1/head"] == project.tips["work"]
    with pytest.raises(Conflict, match="#1 asks for that already"):
        proposed()
    assert Repository.objects.get(pk=private.pk).pulls_count == 1
    assert pull.issue.get_absolute_url() == "/alice/private/pull/1"
    assert issues.next_number(private.pk) == 2


def test_it_refuses_what_cannot_be_asked_for(alice, private, project, proposed):
    for fields, error in (
        ({"head": "absent"}, NotFound),
        ({"base": "absent"}, NotFound),
        ({"head": "main"}, Unprocessable),
        ({"base": "work", "head": "main"}, Unprocessable),
        ({"title": ""}, Unprocessable),
        ({"head": "../x"}, NotFound),
        ({"head": "x\0"}, Unprocessable),
    ):
        with pytest.raises(error):
            proposed(**fields)
    project.commit({"z": "z"}, branch="apart")
    with pytest.raises(Unprocessable, match="no common commit"):
        proposed(head="apart")
    assert not PullRequest.objects.exists()


@pytest.mark.parametrize(("method", "parents"), [("merge", 2), ("squash", 1)])
def test_it_merges(alice, bob, private, project, proposed, method, parents):
    pull = proposed()
    project.commit({"b.txt": "changed\n"}, "Meanwhile")
    commit = merging.merge(as_actor(bob), again(bob, pull), Order(method=method, expected=project.tips["work"]))
    assert project.git("rev-parse", "main") == commit
    assert len(project.git("show", "-s", "--format=%P", commit).split()) == parents
    assert "line three" in shown(project, commit)
    assert shown(project, commit, "b.txt") == "changed\n"
    assert project.git("fsck", "--full", "--strict") == ""
    done = again(bob, pull)
    assert (done.issue.state, done.merged_by, done.merge_commit, done.claimed) == ("merged", bob, commit, None)
    row = Push.objects.latest("pk")
    assert (row.state, row.user, [update.ref for update in row.updates.all()]) == ("done", bob, ["refs/heads/main"])
    assert Repository.objects.get(pk=private.pk).pulls_count == 0
    with pytest.raises(Conflict, match="merged already"):
        merging.merge(as_actor(bob), again(bob, pull), Order())
    deliver()
    assert again(bob, pull).issue.entries.filter(kind="merged").count() == 1


def test_a_squash_is_its_authors_and_says_what_it_holds(alice, bob, private, project, proposed):
    push(alice, private, "work", "c.txt", "c\n")
    commit = merging.merge(as_actor(bob), again(bob, proposed()), Order(method="squash"))
    said = project.git("show", "-s", "--format=%an|%cn|%B", commit)
    assert said == "alice|bob|Rewrite a line (#1)\n\n* Rewrite\n* More"
    with pytest.raises(Unprocessable):
        merging.merge(as_actor(bob), again(bob, proposed()), Order(method="squash"))


@pytest.mark.parametrize("looked", [True, False])
def test_a_conflict_that_is_known_is_not_looked_for_again(alice, bob, private, project, proposed, registering, looked):
    pull, asked = proposed(), []

    class Counting:
        def wants(self, path):
            asked.append(path)
            return False

        def missing(self, repository, base, head, *, lender=None):
            return []

    base = push(alice, private, "main", "a.txt", TEXT.replace("line 3\n", "line 3!\n"))
    drivers.register(Counting())
    if looked:
        assert not verdicts.verdict(again(alice, pull).repository, base, pull.head_id, user_id=alice.pk).clean
    else:
        with pytest.raises(CannotMerge):
            merging.merge(as_actor(bob), again(bob, pull), Order(method="squash"))
    before = list(asked)
    with pytest.raises(CannotMerge, match="both sides changed the same lines"):
        merging.merge(as_actor(bob), again(bob, pull), Order())
    assert before == asked == ["a.txt"] * len(asked)
    assert again(alice, pull).claimed is None
    push(alice, private, "main", "a.txt", TEXT)
    assert merging.merge(as_actor(bob), again(bob, pull), Order())


def test_it_lists_conflicts_and_changes_nothing(alice, private, project, proposed):
    pull = proposed()
    project.commit({"a.txt": TEXT.replace("line 3\n", "line 3!\n"), "new.txt": "other\n"}, "Meanwhile")
    with pytest.raises(CannotMerge) as caught:
        merging.merge(as_actor(alice), again(alice, pull), Order())
    found = [(trouble.path, trouble.why) for trouble in caught.value.verdict.troubles]
    assert found == [("a.txt", "both sides changed the same lines"), ("new.txt", "both sides changed the same lines")]
    assert project.git("rev-parse", "main") == project.tips["main"]
    assert again(alice, pull).claimed is None
    assert again(alice, pull).issue.is_open


def test_readers_and_small_tokens_do_not_merge(alice, bob, charlie, private, project, proposed):
    pull = again(bob, proposed())
    for scopes in ({"issues:write"}, {"repo:write"}, {"issues:write", "repo:read"}):
        actor = as_actor(bob).__class__(user=bob, scopes=frozenset(scopes))
        with pytest.raises(Denied):
            merging.merge(actor, pull, Order())
    private.private = False
    private.save()
    with pytest.raises(Denied):
        merging.merge(as_actor(charlie), again(charlie, pull), Order())
    assert again(bob, pull).claimed is None


def test_a_head_that_nobody_looked_at_is_not_merged(alice, private, project, proposed):
    pull = proposed()
    push(alice, private, "work", "c.txt", "c\n")
    with pytest.raises(Conflict, match="new commits"):
        merging.merge(as_actor(alice), again(alice, pull), Order(expected=project.tips["work"]))


def test_a_push_to_either_branch_between_reading_and_swapping_is_not_lost(
    alice, private, project, proposed, registering
):
    pull, pushed = proposed(), []

    class Slow:
        """A driver that works for so long that people push meanwhile."""

        def wants(self, path):
            return False

        def missing(self, repository, base, head, *, lender=None):
            if len(pushed) < 2:
                pushed.append(push(alice, private, ("main", "work")[len(pushed)], f"late{len(pushed)}.txt", "late\n"))
            return []

    drivers.register(Slow())
    commit = merging.merge(as_actor(alice), again(alice, pull), Order())
    assert project.git("show", "-s", "--format=%P", commit).split() == pushed


def test_the_claim_of_a_long_merge_is_renewed(alice, project, proposed, registering):
    pull, claims = proposed(), []
    project.commit({"a.txt": TEXT.replace("line 3\n", "line 3!\n"), "new.txt": "other\n"}, "Meanwhile")

    class Long:
        """A driver whose every file takes its time."""

        def wants(self, path):
            return True

        def merge(self, repository, sides, *, keep):
            claims.append(PullRequest.objects.get().claimed)
            return Outcome(sides.theirs)

        def missing(self, repository, base, head, *, lender=None):
            return []

    drivers.register(Long())
    merging.merge(as_actor(alice), again(alice, pull), Order())
    assert len(set(claims)) == 2
    assert shown(project, "main", "new.txt") == "new\n"


def test_it_deletes_the_branch_and_commits_stay(alice, private, project, proposed):
    pull = proposed()
    merging.merge(as_actor(alice), again(alice, pull), Order(method="squash", delete_branch=True))
    assert "refs/heads/work" not in refs(private.path)
    assert refs(private.path, "refs/pull/")["refs/pull/1/head"] == project.tips["work"]
    deliver()
    assert again(alice, pull).issue.state == "merged"


def test_keywords_close_issues_when_it_reaches_the_default_branch(alice, private, project, proposed):
    issue = issues.open_issue(as_actor(alice), seen(alice, private), title="Broken")
    pull = proposed(body=f"Fixes #{issue.number}")
    merging.merge(as_actor(alice), again(alice, pull), Order())
    closed = issues.issue_of(seen(alice, private), issue.number)
    assert closed.state == "closed"
    assert closed.entries.get().detail == {"pull": pull.number}


# ---- a hub that dies -----------------------------------------------------------------------------
@pytest.mark.parametrize("after_the_swap", [False, True])
def test_a_killed_merge_is_merged_exactly_when_the_base_has_it(alice, private, project, proposed, after_the_swap):
    pull = proposed()
    with dying(publishing, "publish", after=after_the_swap):
        merging.merge(as_actor(alice), again(alice, pull), Order(method="squash"))
    left = PullRequest.objects.select_related("issue__repository__owner").get(pk=pull.pk)  # as nobody looked yet
    assert left.claimed
    assert left.issue.is_open
    with pytest.raises(Conflict, match="merged already" if after_the_swap else "right now"):
        merging.merge(as_actor(alice), left, Order())
    PullRequest.objects.filter(merged=None).update(claimed=timezone.now() - timedelta(minutes=5))
    tasks.reconcile_merges()
    deliver()
    settled = again(alice, pull)
    assert (settled.issue.state == "merged") is after_the_swap
    assert settled.claimed is None
    assert branches.contains(private, "main", settled.merge_commit) is after_the_swap
    if not after_the_swap:
        merging.merge(as_actor(alice), settled, Order())


def test_who_looks_at_what_a_killed_merge_left_finds_it_merged(alice, private, project, proposed):
    pull = proposed()
    with dying(publishing, "publish", after=True):
        merging.merge(as_actor(alice), again(alice, pull), Order())
    found = again(alice, pull)
    assert found.merged
    assert found.issue.state == "merged"
    assert branches.contains(private, "main", found.merge_commit)


def test_the_push_event_alone_settles_a_killed_merge(alice, private, project, proposed):
    pull = proposed()
    with dying(merging, "finish"):
        merging.merge(as_actor(alice), again(alice, pull), Order(method="squash"))
    deliver()
    assert again(alice, pull).issue.state == "merged"


@pytest.mark.django_db(transaction=True)
def test_merges_that_race_are_all_in_the_base_once(alice, private, project, proposed):
    pulls = []
    for n in range(4):
        project.commit({f"file{n}.txt": "x\n"}, f"Add {n}", branch=f"work{n}", start=project.tips["main"])
        pulls.append(again(alice, proposed(head=f"work{n}")))
    ready, outcomes = threading.Barrier(8), []

    def work(number: int) -> None:
        try:
            ready.wait(20)
            for _ in range(10):
                try:
                    merging.merge(as_actor(alice), again(alice, pulls[number]), Order())
                    outcomes.append(number)
                    return
                except Conflict as error:
                    if "already" in str(error) or "right now" in str(error):
                        return
        finally:
            connection.close()

    threads = [threading.Thread(target=work, args=(n % 4,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert sorted(outcomes) == [0, 1, 2, 3]
    assert len(project.git("rev-list", "--merges", "main").split()) == 4
    assert all(shown(project, "main", f"file{n}.txt") == "x\n" for n in range(4))
    assert {again(alice, pull).issue.state for pull in pulls} == {"merged"}


def test_a_closed_one_is_not_merged_and_opens_again_with_its_branch(alice, private, project, proposed):
    from repos.pulls import opening

    pull = proposed()
    states.close(as_actor(alice), pull.issue)
    with pytest.raises(Conflict, match="closed already"):
        merging.merge(as_actor(alice), again(alice, pull), Order())
    tip = push(alice, private, "work", "c.txt", "c\n")
    opening.reopen(as_actor(alice), again(alice, pull))
    assert again(alice, pull).head_id == tip
