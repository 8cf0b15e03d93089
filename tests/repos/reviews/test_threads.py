"""Threads: begun at a line, answered, resolved; folded into the conversation, and hidden from strangers."""

from __future__ import annotations

import json

import pytest

from hub.lib.errors import Denied, NotFound, Unprocessable
from repos.issues import conversation, states, threads
from repos.issues.models import Entry, Issue, Thread
from repos.issues.threads import Spot
from repos.models import Access, Membership
from tests.repos.issues.conftest import as_actor, seen
from tests.repos.pulls.conftest import again

pytestmark = pytest.mark.django_db
BASE = "/alice/private"


@pytest.fixture
def begun(bob, pull, project):
    """begun(user=bob, body="Why?", path=…, **detail) → the entry that begins a thread on #1."""

    def make(user=bob, body="Why?", path="a.txt", rev="", **detail):
        spot = Spot("line", path, rev or project.tips["work"], {"line": 4, **detail})
        return threads.begin(as_actor(user), again(user, pull).issue, spot, body)

    return make


def test_it_quotes_the_lines_and_what_comes_before(begun):
    detail = begun(start=4, line=5).thread.detail
    assert detail == {
        "side": "new", "start": 4, "line": 5, "from": 1,
        "quoted": ["line 0", "line 1", "line 2", "line three", "line 4"],
    }  # fmt: skip


@pytest.mark.parametrize(
    "detail",
    [{"line": 0}, {"line": 21}, {"start": 5, "line": 4}, {"line": "4"}, {"line": True}, {"line": None},
     {"side": "left"}, {"side": ["new"]}, {"start": -1}, {"line": 10**30}, {"start": [], "line": {}}],
)  # fmt: skip
def test_lines_that_are_none_are_refused(begun, detail):
    with pytest.raises(Unprocessable):
        begun(**detail)
    assert not Thread.objects.exists()
    assert not Entry.objects.exists()


@pytest.mark.parametrize(
    "path", ["no.txt", "../a.txt", "/a.txt", "a.txt/", "src", "a\udcff.txt", "a\0", "", "x" * 1001]
)
def test_paths_that_are_no_files_are_refused(begun, path):
    with pytest.raises((NotFound, Unprocessable)):
        begun(path=path)


@pytest.mark.parametrize("rev", ["main", "0" * 40, "HEAD~1", "--all", "a" * 41])
def test_revisions_are_full_ids_of_commits_here(begun, rev):
    with pytest.raises(NotFound):
        begun(rev=rev)


@pytest.mark.parametrize("path", ["a\udcff.txt", "a\0"])
def test_nothing_is_said_about_a_file_whose_name_no_database_holds(begun, bob, private, path):
    begun()
    assert threads.at(seen(bob, private), as_actor(bob), Thread.Kind.LINE, path) == []


def test_an_unknown_kind_is_refused(bob, pull):
    with pytest.raises(Unprocessable, match="Nothing can be said"):
        threads.begin(as_actor(bob), again(bob, pull).issue, Spot("moon", "a.txt"), "Hm")


def test_replies_stand_below_their_thread_in_the_conversation(begun, alice, bob, pull, as_user):
    first = begun(body="First of the thread")
    conversation.comment(as_actor(bob), again(bob, pull).issue, "Loose comment")
    threads.reply(as_actor(alice), first.thread, "Reply to the first")
    page = as_user(bob).get(f"{BASE}/pull/1").content.decode()
    positions = [page.index(text) for text in ("First of the thread", "Reply to the first", "Loose comment")]
    assert positions == sorted(positions)
    assert page.count("Reply to the first") == 1
    assert "line three" in page
    assert again(bob, pull).issue.comments_count == 3


def test_a_long_thread_hides_its_middle_and_gives_it_in_pages(begun, bob, pull, as_user, django_assert_max_num_queries):
    first = begun(body="The beginning")
    now = first.created
    Entry.objects.bulk_create(
        Entry(issue=first.issue, thread=first.thread, author=bob, body=f"reply-{n}-", created=now) for n in range(1000)
    )
    client = as_user(bob)
    with django_assert_max_num_queries(30):
        page = client.get(f"{BASE}/pull/1").content.decode()
    assert "The beginning" in page
    assert "reply-999-" in page
    assert "reply-979-" not in page
    assert "Show 980 hidden comments" in page
    before = Entry.objects.get(body="reply-980-").pk
    htmx = {"HX-Request": "true"}
    hidden = client.get(f"{BASE}/issues/threads/{first.thread.pk}?before={before}", headers=htmx).content.decode()
    assert "reply-979-" in hidden
    assert "reply-930-" in hidden
    assert "reply-929-" not in hidden
    assert "Show 930 hidden comments" in hidden
    assert client.get(f"{BASE}/issues/threads/{first.thread.pk}?before=x").status_code == 400


def test_a_page_of_threads_costs_a_fixed_number_of_queries(begun, bob, as_user, django_assert_max_num_queries):
    for number in range(1, 16):
        entry = begun(line=number, body=f"On line {number}")
        threads.reply(as_actor(bob), entry.thread, "More")
    client = as_user(bob)
    client.get(f"{BASE}/pull/1")
    with django_assert_max_num_queries(30):
        assert client.get(f"{BASE}/pull/1").content.decode().count("On line") == 15


