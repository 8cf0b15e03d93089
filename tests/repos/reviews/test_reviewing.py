"""Reviews: they wait, are submitted once, with a verdict; dismissed; what counts of them."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection

from hub.accounts.models import AuditEvent
from hub.lib.errors import Conflict, Denied, NotFound, Unprocessable
from repos import rules
from repos.issues import opening, states, threads
from repos.issues.models import Entry, Thread
from repos.issues.threads import Spot
from repos.models import Access, Membership
from repos.pulls import requirements
from repos.reviews import reviewing, standing
from repos.reviews.models import Comment, Review
from repos.reviews.reviewing import Said
from repos.rules import Fields
from tests.repos.issues.conftest import as_actor, seen
from tests.repos.pulls.conftest import again, deliver

pytestmark = pytest.mark.django_db


def on_line(project, line=4, body="Why?", **detail):
    return Said(body, Spot("line", "a.txt", project.tips["work"], {"line": line, **detail}))


@pytest.fixture
def bobs(project, pull, bob):
    """bobs(verdict, body) → a review that bob submits."""

    def make(verdict="approve", body="", user=bob, **options):
        return reviewing.submit(as_actor(user), again(user, pull), verdict, body, **options)

    return make


def test_nobody_else_sees_what_waits(project, pull, alice, bob):
    reviewing.add(as_actor(bob), again(bob, pull), on_line(project))
    assert Entry.objects.count() == Thread.objects.count() == 0
    assert reviewing.pending_of(as_actor(alice), again(alice, pull)) is None
    own = reviewing.pending_of(as_actor(bob), again(bob, pull))
    assert [comment.body for comment in reviewing.waiting(own)] == ["Why?"]
    with pytest.raises(NotFound):
        reviewing.review_of(as_actor(alice), again(alice, pull), own.pk)
    with pytest.raises(NotFound):
        reviewing.pending_comment(as_actor(alice), again(alice, pull), Comment.objects.get().pk)


def test_it_is_submitted_at_once_as_one_entry_with_its_comments(project, pull, alice, bob, bobs):
    thread = threads.begin(as_actor(alice), again(alice, pull).issue, on_line(project).spot, "First").thread
    for said in (on_line(project, 2, "A"), Said("B", thread=thread), on_line(project, 6, "C", start=5)):
        reviewing.add(as_actor(bob), again(bob, pull), said)
    review = bobs("request_changes", "Please *mend*")
    kinds = list(again(bob, pull).issue.entries.order_by("pk").values_list("kind", "body"))
    assert kinds == [("comment", "First"), ("reviewed", "Please *mend*"), ("comment", "A"), ("comment", "B"),
                     ("comment", "C")]  # fmt: skip
    assert review.head_id == project.tips["work"]
    assert Thread.objects.count() == 3
    assert list(thread.comments.order_by("pk").values_list("body", flat=True)) == ["First", "B"]
    assert again(bob, pull).issue.comments_count == 4
    assert reviewing.pending_of(as_actor(bob), again(bob, pull)) is None


def test_the_text_that_waits_goes_with_it_unless_another_is_given(pull, bob, bobs):
    for given, published in ((None, "Waiting"), ("Instead", "Instead"), ("", "")):
        reviewing.begin(as_actor(bob), again(bob, pull), "Waiting", [])
        assert bobs("approve", given).entry.body == published


def test_an_empty_review_only_approves(bobs):
    for verdict in ("comment", "request_changes"):
        with pytest.raises(Unprocessable, match="says nothing"):
            bobs(verdict)
    assert not Review.objects.exists()
    assert bobs("approve").state == "approved"


@pytest.mark.parametrize("verdict", ["approve", "request_changes"])
def test_authors_do_not_judge_their_own(bobs, alice, verdict):
    with pytest.raises(Unprocessable, match="their own"):
        bobs(verdict, "Fine", user=alice)
    assert bobs("comment", "Fine", user=alice).state == "commented"


def test_a_verdict_is_one_of_three(bobs):
    with pytest.raises(Unprocessable):
        bobs("dismiss", "x")


def test_what_was_not_seen_is_not_approved(project, bobs):
    seen_head = project.tips["work"]
    project.commit({"a.txt": "all new\n"}, branch="work")
    with pytest.raises(Conflict, match="new commits"):
        bobs("approve", expected=seen_head)
    assert bobs("comment", "Hm", expected=seen_head).head_id == project.tips["work"]


def test_a_closed_request_is_commented_on_only(pull, alice, bobs):
    states.close(as_actor(alice), again(alice, pull).issue)
    with pytest.raises(Unprocessable, match="closed"):
        bobs("approve")
    bobs("comment", "Too late")


def test_a_lock_stops_a_review_that_waits(project, pull, alice, charlie, private):
    member = Membership.objects.create(repository=private, user=charlie, access=Access.READ)
    reviewing.add(as_actor(charlie), again(charlie, pull), on_line(project))
    states.lock(as_actor(alice), again(alice, pull).issue, True)
    with pytest.raises(Denied, match="locked"):
        reviewing.submit(as_actor(charlie), again(charlie, pull), "comment", "x")
    assert Entry.objects.filter(kind="comment").count() == 0
    member.delete()
    with pytest.raises(NotFound):
        again(charlie, pull)


def test_a_review_holds_so_many_comments(project, pull, bob, monkeypatch):
    monkeypatch.setattr(reviewing, "MOST_COMMENTS", 2)
    for _ in range(2):
        reviewing.add(as_actor(bob), again(bob, pull), on_line(project))
    with pytest.raises(Unprocessable):
        reviewing.add(as_actor(bob), again(bob, pull), on_line(project))
    with pytest.raises(Unprocessable):
        reviewing.review(as_actor(bob), again(bob, pull), "comment", "", [on_line(project)])
    assert reviewing.waiting(Review.objects.get()).count() == 2


def test_a_thread_of_another_issue_is_not_answered(project, pull, bob, opened):
    other = opened(bob, pull.repository)
    thread = threads.begin(as_actor(bob), seen_issue(bob, other), on_line(project).spot, "There").thread
    with pytest.raises(NotFound):
        reviewing.add(as_actor(bob), again(bob, pull), Said("x", thread=thread))


def seen_issue(user, issue):
    return opening.issue_of(seen(user, issue.repository), issue.number)


@pytest.fixture
def opened():
    return lambda user, repository: opening.open_issue(as_actor(user), seen(user, repository), title="Other")


@pytest.mark.django_db(transaction=True)
def test_two_who_submit_at_the_same_moment_make_one_review(project, pull, bob):
    reviewing.add(as_actor(bob), again(bob, pull), on_line(project))

    def submit(_):
        try:
            return reviewing.submit(as_actor(bob), again(bob, pull), "comment", "").pk
        except (Conflict, Unprocessable) as error:
            return type(error)
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(submit, range(4)))
    assert sum(isinstance(answer, int) for answer in answers) == 1
    assert Entry.objects.filter(kind="reviewed").count() == 1
    assert Entry.objects.filter(kind="comment").count() == 1
    assert not Review.objects.filter(state="pending").exists()


# ---- what stands ---------------------------------------------------------------------------------------------------
def test_the_last_word_of_each_stands(bobs, pull, alice, charlie, private, bob):
    Membership.objects.create(repository=private, user=charlie, access=Access.WRITE)
    bobs("request_changes", "No")
    bobs("approve", user=charlie)
    bobs("comment", "Hm")
    assert [(word.author, word.approves) for word in standing.words(again(bob, pull))] == [
        (bob, False),
        (charlie, True),
    ]
    bobs("approve")
    assert len(standing.approvals(again(bob, pull))) == 2


def test_who_lost_write_access_counts_no_more(bobs, pull, bob, alice, private):
    bobs("approve")
    Membership.objects.filter(user=bob).update(access=Access.READ)
    (word,) = standing.words(again(alice, pull))
    assert not word.counts
    assert standing.approvals(again(alice, pull)) == []
    Membership.objects.filter(user=bob).delete()
    assert standing.approvals(again(alice, pull)) == []


def test_a_dismissed_review_stands_no_more(bobs, pull, alice, bob, charlie, private):
    review = bobs("request_changes", "No")
    Membership.objects.create(repository=private, user=charlie, access=Access.READ)
    with pytest.raises(Denied):
        reviewing.dismiss(
            as_actor(charlie), reviewing.review_of(as_actor(charlie), again(charlie, pull), review.pk), "x"
        )
    found = reviewing.review_of(as_actor(alice), again(alice, pull), review.pk)
    with pytest.raises(Unprocessable):
        reviewing.dismiss(as_actor(alice), found, " ")
    reviewing.dismiss(as_actor(alice), found, "It is mended")
    assert standing.words(again(alice, pull)) == []
    with pytest.raises(Unprocessable):
        reviewing.dismiss(as_actor(alice), found, "again")
    assert Entry.objects.get(kind="dismissed").body == "It is mended"
    event = AuditEvent.objects.get(action="review.dismiss")
    assert (event.actor_name, event.subject, event.before["author"]) == ("alice", "#1 of alice/private", "bob")


def test_a_rule_asks_for_approvals(bobs, pull, project, alice, bob, private):
    def ask():
        found = requirements.unmet(again(alice, pull), project.tips["main"], project.tips["work"])
        return [one.name for one in found]

    bobs("request_changes", "No")
    assert ask() == []
    rule = rules.add(as_actor(alice), seen(alice, private), Fields(pattern="main", approvals=1))
    assert set(ask()) == {"Changes requested", "Approvals"}
    bobs("approve")
    assert ask() == []
    project.commit({"b.txt": "new\n"}, branch="work")
    assert ask() == []
    rules.change(as_actor(alice), rule, Fields(pattern="main", approvals=1, approvals_of_head=True))
    assert ask() == ["Approvals"]
    (unmet,) = requirements.unmet(again(alice, pull), project.tips["main"], project.tips["work"])
    assert "1 approved an older version" in unmet.why
    Membership.objects.filter(user=bob).update(access=Access.READ)
    assert "older" not in requirements.unmet(again(alice, pull), "", "")[0].why
    deliver()
