"""Numbers, texts, states, labels, assignees, milestones, closing keywords: what holds whoever asks."""

from __future__ import annotations

import re
import threading

import pytest
from django.db import connection

from hub.accounts.actor import Actor
from hub.accounts.models import AuditEvent
from hub.lib.errors import Conflict, Denied, NotFound, Unauthenticated, Unprocessable
from repos.issues import closing, conversation, counting, labels, milestones, opening, states, texts, triage
from repos.issues.models import Entry, Issue, Revision
from repos.models import Repository
from tests.repos.issues.conftest import again, as_actor, seen

pytestmark = pytest.mark.django_db


def counts(repository: Repository) -> tuple[int, int]:
    fresh = Repository.objects.get(pk=repository.pk)
    assert counting.recount(fresh.pk) == {"issues_count": fresh.issues_count, "pulls_count": fresh.pulls_count}
    return fresh.issues_count, fresh.pulls_count


def test_it_numbers_issues_of_each_repository_from_one(alice, private, public, opened):
    assert [opened(alice, private).number for _ in range(3)] == [1, 2, 3]
    assert opened(alice, public).number == 1
    assert opened(alice, private, is_pull=True).number == 4
    assert counts(private) == (3, 1)


@pytest.mark.django_db(transaction=True)
def test_it_gives_no_number_twice_at_the_same_moment(alice, private, opened):
    numbers, ready = [], threading.Barrier(4)

    def work() -> None:
        try:
            ready.wait(10)
            numbers.extend(opened(alice, private).number for _ in range(3))
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(numbers) == list(range(1, 13))
    assert counts(private) == (12, 0)


def test_it_uses_no_number_again_when_opening_fails(alice, private, opened):
    opened(alice, private)
    with pytest.raises(Unprocessable):
        opened(alice, private, " ")
    assert opened(alice, private).number == 2


@pytest.mark.parametrize("title", ["", " \n ", "a\0b", "a\ud800", "x" * 257])
def test_it_refuses_bad_titles(alice, private, opened, title):
    with pytest.raises(Unprocessable):
        opened(alice, private, title)


@pytest.mark.parametrize("body", ["\0", "\udfff", "x" * 65_537])
def test_it_refuses_bad_texts(alice, private, opened, body):
    with pytest.raises(Unprocessable):
        opened(alice, private, body=body)


def test_readers_open_and_comment_but_do_not_triage(alice, charlie, public, opened):
    issue = opened(charlie, public, body="Look")
    conversation.comment(as_actor(charlie), again(charlie, issue), "And this")
    mine = again(charlie, issue)
    for refused in (
        lambda: labels.create(as_actor(charlie), mine.repository, name="bug"),
        lambda: triage.set_assignees(as_actor(charlie), mine, [charlie]),
        lambda: states.lock(as_actor(charlie), mine, True),
        lambda: milestones.create(as_actor(charlie), mine.repository, title="M"),
        lambda: opened(charlie, public, assignees=[alice]),
        lambda: states.close(as_actor(charlie), again(charlie, opened(alice, public))),
        lambda: conversation.edit_body(as_actor(alice), again(alice, issue), "Not mine"),
    ):
        with pytest.raises(Denied):
            refused()
    with pytest.raises(Unauthenticated):
        conversation.comment(Actor(), again(None, issue), "x")
    with pytest.raises(Denied):
        conversation.comment(Actor(charlie, scopes=frozenset({"issues:read"})), mine, "x")
    states.close(as_actor(charlie), mine)
    assert again(alice, issue).state == "closed"


def test_it_closes_and_reopens_once(alice, private, opened):
    issue = opened(alice, private)
    for _ in range(2):
        states.close(as_actor(alice), again(alice, issue))
    assert counts(private) == (0, 0)
    for _ in range(2):
        states.reopen(as_actor(alice), again(alice, issue))
    assert counts(private) == (1, 0)
    assert list(issue.entries.order_by("pk").values_list("kind", flat=True)) == ["closed", "reopened"]


