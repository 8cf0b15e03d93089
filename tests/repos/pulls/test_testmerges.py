"""refs/pull/<number>/merge: there while it is clean and fresh, gone otherwise."""

from __future__ import annotations

import pytest

from hub.jobs import jobs
from hub.jobs.models import Job
from repos import publishing
from repos.git.store import ZERO, RefChange, refs
from repos.issues import states
from repos.pulls import drivers, merging, opening, testmerges
from repos.pulls.merging import Order
from tests.repos.issues.conftest import as_actor, seen
from tests.repos.pulls.conftest import TEXT, again, deliver, push
from tests.support.asgi import ask, basic

pytestmark = pytest.mark.django_db
REF = "refs/pull/1/merge"


def work() -> None:
    """What the workers do."""
    deliver()
    for job in Job.objects.filter(kind=testmerges.WRITE, state=Job.State.QUEUED):
        jobs.run(job.pk)


def parents(project) -> list[str]:
    return project.git("show", "-s", "--format=%P", REF).split()


def test_it_is_written_when_opened_and_follows_the_head(alice, private, project, proposed):
    proposed()
    work()
    assert parents(project) == [project.tips["main"], project.tips["work"]]
    assert "line three" in project.git("show", f"{REF}:a.txt")
    tip = push(alice, private, "work", "c.txt", "c\n")
    work()
    assert parents(project) == [project.tips["main"], tip]
    assert project.git("fsck", "--full", "--strict", "--no-dangling") == ""


def test_writing_it_again_makes_the_same_commit(alice, private, project, proposed):
    pull = proposed()
    work()
    first = refs(private.path)[REF]
    project.git("update-ref", "-d", REF)
    testmerges.want(again(alice, pull))
    work()
    assert refs(private.path)[REF] == first


def test_a_base_that_moves_takes_it_away_until_somebody_looks(alice, private, project, proposed, as_user):
    proposed()
    work()
    base = push(alice, private, "main", "m.txt", "m\n")
    work()
    assert REF not in refs(private.path)
    as_user(alice).get("/alice/private/pull/1/merge-box")
    work()
    assert parents(project) == [base, project.tips["work"]]


def test_what_conflicts_or_is_over_has_none(alice, private, project, proposed):
    pull = proposed()
    work()
    push(alice, private, "work", "a.txt", TEXT.replace("line 3\n", "line 3?\n"))
    push(alice, private, "main", "a.txt", TEXT.replace("line 3\n", "line 3!\n"))
    work()
    assert REF not in refs(private.path)
    push(alice, private, "main", "a.txt", TEXT)
    testmerges.want(again(alice, pull))
    work()
    assert REF in refs(private.path)
    states.close(as_actor(alice), pull.issue)
    push(alice, private, "main", "z.txt", "z")
    work()
    assert REF not in refs(private.path)


def test_it_goes_when_it_is_closed_and_comes_back(alice, private, project, proposed):
    pull = proposed()
    work()
    states.close(as_actor(alice), again(alice, pull).issue)
    deliver()
    assert REF not in refs(private.path)
    assert "refs/pull/1/head" in refs(private.path)
    opening.reopen(as_actor(alice), again(alice, pull))
    work()
    assert parents(project) == [project.tips["main"], project.tips["work"]]


def test_what_is_closed_while_it_is_written_keeps_none(alice, private, project, proposed, registering):
    pull = proposed()

    class Slow:
        """A driver that works for so long that somebody closes it meanwhile."""

        def wants(self, path):
            return False

        def missing(self, repository, base, head, *, lender=None):
            states.close(as_actor(alice), again(alice, pull).issue)
            deliver()
            return []

    deliver()
    drivers.register(Slow())
    work()
    assert REF not in refs(private.path)


def test_a_merge_takes_it_away(alice, private, project, proposed):
    pull = proposed()
    work()
    merging.merge(as_actor(alice), again(alice, pull), Order())
    work()
    assert REF not in refs(private.path)
    assert "refs/pull/1/head" in refs(private.path)


def test_a_head_that_moves_while_it_is_written_is_not_passed_over(alice, private, project, proposed, registering):
    pull, pushed = proposed(), []

    class Slow:
        """A driver that works for so long that somebody pushes meanwhile."""

        def wants(self, path):
            return False

        def missing(self, repository, base, head, *, lender=None):
            if not pushed:
                pushed.append(push(alice, private, "work", "late.txt", "late\n"))
                deliver()
            return []

    deliver()
    drivers.register(Slow())
    work()
    assert parents(project) == [project.tips["main"], again(alice, pull).head_id] == [project.tips["main"], *pushed]


def test_it_goes_when_the_branch_goes(alice, private, project, proposed):
    proposed()
    work()
    gone = RefChange("refs/heads/work", project.tips["work"], ZERO)
    publishing.publish(seen(alice, private), as_actor(alice), [gone])
    work()
    assert REF not in refs(private.path)


@pytest.mark.django_db(transaction=True)
def test_members_fetch_it_and_strangers_do_not(alice, charlie, private, project, proposed, token_of):
    proposed()
    work()
    address = "/alice/private.git/info/refs?service=git-upload-pack"
    assert REF.encode() in ask("GET", address, headers=basic(token_of(alice))).body
    assert ask("GET", address, headers=basic(token_of(charlie))).status == 404
