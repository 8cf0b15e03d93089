""".covey/OWNERS: who owns what, asked to review by the hub, and needed where a rule says so."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from datasets.pulls import reviewed
from hub.lib.errors import Denied, NotFound, Unprocessable
from repos.models import Access, Membership
from repos.protection import asking, owners
from repos.pulls import merging, opening, requirements
from repos.pulls.merging import Order
from repos.pulls.requirements import RequirementsUnmet
from repos.reviews import reviewing
from tests.repos.issues.conftest import as_actor, seen
from tests.repos.protection.conftest import work
from tests.repos.pulls.conftest import again

pytestmark = pytest.mark.django_db
PAGE = "/alice/private/pull/1"


@pytest.mark.parametrize(
    ("pattern", "path", "owned"),
    [
        ("*", "a/b.py", True),
        ("*.py", "deep/down/x.py", True),
        ("*.py", "x.pyc", False),
        ("/x.py", "x.py", True),
        ("/x.py", "a/x.py", False),
        ("data/", "data/a/b.csv", True),
        ("data/", "other/data/a.csv", True),
        ("/data/", "other/data/a.csv", False),
        ("data", "data/a.csv", True),
        ("docs/*", "docs/a.md", True),
        ("docs/*", "docs/a/b.md", False),
        ("docs/**/x", "docs/a/b/x", True),
        ("a/b", "c/a/b", False),
        ("ü*", "üb", True),
    ],
)
def test_what_a_pattern_owns(pattern, path, owned):
    assert owners.parse(f"{pattern} @bob").of(path) == (("bob",) if owned else ())


def test_the_last_line_counts_and_bad_lines_are_told():
    found = owners.parse("# all\n* @alice\n*.py @Bob @bob @carol # code\n/free.py\n[a] @x\n!b @x\nc d@e.f\n\n")
    assert (found.of("a.txt"), found.of("a.py"), found.of("free.py")) == (("alice",), ("bob", "carol"), ())
    assert [problem.split(":")[0] for problem in found.problems] == ["Line 5", "Line 6", "Line 7"]


def test_hostile_files_take_no_time():
    text = "\n".join(f"{'**a' * 60}{number} @bob" for number in range(1000))
    began = time.process_time()
    found = owners.parse(text)
    for number in range(20):
        found.of("a/" * 500 + str(number))
    assert time.process_time() - began < 10


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes_are_read(data):
    found = owners.parse(data.decode("utf-8", "surrogateescape"))
    assert isinstance(found.of("a/b.py"), tuple)


@pytest.fixture
def made(private, writer):
    return writer(private)


@pytest.fixture
def owned(private, made, alice, bob, charlie):
    """bob and charlie own *.txt; charlie may write. `work` changes b.txt."""
    Membership.objects.create(user=charlie, repository=private, access=Access.WRITE)
    text = "*.txt @bob @charlie @ghost\nno @\n"
    first = made.commit({"a.txt": "a\n", ".covey/OWNERS": text}, "First")
    made.commit({"b.txt": "b\n", ".covey/OWNERS": "*.txt @alice\n"}, "Work", branch="work", start=first)
    return opening.open_pull(as_actor(alice), seen(alice, private), title="Work", base="main", head="work")


def approve(user, pull):
    reviewing.submit(as_actor(user), again(user, pull), "approve")


def test_owners_are_asked_once(alice, bob, owned, as_user):
    work()
    work()
    assert [one.request.user.username for one in asking.asked(owned)] == ["bob", "charlie"]
    page = as_user(alice).get(f"{PAGE}/reviewers").content.decode()
    assert "as owner" in page
    assert ".covey/OWNERS: Line 2" in page
    assert owned.issue.entries.filter(kind="review_asked").count() == 2
    approve(bob, owned)
    assert {one.request.user.username: one.said for one in asking.asked(owned)} == {"bob": "approved", "charlie": ""}
    asking.unask(as_actor(alice), again(alice, owned), ["Charlie"])
    requirements_event = as_user(alice).get(PAGE).content.decode()
    assert "took back that" in requirements_event
    asking.ask_owners(again(alice, owned))
    assert [one.request.user.username for one in asking.asked(owned)] == ["bob"]
    asking.ask(as_actor(alice), again(alice, owned), ["bob"])
    assert [one.said for one in asking.asked(owned)] == [""]


def test_a_rule_needs_an_owner_of_each_path(alice, bob, private, owned, ruled):
    ruled(owners=True, approvals_of_head=True)
    with pytest.raises(RequirementsUnmet, match=r"Owners: b.txt is owned by @bob or @charlie or @ghost") as caught:
        merging.merge(as_actor(alice), again(alice, owned), Order())
    assert caught.value.details == "Ask @bob or @charlie to approve."
    approve(bob, owned)
    merging.merge(as_actor(alice), again(alice, owned), Order())


def test_owners_of_whom_none_may_approve_are_told(alice, owned, ruled):
    ruled(owners=True)
    Membership.objects.update(access=Access.READ)
    with pytest.raises(RequirementsUnmet) as caught:
        merging.merge(as_actor(alice), again(alice, owned), Order())
    assert "give them write access" in caught.value.details


def test_what_its_author_owns_needs_nobody_else(alice, bob, private, owned, ruled, made):
    ruled(owners=True)
    made.commit({"c.txt": "c\n"}, "Bobs", branch="bobs", start=made.git("rev-parse", "main"))
    pull = opening.open_pull(as_actor(bob), seen(bob, private), title="Mine", base="main", head="bobs")
    merging.merge(as_actor(alice), again(alice, pull), Order())


def test_an_author_who_may_not_write_owns_nothing(alice, bob, private, owned, ruled, made):
    """Who lost access since, or took a name of the file that was nobody's."""
    ruled(owners=True)
    made.commit({"c.txt": "c\n"}, "Bobs", branch="bobs", start=made.git("rev-parse", "main"))
    pull = opening.open_pull(as_actor(bob), seen(bob, private), title="Mine", base="main", head="bobs")
    Membership.objects.filter(user=bob).update(access=Access.READ)
    with pytest.raises(RequirementsUnmet, match=r"Owners: c\.txt is owned by"):
        merging.merge(as_actor(alice), again(alice, pull), Order())


