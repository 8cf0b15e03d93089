"""GitHub's paths of forks, and pull requests across them."""

from __future__ import annotations

import subprocess

import pytest
from django.test import Client

from repos import repositories
from repos.forks import making
from repos.git import commands
from repos.git.store import refs
from repos.models import Repository
from tests.repos.forks.conftest import forked, settle
from tests.repos.issues.conftest import as_actor, seen
from tests.support import asgi
from tests.support.writer import Writer

pytestmark = pytest.mark.django_db
FORKS = "/api/v1/repos/alice/public/forks"


@pytest.fixture
def ask(token_of):
    """ask(user, method, path, body, **options of the token)"""

    def asked(user, method, path, body=None, **options):
        headers = {"HTTP_AUTHORIZATION": f"Bearer {token_of(user, **options)}"} if user else {}
        return Client().generic(method, path, body or "", content_type="application/json", **headers)

    return asked


def test_one_forks_and_finds_it_again(bob, public, project, ask):
    made = ask(bob, "POST", FORKS, '{"name": "mine", "private": true}')
    told = made.json()
    assert (made.status_code, told["full_name"], told["fork"], told["private"]) == (202, "bob/mine", True, True)
    assert told["parent"]["full_name"] == "alice/public"
    settle()
    assert ask(bob, "GET", "/api/v1/repos/bob/mine").json()["empty"] is False
    assert ask(bob, "POST", FORKS).json()["full_name"] == "bob/mine"


def test_lists_and_counts_are_those_of_who_asks(alice, bob, charlie, public, project, ask):
    forked(bob, public, private=True)
    forked(charlie, public)
    public_api = "/api/v1/repos/alice/public"
    told = {user.username: [row["full_name"] for row in ask(user, "GET", FORKS).json()] for user in (alice, bob)}
    assert told == {"alice": ["charlie/public"], "bob": ["charlie/public", "bob/public"]}
    counts = {user.username: ask(user, "GET", public_api).json()["forks_count"] for user in (alice, bob)}
    assert counts == {"alice": 1, "bob": 2}
    repositories.update(as_actor(alice), public, private=True)
    assert ask(alice, "GET", "/api/v1/repos/charlie/public").json()["parent"]["full_name"] == "alice/public"
    assert ask(bob, "GET", "/api/v1/repos/charlie/public").json()["parent"] is None


@pytest.mark.parametrize("scopes", [["repo:write"], ["data:read", "repo:read"]])
def test_a_small_token_does_not_fork(bob, public, project, ask, scopes):
    assert ask(bob, "POST", FORKS, scopes=scopes).status_code == 403
    assert Repository.objects.count() == 1


def test_strangers_and_bad_input(alice, bob, charlie, public, private, project, ask):
    assert ask(None, "POST", FORKS).status_code == 401
    assert ask(charlie, "POST", "/api/v1/repos/alice/private/forks").status_code == 404
    assert ask(bob, "PUT", FORKS).status_code == 405
    assert ask(alice, "POST", FORKS).status_code == 422
    assert ask(bob, "POST", FORKS, '{"name": "../x"}').status_code == 422
    assert ask(bob, "POST", FORKS, '{"private": "perhaps"}').status_code == 400
    assert ask(bob, "POST", "/api/v1/repos/alice/public/merge-upstream", '{"branch": "main"}').status_code == 403


def test_a_fork_is_synced(bob, public, project, ask):
    fork = forked(bob, public)
    new = project.commit({"c.txt": "c\n"}, "Third")
    answer = ask(bob, "POST", "/api/v1/repos/bob/public/merge-upstream", '{"branch": "main"}')
    assert (answer.status_code, answer.json()["merge_type"], answer.json()["base_branch"]) == (
        200,
        "fast-forward",
        "alice:main",
    )
    assert refs(fork.path)["refs/heads/main"] == new
    assert ask(bob, "POST", "/api/v1/repos/bob/public/merge-upstream", '{"branch": "gone"}').status_code == 404


def test_a_pull_request_across_forks(alice, bob, charlie, public, project, ask):
    fork = forked(bob, public, private=True)
    tip = Writer(fork, fork.path, count=20).commit({"b": "b"}, "Work", branch="work", start=project.tips["main"])
    body = '{"title": "Work", "base": "main", "head": "bob:work"%s}'
    refused = ask(bob, "POST", "/api/v1/repos/alice/public/pulls", body % "")
    assert (refused.status_code, "readable by everybody" in refused.json()["error"]) == (422, True)
    assert "commits_become_public=true" in refused.json()["details"]
    made = ask(bob, "POST", "/api/v1/repos/alice/public/pulls", body % ', "commits_become_public": true')
    head = made.json()["head"]
    assert (made.status_code, head["label"], head["sha"], head["repo"]) == (201, "bob:work", tip, None)
    listed = ask(charlie, "GET", "/api/v1/repos/alice/public/pulls?head=bob:work").json()
    assert [one["number"] for one in listed] == [1]
    assert ask(charlie, "GET", "/api/v1/repos/alice/public/pulls?head=alice:other").json() == []
    assert ask(charlie, "GET", "/api/v1/repos/alice/public/pulls/1").json()["mergeable"] is True
    merged = ask(alice, "PUT", "/api/v1/repos/alice/public/pulls/1/merge", "{}")
    assert merged.status_code == 200


def test_git_gives_nothing_of_the_one_through_the_other(bob, public, project, tmp_path):
    """By upload-pack with the hub's own configuration, which gives any object of a store to whoever knows its id."""
    gone = project.commit({"secret.txt": "s\n"}, "Secret", branch="gone", start=project.tips["main"])
    project.git("update-ref", "-d", "refs/heads/gone")
    fork = forked(bob, public, private=True)
    mine = Writer(fork, fork.path, count=20).commit({"b": "b"}, "Mine", branch="mine", start=project.tips["main"])

    def fetched(repository: Repository, sha: str) -> bool:
        mine = tmp_path / f"{repository.pk}-{sha}"  # what a clone has, git asks nobody for
        subprocess.run(["git", "init", "-q", str(mine)], check=True)
        asked = ["git", "-C", str(mine), "-c", "protocol.allow=always", "fetch", "-q", str(repository.path), sha]
        return subprocess.run(asked, check=False, env=commands.environment(), capture_output=True).returncode == 0

    assert fetched(public, gone), "of its own store git gives what no branch reaches: so stores are not shared"
    assert not fetched(fork, gone)
    assert not fetched(public, mine)
    assert fetched(fork, mine)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("headers", [{}, {"git-protocol": "version=2"}])
def test_a_fork_that_is_being_copied_is_not_cloned_as_an_empty_one(bob, public, project, headers):
    made, _ = making.fork(as_actor(bob), seen(bob, public), making.Wish())
    address = f"/{made.full_name}.git/info/refs?service=git-upload-pack"
    answer = asgi.ask("GET", address, headers=headers)
    assert (answer.status, b"bob/public is being copied" in answer.body) == (503, True)
    assert answer.headers["content-type"].startswith("text/plain")  # so that git shows it
    settle()
    assert asgi.ask("GET", address, headers=headers).status == 200


@pytest.mark.django_db(transaction=True)
def test_a_fork_whose_copy_failed_is_cloned_to_be_filled_by_hand(bob, public, project):
    made, _ = making.fork(as_actor(bob), seen(bob, public), making.Wish())
    repositories.delete(as_actor(public.owner.user), public)
    settle()
    assert asgi.ask("GET", f"/{made.full_name}.git/info/refs?service=git-upload-pack").status == 200
