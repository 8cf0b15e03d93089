"""The search of the list: what it reads, where it says no, and that pages hold every issue once."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from repos.issues import conversation, labels, listing, milestones, query, saved, states, triage
from repos.issues.models import Issue
from repos.issues.query import QueryError
from repos.protection.models import ReviewRequest
from repos.pulls.models import PullRequest
from tests.repos.issues.conftest import again, as_actor, seen


def test_it_reads_qualifiers_and_words():
    found = query.parse('is:open author:@me label:"bad data" -label:bug no:assignee sort:updated-asc crash "two words"')
    assert (found.state, found.authors, found.labels, found.without_labels) == ("open", ["@me"], ["bad data"], ["bug"])
    assert (found.lacks, found.words) == (["assignee"], ["crash", "two words"])
    assert (found.sort, found.descending) == ("updated", False)


@pytest.mark.parametrize(
    ("text", "position"),
    [
        ("is:open lable:bug", 8),
        ("is:new", 3),
        ('crash label:"bad', 12),
        ('"open', 0),
        ("author: x", 7),
        ("no:title", 3),
        ("sort:stars", 5),
        ("-author:x", 0),
        ("a\0", 1),
        ("x" * 1001, 1000),
    ],
)
def test_it_says_where_it_cannot_read_on(text, position):
    with pytest.raises(QueryError) as caught:
        query.parse(text)
    assert caught.value.position == position


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(st.text(max_size=60) | st.from_regex(r'(-?[a-z]{2,9}:("[a-z ]*"|[a-z-]*) ?){0,4}', fullmatch=True))
def test_any_text_is_read_or_refused(text):
    positions = []
    try:
        assert query.parse(text)
    except QueryError as error:
        positions.append((error.position, len(text)))
    assert all(0 <= position <= length for position, length in positions)


@pytest.fixture
def some(alice, bob, private, opened):
    """Nine issues and a pull request: every third by bob and labelled, the first two closed."""
    actor, repository = as_actor(alice), seen(alice, private)
    bad = labels.create(actor, repository, name="bad data")
    milestone = milestones.create(actor, repository, title="Clean labels")
    for number in range(1, 10):
        issue = opened(
            bob if number % 3 == 0 else alice, private, f"Issue {number}", body="Wonky" if number == 5 else ""
        )
        if number % 3 == 0:
            triage.set_labels(actor, again(alice, issue), [bad])
        if number in {4, 8}:
            triage.set_assignees(actor, again(alice, issue), [bob])
            triage.set_milestone(actor, again(alice, issue), milestone)
        for _ in range(number % 4):
            conversation.comment(actor, again(alice, issue), "x")
        if number <= 2:
            states.close(actor, again(alice, issue))
    opened(alice, private, "A pull request", is_pull=True)
    return repository


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("", [9, 8, 7, 6, 5, 4, 3, 2, 1]),
        ("is:open", [9, 8, 7, 6, 5, 4, 3]),
        ("is:closed", [2, 1]),
        ("is:pr", [10]),
        ("is:draft", []),
        ("author:BOB is:open", [9, 6, 3]),
        ("author:@me is:closed", [2, 1]),
        ("author:nobody", []),
        ('label:"Bad Data"', [9, 6, 3]),
        ('-label:"bad data" is:open', [8, 7, 5, 4]),
        ("label:absent", []),
        ("no:label is:open", [8, 7, 5, 4]),
        ("assignee:bob", [8, 4]),
        ("no:assignee is:open", [9, 7, 6, 5, 3]),
        ('milestone:"clean labels"', [8, 4]),
        ("no:milestone is:closed", [2, 1]),
        ("wonk", [5]),
        ("sort:created-asc is:closed", [1, 2]),
        ("sort:comments-desc is:open", [7, 3, 6, 9, 5, 8, 4]),
    ],
)
def test_it_finds(alice, some, text, numbers):
    page = listing.page(some, as_actor(alice), query.parse(text), kind="issue")
    assert [issue.number for issue in page.rows] == numbers


@pytest.mark.django_db
@pytest.mark.parametrize("sort", ["created-desc", "created-asc", "updated-desc", "updated-asc", "comments-asc"])
def test_pages_hold_every_issue_once(alice, some, monkeypatch, sort):
    monkeypatch.setattr(listing, "PAGE_ROWS", 2)
    wanted, after, numbers = query.parse(f"sort:{sort}"), "", []
    while True:
        page = listing.page(some, as_actor(alice), wanted, kind="issue", after=after)
        numbers += [issue.number for issue in page.rows]
        if not (after := page.after):
            break
    assert numbers == list(
        listing.ordered(Issue.objects.filter(is_pull=False), wanted).values_list("number", flat=True)
    )
    assert len(set(numbers)) == 9


@pytest.mark.django_db
@pytest.mark.parametrize("after", ["x", "1_2", "_", "2026_1", "-1", "9" * 11])
def test_a_place_that_no_page_gave_is_refused(alice, some, as_user, after):
    answer = as_user(alice).get("/alice/private/issues", {"q": "", "after": after})
    assert answer.status_code == 400


@pytest.mark.django_db
def test_a_page_costs_few_queries(alice, some, django_assert_max_num_queries):
    wanted = query.parse('is:open author:bob label:"bad data" no:assignee')
    with django_assert_max_num_queries(6):
        page = listing.page(some, as_actor(alice), wanted, kind="issue")
        assert [[label.name for label in issue.labels.all()] for issue in page.rows] == [["bad data"]] * 3
        assert [list(issue.assignees.all()) for issue in page.rows] == [[]] * 3


@pytest.mark.django_db
def test_the_page_of_the_list_costs_few_queries(bob, some, as_user, django_assert_max_num_queries):
    client = as_user(bob)
    for text in ("is:open", 'is:open author:bob label:"bad data" no:assignee'):
        with django_assert_max_num_queries(18):
            assert client.get("/alice/private/issues", {"q": text}).status_code == 200


@pytest.mark.django_db
def test_words_are_looked_for_in_so_many_texts_and_the_page_says_so(alice, some, as_user, monkeypatch):
    monkeypatch.setattr(listing, "MOST_READ", 3)
    actor = as_actor(alice)
    first = listing.page(some, actor, query.parse("is:open issue"), kind="issue")
    assert ([issue.number for issue in first.rows], first.partial) == ([9, 8, 7], True)
    narrow = listing.page(some, actor, query.parse("is:open author:bob issue"), kind="issue")
    assert ([issue.number for issue in narrow.rows], narrow.partial) == ([9, 6, 3], False)
    page = as_user(alice).get("/alice/private/issues", {"q": "is:open issue"}).content.decode()
    assert "in the first 3 texts only" in page


@pytest.mark.django_db
def test_who_is_asked_to_review_is_found(alice, bob, private, opened):
    issue = opened(alice, private, "Look", is_pull=True)
    pull = PullRequest.objects.create(issue=issue, base="main", head="work", base_id="0" * 40, head_id="1" * 40)
    ReviewRequest.objects.create(pull=pull, user=bob, by=alice, created=issue.created)
    wanted = query.parse("is:open review-requested:@me")
    found = [listing.page(seen(who, private), as_actor(who), wanted, kind="pull").rows for who in (bob, alice)]
    assert found == [[issue], []]
    assert ("Review asked", "is:open review-requested:@me") in saved.usual(as_actor(bob), kind="pull")