def test_it_keeps_what_a_text_said_before(alice, private, opened):
    issue = opened(alice, private, body="One")
    for text in ("Two", "Two", "Three"):
        conversation.edit_body(as_actor(alice), again(alice, issue), text)
    assert list(Revision.objects.order_by("pk").values_list("body", flat=True)) == ["One", "Two"]
    entry = conversation.comment(as_actor(alice), again(alice, issue), "First\r\nline")
    assert entry.body == "First\nline"
    conversation.edit_comment(as_actor(alice), opening.comment_of(seen(alice, private), entry.pk), "Second")
    assert entry.revisions.get().body == "First\nline"


def test_a_removed_comment_leaves_a_trace_and_no_text(alice, bob, private, opened):
    issue = opened(alice, private)
    entry = conversation.comment(as_actor(alice), again(alice, issue), "A secret")
    conversation.edit_comment(as_actor(alice), opening.comment_of(seen(alice, private), entry.pk), "Still a secret")
    conversation.remove_comment(as_actor(bob), opening.comment_of(seen(bob, private), entry.pk))
    entry.refresh_from_db()
    assert (entry.kind, entry.body, entry.revisions.count()) == ("removed", "", 0)
    assert again(alice, issue).comments_count == 0
    with pytest.raises(NotFound):
        opening.comment_of(seen(alice, private), entry.pk)
    own = conversation.comment(as_actor(alice), again(alice, issue), "Never mind")
    conversation.remove_comment(as_actor(alice), opening.comment_of(seen(alice, private), own.pk))
    event = AuditEvent.objects.get(action="comment.remove")  # one's own is nobody's business
    assert (event.actor_name, event.before) == ("bob", {"comment": entry.pk, "author": "alice"})


def test_a_locked_conversation_is_for_writers(alice, charlie, public, opened):
    issue = opened(charlie, public)
    states.lock(as_actor(alice), again(alice, issue), True)
    with pytest.raises(Denied):
        conversation.comment(as_actor(charlie), again(charlie, issue), "x")
    with pytest.raises(Denied):
        conversation.edit_body(as_actor(charlie), again(charlie, issue), "x")
    conversation.comment(as_actor(alice), again(alice, issue), "Cool down")


def test_it_labels_and_says_so(alice, private, public, opened):
    issue, actor = opened(alice, private), as_actor(alice)
    bug = labels.create(actor, seen(alice, private), name="bug", colour="#D73A4A")
    data = labels.create(actor, seen(alice, private), name="Bad data")
    triage.set_labels(actor, again(alice, issue), [bug, data])
    triage.set_labels(actor, again(alice, issue), [data])
    happened = issue.entries.order_by("pk").values_list("kind", "detail__label__name")
    assert sorted(happened[:2]) == [("labelled", "Bad data"), ("labelled", "bug")]
    assert list(happened[2:]) == [("unlabelled", "bug")]
    with pytest.raises(Conflict):
        labels.create(actor, seen(alice, private), name="BAD DATA")
    with pytest.raises(NotFound):
        labels.named(seen(alice, public), ["bug"])
    with pytest.raises(NotFound):
        labels.label_of(seen(alice, public), bug.pk)


@pytest.mark.parametrize("name", ["", 'a"b', "x" * 51])
def test_it_refuses_bad_labels(alice, private, name):
    with pytest.raises(Unprocessable):
        labels.create(as_actor(alice), seen(alice, private), name=name)
    with pytest.raises(Unprocessable):
        labels.create(as_actor(alice), seen(alice, private), name="fine", colour="red")


def test_a_name_whose_small_letters_are_longer_is_kept(alice, private):
    assert labels.create(as_actor(alice), seen(alice, private), name="İ" * 50).name == "İ" * 50


def test_it_assigns_those_who_may_write(alice, bob, charlie, private, opened):
    issue, actor = opened(alice, private), as_actor(alice)
    triage.set_assignees(actor, again(alice, issue), [alice, bob])
    with pytest.raises(NotFound):
        triage.set_assignees(actor, again(alice, issue), [charlie])
    private.memberships.all().delete()
    triage.set_assignees(actor, again(alice, issue), [bob])  # who lost access stays until taken off
    assert [person.username for person in again(alice, issue).assignees.all()] == ["bob"]