def test_reviewers_are_asked_by_people(alice, bob, charlie, pull, as_user):
    client = as_user(alice)
    assert client.post(f"{PAGE}/reviewers/ask", {"reviewer": "@bob"}).status_code == 302
    assert b"asked" in client.get(f"{PAGE}/reviewers").content
    assert client.get(f"{PAGE}/reviewers/ask").status_code == 405
    assert client.post(f"{PAGE}/reviewers/ask", {"reviewer": "charlie"}).status_code == 404
    for path in ("reviewers", "reviewers/ask", "reviewers/bob/remove"):
        method = as_user(charlie).get if path == "reviewers" else as_user(charlie).post
        assert method(f"{PAGE}/{path}").status_code == 404
    with pytest.raises(Unprocessable, match="their own"):
        asking.ask(as_actor(bob), again(bob, pull), ["alice"])
    Membership.objects.filter(user=bob).update(access=Access.READ)
    with pytest.raises(Denied):
        asking.ask(as_actor(bob), again(bob, pull), ["alice"])
    with pytest.raises(NotFound):
        asking.ask(as_actor(alice), again(alice, pull), ["bob\0"])
    assert as_user(bob).post(f"{PAGE}/reviewers/bob/remove").status_code == 403
    assert client.post(f"{PAGE}/reviewers/bob/remove").status_code == 302
    assert asking.asked(pull) == []


def test_the_api_of_reviewers(api, alice, bob, charlie, pull):
    path = "/api/v1/repos/alice/private/pulls/1/requested_reviewers"
    assert api(bob).get(path).json() == {"users": [], "teams": []}
    made = api(alice).post(path, {"reviewers": ["bob"]}, format="json")
    assert made.status_code == 201
    assert [user["login"] for user in made.json()["requested_reviewers"]] == ["bob"]
    approve(bob, pull)
    assert api(bob).get(path).json()["users"] == []
    for bad in ({}, {"reviewers": []}, {"reviewers": "bob"}, {"reviewers": ["x"] * 30}):
        assert api(alice).post(path, bad, format="json").status_code == 400
    assert api(alice).post(path, {"reviewers": ["nobody"]}, format="json").status_code == 404
    assert api(charlie).post(path, {"reviewers": ["bob"]}, format="json").status_code == 404
    assert api(alice, scopes=["issues:read", "repo:read"]).post(path, {}, format="json").status_code == 403
    assert api(alice).delete(path, {"reviewers": ["bob"]}, format="json").status_code == 204


def test_one_box_has_the_asked_and_whose_word_stands(alice, bob, charlie, private, pull, as_user):
    private.memberships.create(user=charlie, access=Access.WRITE)
    asking.ask(as_actor(alice), again(alice, pull), ["bob"])
    approve(charlie, pull)
    reviewing.submit(as_actor(bob), again(bob, pull), "request_changes", "Mend it")
    found = [(one.user.username, one.state, bool(one.request)) for one in asking.reviewers(again(alice, pull))]
    assert found == [("bob", "changes_requested", True), ("charlie", "approved", False)]
    page = as_user(alice).get(f"{PAGE}/reviewers").content.decode()
    assert page.count("<h2>") == 1
    assert page.count("/dismiss") == 2
    asking.ask(as_actor(alice), again(alice, pull), ["bob"])
    assert "Asked again" in as_user(alice).get(f"{PAGE}/reviewers").content.decode()


