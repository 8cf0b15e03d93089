"""Bulk acts: each row wholly or not at all, with the rights of each, and a report that says which and why."""

from __future__ import annotations

import pytest

from repos.issues import bulk, labels, milestones, states
from repos.issues.models import Entry, Issue
from repos.models import Access, Membership
from tests.repos.issues.conftest import again, as_actor, seen

pytestmark = pytest.mark.django_db
BASE = "/alice/private"
VERBS = {
    "close": {},
    "reopen": {},
    "label": {"label": "bug"},
    "unlabel": {"label": "bug"},
    "milestone": {"milestone": "1"},
    "assign": {"assignee": "bob"},
    "unassign": {"assignee": "bob"},
}


@pytest.fixture
def stage(alice, private, opened):
    actor, repository = as_actor(alice), seen(alice, private)
    labels.create(actor, repository, name="bug")
    milestones.create(actor, repository, title="Soon")
    return [opened(alice, private, f"Issue {n}", assignees=[alice]) for n in range(3)]


def states_now() -> list[str]:
    return list(Issue.objects.order_by("number").values_list("state", flat=True))


def test_all_verbs_do_what_they_say(stage, bob, as_user):
    client, ticked = as_user(bob), {"number": [1, 3]}
    for verb, form in VERBS.items():
        if verb in {"unlabel", "unassign"}:
            continue
        answer = client.post(f"{BASE}/issues/bulk/{verb}?q=is%3Aopen", {**form, **ticked})
        assert answer.headers["Location"] == f"{BASE}/issues?q=is%3Aopen", verb
    changed = Issue.objects.get(number=3)
    assert [label.name for label in changed.labels.all()] == ["bug"]
    assert (changed.milestone.title, changed.state) == ("Soon", "open")
    assert {person.username for person in changed.assignees.all()} == {"alice", "bob"}
    kinds = list(Entry.objects.filter(issue=changed).order_by("pk").values_list("kind", flat=True))
    assert kinds == ["closed", "reopened", "labelled", "milestoned", "assigned"]
    assert not Entry.objects.filter(issue__number=2).exists()
    for verb in ("unlabel", "unassign"):
        client.post(f"{BASE}/issues/bulk/{verb}", {**VERBS[verb], **ticked})
    client.post(f"{BASE}/issues/bulk/milestone", {"milestone": "", **ticked})
    changed = Issue.objects.get(number=1)
    assert (changed.labels.count(), changed.milestone) == (0, None)
    assert [person.username for person in changed.assignees.all()] == ["alice"]


def test_a_row_that_cannot_be_is_told_and_the_others_are_done(stage, alice, charlie, private, opened, as_user):
    Membership.objects.create(repository=private, user=charlie, access=Access.READ)
    opened(charlie, private, "Mine")
    page = as_user(charlie).post(f"{BASE}/issues/bulk/close", {"number": [1, 4, 99]}, follow=True).content.decode()
    assert "1 is closed." in page
    assert "2 stayed as before. #1: You may not close this here. #99: It does not exist." in page
    assert states_now() == ["open", "open", "open", "closed"]


def test_half_of_a_row_is_never_done(stage, alice, private, monkeypatch):
    """The second part of an act fails: the first is taken back."""

    def close_and_fail(issue: Issue) -> None:
        states.close(as_actor(alice), issue)
        if issue.number == 2:
            labels.named(issue.repository, ["absent"])

    report = bulk.each(seen(alice, private), [1, 2], close_and_fail)
    assert (report.done, list(report.refused)) == ([1], [2])
    assert states_now() == ["closed", "open", "open"]
    assert not Entry.objects.filter(issue__number=2).exists()


def test_pull_requests_are_reopened_in_their_own_list(alice, private, opened, as_user):
    issue = opened(alice, private, is_pull=True)
    states.close(as_actor(alice), again(alice, issue))
    page = as_user(alice).post(f"{BASE}/issues/bulk/reopen", {"number": 1}, follow=True).content.decode()
    assert "#1: It is a pull request." in page


@pytest.mark.parametrize(
    ("form", "code"),
    [
        ({}, 400),
        ({"number": list(range(1, 102))}, 400),
        ({"number": "x"}, 400),
        ({"number": "9" * 12}, 400),
        ({"number": "1", "label": ""}, 400),
        ({"number": "1", "label": "absent"}, 404),
        ({"number": "1", "label": "a\0"}, 422),
    ],
)
def test_bad_forms_change_nothing(stage, bob, as_user, form, code):
    verb = "label" if "label" in form else "close"
    assert as_user(bob).post(f"{BASE}/issues/bulk/{verb}", form).status_code == code
    assert not Entry.objects.exists()


@pytest.mark.parametrize("verb", VERBS)
def test_the_gate_comes_first(stage, bob, charlie, as_user, verb):
    url = f"{BASE}/issues/bulk/{verb}"
    assert as_user(charlie).post(url, {**VERBS[verb], "number": 1}).status_code == 404
    assert as_user(bob).get(url).status_code == 405
    assert as_user(None).post(url).headers["Location"].startswith("/account/login?")


def test_a_hundred_at_once_are_fine(alice, private, opened, as_user):
    for n in range(100):
        opened(alice, private, f"Issue {n}")
    as_user(alice).post(f"{BASE}/issues/bulk/close", {"number": list(range(1, 101))})
    assert set(states_now()) == {"closed"}