def test_milestones_know_how_far_they_are(alice, private, public, opened):
    actor = as_actor(alice)
    milestone = milestones.create(actor, seen(alice, private), title="Clean labels")
    for state in ("open", "closed", "closed"):
        issue = opened(alice, private, milestone=milestone)
        if state == "closed":
            states.close(actor, again(alice, issue))
    found = milestones.listed(private).get()
    assert (found.number, found.open_count, found.closed_count) == (1, 1, 2)
    with pytest.raises(NotFound):
        milestones.milestone_of(seen(alice, public), 1)
    triage.set_milestone(actor, again(alice, issue), None)
    milestones.remove(actor, milestones.milestone_of(seen(alice, private), 1))
    assert milestones.create(actor, seen(alice, private), title="Next").number == 2


def test_a_title_names_one_milestone(alice, private):
    actor, repository = as_actor(alice), seen(alice, private)
    milestones.create(actor, repository, title="Next")
    milestones.close(actor, milestones.milestone_of(repository, 1), True)
    second = milestones.create(actor, repository, title="Then")
    for change in (
        lambda: milestones.create(actor, repository, title="next"),
        lambda: milestones.change(actor, second, title="Next", description="", due=None),
    ):
        with pytest.raises(Unprocessable, match="already"):
            change()
    milestones.change(actor, second, title="then", description="Later", due=None)
    assert [milestones.milestone_of(repository, number).title for number in (1, 2)] == ["Next", "then"]
    assert milestones.create(actor, repository, title="Last").number == 3


def test_task_lists_are_counted():
    text = "- [x] a\n- [ ] b\n  1. [X] c\n\n[x] no list\n* [y] no box\n\n```\n- [ ] code\n```"
    assert texts.tasks_of(text) == {"tasks_done": 2, "tasks_count": 3}


def test_closing_keywords_close_once(alice, private, opened):
    one, two, three = (opened(alice, private) for _ in range(3))
    text = "Fixes #1, closes: Alice/private#2 and resolved #1; prefixes #3, fix#3 fix #3x, closes alice/public#3"
    assert closing.wishes_in(text, private) == {1: False, 2: False}
    assert closing.obey(private, "fixes #1, close #2, fixes #99", alice, commit="a" * 40) == [1, 2]
    states.reopen(as_actor(alice), again(alice, one))
    assert closing.obey(private, "fixes #1", alice, commit="a" * 40) == []
    assert closing.obey(private, "fixes #1", alice, commit="b" * 40) == [1]
    assert [again(alice, issue).state for issue in (one, two, three)] == ["closed", "closed", "open"]
    assert Entry.objects.filter(kind="closed", detail={"commit": "a" * 40}).count() == 2


def test_keywords_open_again_once(alice, private, opened, as_user):
    issue = opened(alice, private)
    assert closing.obey(private, "Reopens #1", alice, commit="a" * 40) == []
    states.close(as_actor(alice), issue)
    assert closing.obey(private, "Fixes #1. No, reopen #1", alice, commit="b" * 40) == [1]
    assert closing.obey(private, "Fixes #1", alice, pull=7) == [1]
    assert closing.obey(private, "Reopened: #1", alice, commit="b" * 40) == []
    assert again(alice, issue).state == "closed"
    page = as_user(alice).get("/alice/private/issues/1").content.decode()
    assert re.search(r"opened this again in <a [^>]*>bbbbbbb", page)


def test_an_issue_of_another_repository_is_as_if_absent(alice, private, public, opened):
    opened(alice, private)
    with pytest.raises(NotFound):
        opening.issue_of(seen(alice, public), 1)
    with pytest.raises(NotFound):
        opening.issue_of(seen(alice, public), 10**30)
    assert Issue.objects.count() == 1