def test_asking_costs_few_queries(alice, pull, as_user, django_assert_max_num_queries):
    client = as_user(alice)
    client.get(f"{PAGE}/reviewers")
    with django_assert_max_num_queries(14):
        client.get(f"{PAGE}/reviewers")


def test_data_that_nobody_approved_blocks(alice, bob, private, project, pull, ruled):
    ruled(reviewed_data=True)

    def found():
        tips = [project.git("rev-parse", branch) for branch in ("main", "work")]
        return [one.why for one in requirements.unmet(again(alice, pull), *tips)]

    assert found() == []
    project.commit({"data/x.csv.dvc": "outs: []\n"}, "Data", branch="work")
    assert found() == ["data/x.csv.dvc changed and nobody has approved it."]
    approve(bob, pull)
    assert found() == []
    project.commit({"code.py": "1\n"}, "Code", branch="work")
    assert found() == []
    project.commit({"dvc.lock": "schema: '2.0'\n"}, "Train", branch="work")
    assert found() == ["dvc.lock changed after bob approved."]
    approve(bob, pull)
    assert found() == []


def test_many_sets_of_owners_hide_none(alice, bob, private, made, ruled):
    """bob owns most of it; what charlie owns comes after more sets than are told."""
    ruled(owners=True)
    text = "".join(f"/{n:02}.txt @bob @x{n}\n" for n in range(30)) + "/zz.txt @charlie\n"
    first = made.commit({".covey/OWNERS": text}, "First")
    changed = {f"{n:02}.txt": "x\n" for n in range(30)} | {"zz.txt": "z\n"}
    made.commit(changed, "Work", branch="work", start=first)
    pull = opening.open_pull(as_actor(bob), seen(bob, private), title="Mine", base="main", head="work")
    with pytest.raises(RequirementsUnmet, match=r"zz\.txt is owned by @charlie"):
        merging.merge(as_actor(bob), again(bob, pull), Order())


def test_more_files_than_are_looked_at_hide_nothing(alice, bob, private, made, ruled, monkeypatch):
    monkeypatch.setattr(owners, "MOST_PATHS", 2)
    monkeypatch.setattr(reviewed, "MOST_PATHS", 2)
    ruled(owners=True, reviewed_data=True)
    first = made.commit({".covey/OWNERS": "/z.dvc @charlie\n"}, "First")
    made.commit({"a": "1", "b": "1", "c": "1", "z.dvc": "outs: []\n"}, "Work", branch="work", start=first)
    pull = opening.open_pull(as_actor(alice), seen(alice, private), title="Many", base="main", head="work")

    def found():
        unmet = requirements.unmet(again(alice, pull), first, made.git("rev-parse", "work"))
        return {one.name: one.why for one in unmet}

    assert found() == {
        "Owners": "/z.dvc is owned by @charlie.",
        "Unreviewed data": "one of very many files changed and nobody has approved it.",
    }
    approve(bob, pull)
    assert found().keys() == {"Owners"}
    made.commit({"a": "2", "b": "2", "c": "2", "z.dvc": "outs: []\n# more\n"}, "More", branch="work")
    assert found()["Unreviewed data"] == "one of very many files changed after bob approved."


def test_an_approval_is_of_the_base_it_was_given_for(alice, bob, private, made, ruled, as_user):
    """Else a difference that looks small beside another branch would be approved for this one."""
    ruled(approvals=1, approvals_of_head=True)
    first = made.commit({"a.txt": "a\n"}, "First")
    bad = made.commit({"bad.txt": "bad\n"}, "Bad", branch="elsewhere", start=first)
    made.commit({"b.txt": "b\n"}, "Work", branch="work", start=bad)
    values = {"title": "Small", "base": "elsewhere", "head": "work"}
    pull = opening.open_pull(as_actor(alice), seen(alice, private), **values)
    approve(bob, pull)
    opening.change_base(as_actor(alice), again(alice, pull), "main")
    with pytest.raises(RequirementsUnmet, match="asks for 1, 0 of them given"):
        merging.merge(as_actor(alice), again(alice, pull), Order())
    assert "before the base was changed" in as_user(bob).get(f"{PAGE}/reviewers").content.decode()
    looked_at = {"verdict": "approve", "expected": made.git("rev-parse", "work")}
    assert as_user(bob).post(f"{PAGE}/review/submit", looked_at | {"base": "elsewhere"}).status_code == 409
    assert as_user(bob).post(f"{PAGE}/review/submit", looked_at | {"base": "main"}).status_code == 302
    merging.merge(as_actor(alice), again(alice, pull), Order())