def test_it_is_resolved_by_those_it_concerns(begun, alice, bob, charlie, private):
    Membership.objects.create(repository=private, user=charlie, access=Access.READ)
    thread = begun(user=bob).thread
    thread = threads.thread_of(seen(charlie, private), thread.pk)
    with pytest.raises(Denied):
        threads.resolve(as_actor(charlie), thread)
    own = begun(user=charlie).thread
    threads.resolve(as_actor(charlie), threads.thread_of(seen(charlie, private), own.pk))
    threads.resolve(as_actor(alice), threads.thread_of(seen(alice, private), thread.pk))
    thread.refresh_from_db()
    assert thread.resolved_by == alice
    threads.unresolve(as_actor(bob), threads.thread_of(seen(bob, private), thread.pk))
    thread.refresh_from_db()
    assert thread.resolved is None


def test_a_locked_conversation_takes_no_thread(begun, alice, bob, charlie, private, pull):
    Membership.objects.create(repository=private, user=charlie, access=Access.READ)
    thread = begun(user=charlie).thread
    states.lock(as_actor(alice), again(alice, pull).issue, True)
    locked = threads.thread_of(seen(charlie, private), thread.pk)
    for act in (lambda: begun(user=charlie), lambda: threads.reply(as_actor(charlie), locked, "But"),
                lambda: threads.resolve(as_actor(charlie), locked)):  # fmt: skip
        with pytest.raises(Denied):
            act()


def test_they_are_found_at_their_place(begun, bob, private, actor_of):
    thread = begun().thread
    begun(path="new.txt", line=1)
    assert threads.at(private, actor_of(bob), "line", "a.txt") == [thread]
    assert threads.at(private, actor_of(bob), "line", "a\0") == []
    assert threads.at(private, actor_of(bob).__class__(user=bob, scopes=frozenset()), "line", "a.txt") == []


# ---- pages --------------------------------------------------------------------------------------------------------
VERBS = {"/reply": {"body": "So"}, "/resolve": {}, "/unresolve": {}}


@pytest.mark.parametrize("verb", VERBS)
def test_verbs_of_a_thread(begun, bob, charlie, private, as_user, verb):
    address = f"{BASE}/issues/threads/{begun().thread.pk}{verb}"
    assert as_user(bob).get(address).status_code == 405
    assert as_user(charlie).post(address, VERBS[verb]).status_code == 404
    Membership.objects.create(repository=private, user=charlie, access=Access.READ)
    assert as_user(charlie).post(address, VERBS[verb]).status_code == (302 if verb == "/reply" else 403)
    fragment = as_user(bob).post(address, VERBS[verb], headers={"HX-Request": "true"})
    assert fragment.status_code == 200
    assert fragment.content.decode().strip().startswith("<section")
    assert as_user(None).post(address).headers["Location"].startswith("/account/login?")


def test_threads_of_another_repository_are_absent(begun, alice, public, as_user):
    thread = begun().thread
    assert as_user(alice).get(f"/alice/public/issues/threads/{thread.pk}").status_code == 404
    assert as_user(alice).post(f"/alice/public/issues/threads/{thread.pk}/resolve").status_code == 404
    assert as_user(alice).get(f"{BASE}/issues/threads/{'9' * 30}").status_code == 404


def form_of(project, **fields):
    detail = json.dumps({"start": 1, "line": 2})
    return {"kind": "line", "path": "a.txt", "rev": project.tips["main"], "detail": detail, **fields}


def test_a_comment_on_a_line_opens_an_issue(project, bob, private, as_user):
    client, address = as_user(bob), f"{BASE}/issues/threads/begin"
    assert "a.txt, lines 1 to 2" in client.get(address, form_of(project)).content.decode()
    made = client.post(address, form_of(project, title="Odd <b>", body="These two"))
    assert made.headers["Location"].startswith(f"{BASE}/issues/1#comment-")
    page = client.get(f"{BASE}/issues/1").content.decode()
    assert f"{BASE}/blob/{project.tips['main']}/a.txt#L1-L2" in page
    assert "line 1" in page
    into = client.post(address, form_of(project, issue="1", body="And again"))
    assert into.headers["Location"].startswith(f"{BASE}/issues/1#")
    assert Issue.objects.count() == 1
    assert client.put(address).status_code == 405
    assert client.get(f"{BASE}/issues/threads/{Thread.objects.first().pk}").headers["Location"].startswith(BASE)


@pytest.mark.parametrize(
    ("fields", "status"),
    [({"body": ""}, 422), ({"title": " ", "body": "x"}, 422), ({"issue": "77", "body": "x"}, 404),
     ({"issue": "x"}, 400), ({"detail": "["}, 400), ({"detail": "[" * 9999}, 400), ({"detail": "[]"}, 400),
     ({"kind": "moon"}, 422), ({"path": "no"}, 404)],
)  # fmt: skip
def test_a_bad_form_changes_nothing(project, bob, as_user, fields, status):
    given = form_of(project, **{"title": "Fine", "body": "Fine", **fields})
    assert as_user(bob).post(f"{BASE}/issues/threads/begin", given).status_code == status
    assert not Issue.objects.exists()
    assert not Thread.objects.exists()


def test_strangers_begin_nothing(project, charlie, as_user):
    assert as_user(charlie).get(f"{BASE}/issues/threads/begin", form_of(project)).status_code == 404
    assert as_user(charlie).post(f"{BASE}/issues/threads/begin", form_of(project)).status_code == 404
