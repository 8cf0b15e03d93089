"""The pages of forks: four questions each, and what they tell to whom."""

from __future__ import annotations

import pytest
from django.test import Client

from repos import repositories
from repos.git.store import refs
from repos.models import Access, Membership, Repository
from repos.pulls.models import PullRequest
from tests.repos.forks.conftest import forked, settle
from tests.repos.issues.conftest import as_actor, seen
from tests.support.writer import Writer

pytestmark = pytest.mark.django_db
PAGES = ["/forks", "/fork", "/fork/progress", "/fork/standing", "/compare/main...bob:work"]
VERBS = ["/fork/create", "/fork/again", "/fork/sync"]


@pytest.fixture
def fork(bob, public, project) -> Repository:
    made = forked(bob, public)
    Writer(made, made.path, count=20).commit({"b.txt": "b\n"}, "Work", branch="work", start=project.tips["main"])
    return made


def client(user) -> Client:
    found = Client()
    if user:
        found.force_login(user)
    return found


@pytest.mark.parametrize("page", PAGES)
def test_readers_see_it_and_strangers_nothing(alice, bob, charlie, public, fork, page):
    whole = "/bob/public" if page in {"/fork/progress", "/fork/standing"} else "/alice/public"
    assert client(charlie).get(f"{whole}{page}").status_code == 200
    assert client(charlie).post(f"{whole}{page}").status_code == 405
    Repository.objects.update(private=True)
    assert client(charlie).get(f"{whole}{page}").status_code == 404


@pytest.mark.parametrize("verb", VERBS)
def test_a_verb_is_posted_by_who_may(charlie, public, fork, verb):
    assert client(charlie).get(f"/bob/public{verb}").status_code == 405
    assert client(None).post(f"/bob/public{verb}").status_code == 302
    assert client(charlie).post(f"/bob/public{verb}").status_code == (302 if verb == "/fork/create" else 403)
    Repository.objects.update(private=True)
    assert client(charlie).post(f"/bob/public{verb}").status_code == 404


def test_one_forks_and_sees_it_come(charlie, public, project):
    found = client(charlie)
    assert b'value="public"' in found.get("/alice/public/fork").content
    answer = found.post("/alice/public/fork/create", {"name": "mine", "visibility": "private", "description": "My own"})
    assert answer.headers["Location"] == "/charlie/mine"
    made = Repository.objects.get(name="mine")
    assert (made.private, made.description) == (True, "My own")
    page = found.get("/charlie/mine").content.decode()
    assert "Waiting for a worker" in page
    assert "forked from" in page
    assert "Waiting" in found.get("/charlie/mine/fork/progress").content.decode()
    for page in ("/experiments", "/pulls", "/issues"):  # what lists nothing of git; see test_being_copied
        assert "Being copied" in found.get(f"/charlie/mine{page}").content.decode(), page
    settle()
    assert "Being copied" not in found.get("/charlie/mine/data").content.decode()
    assert found.get("/charlie/mine/fork/progress").headers["HX-Redirect"] == "/charlie/mine"
    assert "Second" in found.get("/charlie/mine").content.decode()
    again = found.post("/alice/public/fork/create", {"name": "other"}, follow=True)
    assert "You have charlie/mine of it already" in again.content.decode()


def test_a_taken_name_is_said_beside_the_form(charlie, public, project):
    Repository.objects.create(owner=charlie.owner, name="public")
    answer = client(charlie).post("/alice/public/fork/create", {"name": "public", "visibility": "private"})
    page = answer.content.decode()
    assert answer.status_code == 422
    assert "charlie/public already exists. Choose another name." in page


def test_counts_and_names_are_told_to_those_who_may_know(alice, bob, charlie, public, project, fork):
    repositories.update(as_actor(bob), fork, private=True)
    assert 'aria-label="0 forks"' in client(charlie).get("/alice/public").content.decode()
    assert 'aria-label="1 fork"' in client(bob).get("/alice/public").content.decode()
    assert "bob/public" not in client(charlie).get("/alice/public/forks").content.decode()
    repositories.update(as_actor(bob), fork, private=False)
    repositories.update(as_actor(alice), public, private=True)
    page = client(charlie).get("/bob/public").content.decode()
    assert "forked from" not in page
    assert "alice" not in page
    assert client(charlie).get("/bob/public/fork/standing").content.strip() == b""


def test_a_fork_is_synced_by_a_button(bob, public, project, fork):
    new = project.commit({"c.txt": "c\n"}, "Third")
    line = client(bob).get("/bob/public/fork/standing").content.decode()
    assert "1 commit behind" in line
    assert "Sync fork" in line
    page = client(bob).post("/bob/public/fork/sync", {"branch": "main"}, follow=True).content.decode()
    assert "where that of alice/public is now" in page
    assert refs(fork.path)["refs/heads/main"] == new


def test_a_private_forks_commits_are_proposed_with_a_tick(alice, bob, public, fork):
    repositories.update(as_actor(bob), fork, private=True)
    page = client(bob).get("/alice/public/compare/main...bob:work").content.decode()
    assert "become readable by everybody" in page
    assert 'name="commits_become_public"' in page
    fields = {"title": "Work", "base": "main", "head": "bob:work"}
    refused = client(bob).post("/alice/public/pulls/create", fields)
    assert (refused.status_code, PullRequest.objects.count()) == (422, 0)
    assert 'name="commits_become_public"' in refused.content.decode()
    made = client(bob).post("/alice/public/pulls/create", {**fields, "commits_become_public": "1"})
    assert made.headers["Location"] == "/alice/public/pull/1"
    page = client(alice).get("/alice/public/pull/1").content.decode()
    assert "<code>bob:work</code>" in page
    assert "bob/public" not in page


def test_the_tabs_of_a_forks_pull_request_work(alice, bob, charlie, public, fork):
    client(bob).post("/alice/public/pulls/create", {"title": "Work", "base": "main", "head": "bob:work"})
    for tab in ("", "/commits", "/files", "/data", "/experiments", "/pipelines", "/merge-box"):
        answer = client(charlie).get(f"/alice/public/pull/1{tab}")
        assert answer.status_code == 200, tab
    assert "bob/public/datasets/diff" in client(charlie).get("/alice/public/pull/1/data").content.decode()
    repositories.update(as_actor(bob), fork, private=True)
    assert "/alice/public/datasets/diff" in client(charlie).get("/alice/public/pull/1/data").content.decode()
    assert client(alice).get("/alice/public/pull/1/merge-box").status_code == 200


def test_commits_of_a_fork_are_not_found_in_the_parent(alice, bob, public, fork):
    tip = refs(fork.path)["refs/heads/work"]
    assert client(bob).get(f"/bob/public/commit/{tip}").status_code == 200
    for page in (f"commit/{tip}", f"tree/{tip}", f"raw/{tip}/b.txt", f"compare/main...{tip}"):
        assert client(bob).get(f"/alice/public/{page}").status_code == 404, page


def test_a_kept_private_fork_says_why(bob, private, writer):
    writer(private).commit({"a": "a\n"}, "First")
    forked(bob, private)
    answer = client(bob).post("/bob/private/settings/visibility", {"visibility": "public"}, follow=True)
    assert "stays private" in answer.content.decode()


def test_a_front_page_asks_few_queries(bob, public, fork, django_assert_max_num_queries):
    found = client(bob)
    found.get("/alice/public")
    with django_assert_max_num_queries(14):
        found.get("/alice/public")
    assert Membership.objects.filter(access=Access.READ).count() == 0
    assert seen(bob, public).forked
