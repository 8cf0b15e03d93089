"""Saved searches: personal or everybody's, in an order, used and changed by those who may."""

from __future__ import annotations

import pytest

from hub.lib.errors import Conflict, Denied, NotFound, Unprocessable
from repos.issues import query, saved
from repos.models import Access, Membership
from tests.repos.issues.conftest import as_actor, seen

pytestmark = pytest.mark.django_db
BASE = "/alice/private"


@pytest.fixture
def keep(private):
    def make(user, name, *, shared=False, text="is:open", kind="issue", repository=private):
        return saved.save(as_actor(user), seen(user, repository), kind=kind, name=name, text=text, shared=shared)

    return make


@pytest.fixture
def names(private):
    return lambda user, kind="issue": [row.name for row in saved.usable(seen(user, private), as_actor(user), kind=kind)]


def test_shared_ones_come_first_then_ones_own(alice, bob, keep, names):
    keep(alice, "Mine")
    keep(alice, "Ours", shared=True)
    keep(bob, "His")
    keep(alice, "Pulls", kind="pull")
    assert (names(alice), names(bob), names(bob, "pull")) == (["Ours", "Mine"], ["Ours", "His"], [])


def test_a_name_is_saved_again_in_its_place(alice, keep, names):
    for name in ("One", "Two"):
        keep(alice, name)
    keep(alice, " One ", text="label:bug")
    assert names(alice) == ["One", "Two"]
    keep(alice, "One", shared=True)
    assert names(alice) == ["One", "Two"]


def test_they_are_put_in_order_and_removed(alice, bob, private, keep, names):
    rows = {name: keep(alice, name, shared=True) for name in ("One", "Two", "Three")}

    def row(name, user=alice):
        return saved.query_of(seen(user, private), as_actor(user), rows[name].pk)

    saved.move(as_actor(bob), row("Three", bob), up=True)  # who may write puts everybody's in order
    assert names(alice) == ["One", "Three", "Two"]
    for _ in range(2):
        saved.move(as_actor(alice), row("One"), up=False)
    saved.move(as_actor(alice), row("One"), up=False)  # the last stays last
    assert names(alice) == ["Three", "Two", "One"]
    saved.remove(as_actor(alice), row("Two"))
    assert names(alice) == ["Three", "One"]


def test_who_may_only_read_keeps_personal_ones(alice, charlie, public, keep):
    own = keep(charlie, "Mine", repository=public)
    assert saved.query_of(seen(charlie, public), as_actor(charlie), own.pk) == own
    with pytest.raises(Denied):
        keep(charlie, "Ours", shared=True, repository=public)
    with pytest.raises(NotFound):
        saved.query_of(seen(alice, public), as_actor(alice), own.pk)
    ours = keep(alice, "Ours", shared=True, repository=public)
    with pytest.raises(Denied):
        saved.remove(as_actor(charlie), saved.query_of(seen(charlie, public), as_actor(charlie), ours.pk))


def test_what_somebody_shared_stays_everybodys_when_they_lose_access(bob, private, keep, names):
    row, own = keep(bob, "Ours", shared=True), keep(bob, "Mine")
    Membership.objects.filter(repository=private, user=bob).update(access=Access.READ)
    row, own = (saved.query_of(seen(bob, private), as_actor(bob), one.pk) for one in (row, own))
    for change in (
        lambda: saved.move(as_actor(bob), row, up=True),
        lambda: saved.remove(as_actor(bob), row),
        lambda: keep(bob, "Ours", shared=False),
        lambda: keep(bob, "Ours", shared=True, text="is:closed"),
    ):
        with pytest.raises(Denied):
            change()
    saved.remove(as_actor(bob), own)
    assert names(bob) == ["Ours"]


def test_bad_names_and_searches_are_refused(alice, bob, private, public, keep, monkeypatch):
    for name in ("", " ", "x" * 101, "a\0", "\ud800"):
        with pytest.raises(Unprocessable):
            keep(alice, name)
    for text in ("lable:bug", "x" * 1001, "a\0"):
        with pytest.raises(Unprocessable):
            keep(alice, "Fine", text=text)
    keep(alice, "Ours", shared=True)
    with pytest.raises(Conflict):
        keep(bob, "Ours", shared=True)
    with pytest.raises(NotFound):
        saved.query_of(seen(alice, public), as_actor(alice), 10**30)
    monkeypatch.setattr(saved, "MOST", 1)
    with pytest.raises(Unprocessable):
        keep(alice, "Another", shared=True)


def test_the_pages_keep_move_and_remove(bob, private, as_user):
    client = as_user(bob)
    form = {"kind": "issue", "q": 'label:"bad data"', "name": "<i>Bad</i> data", "shared": "1"}
    made = client.post(f"{BASE}/issues/searches/save", form)
    assert made.headers["Location"] == f"{BASE}/issues?q=label%3A%22bad+data%22"
    page = client.get(f"{BASE}/issues").content.decode()
    assert "&lt;i&gt;Bad&lt;/i&gt; data</a>" in page
    assert "Assigned to me" in page
    pk = saved.usable(private, as_actor(bob), kind="issue")[0].pk
    for verb in ("up", "down", "remove"):
        assert client.post(f"{BASE}/issues/searches/{pk}/{verb}").status_code == 302
    assert client.post(f"{BASE}/issues/searches/{pk}/remove").status_code == 404
    refused = client.post(f"{BASE}/issues/searches/save", {**form, "name": " "}, follow=True)
    assert "The name is empty." in refused.content.decode()


def test_readers_are_refused_what_is_everybodys(alice, charlie, private, keep, as_user):
    row = keep(alice, "Ours", shared=True)
    urls = [f"{BASE}/issues/searches/{row.pk}/{verb}" for verb in ("up", "down", "remove")]
    client = as_user(charlie)
    assert [client.post(url).status_code for url in urls] == [404] * 3
    Membership.objects.create(repository=private, user=charlie, access=Access.READ)
    assert [client.post(url).status_code for url in urls] == [403] * 3
    assert [client.get(url).status_code for url in [*urls, f"{BASE}/issues/searches/save"]] == [405] * 4


@pytest.mark.parametrize(
    ("text", "term", "expected"),
    [
        ("is:open", ("label", "bad data"), ('is:open label:"bad data"', False)),
        ('is:open label:"Bad Data" x', ("label", "bad data"), ("is:open x", True)),
        ("label:a", ("label", "b"), ("label:a label:b", False)),
        ("no:label", ("label", "b"), ("label:b", False)),
        ("label:a -label:b", ("no", "label"), ("-label:b no:label", False)),
        ("is:open is:pr", ("is", "closed"), ("is:pr is:closed", False)),
        ("author:bob crash", ("author", "@me"), ("crash author:@me", False)),
        ("sort:updated-asc no:milestone", ("sort", "created-desc"), ("no:milestone sort:created-desc", False)),
        ('milestone:"Clean labels"', ("no", "milestone"), ("no:milestone", False)),
        ('"a b" c', ("assignee", "bob"), ('"a b" c assignee:bob', False)),
    ],
)
def test_one_click_writes_the_search(text, term, expected):
    assert query.toggled(text, *term) == expected
    query.parse(expected[0])
