"""POST /user/repos and /new."""

from __future__ import annotations

import subprocess

import pytest

from hub.accounts.models import AuditEvent
from hub.jobs.models import Outbox
from repos.git import store
from repos.models import OldName, Push, Repository

pytestmark = pytest.mark.django_db
URL = "/api/v1/user/repos"


def git(path, *arguments):
    return subprocess.run(
        ["git", "--git-dir", str(path), *arguments], check=True, capture_output=True, text=True
    ).stdout


def test_it_answers_the_form_of_the_dagshub_client(api, alice, git_root):
    """Its form has every None as an empty string (wire/dagshub.md §2.2)."""
    form = "name=mnist&description=&private=true&auto_init=false&gitignores=Python&license="
    form += "&readme=&project_template=custom"
    answer = api(alice).post(URL, form, content_type="application/x-www-form-urlencoded")
    assert answer.status_code == 201
    body = answer.json()
    assert (body["owner"]["login"], body["name"], body["default_branch"], body["empty"]) == (
        "alice",
        "mnist",
        "main",
        True,
    )
    assert body["private"] is True
    path = store.path_of(git_root, body["id"])
    assert git(path, "symbolic-ref", "HEAD") == "refs/heads/main\n"
    assert AuditEvent.objects.get().action == "repository.create"


def test_it_is_private_unless_a_form_says_otherwise(api, alice):
    answer = api(alice).post(URL, "name=quiet", content_type="application/x-www-form-urlencoded")
    assert answer.json()["private"] is True


def test_it_commits_the_chosen_start_without_any_secret(api, alice, git_root):
    fields = {
        "name": "start",
        "auto_init": True,
        "gitignores": "Python",
        "license": "MIT",
        "dvc": True,
        "private": False,
    }
    body = api(alice).post(URL, fields, format="json").json()
    path = store.path_of(git_root, body["id"])
    files = git(path, "ls-tree", "-r", "--name-only", "main").split()
    assert files == [".dvc/.gitignore", ".dvc/config", ".dvcignore", ".gitignore", "LICENSE", "README.md"]
    config = git(path, "show", "main:.dvc/config")
    assert "/alice/start.dvc" in config
    assert "password" not in config
    assert git(path, "fsck", "--strict") == ""
    push = Push.objects.get()
    assert (push.state, push.updates.get().new) == ("done", git(path, "rev-parse", "main").strip())
    assert Outbox.objects.get().topic == "repos.pushed"


@pytest.mark.parametrize(
    "name", ["", "..", "../x", "a/b", "x.git", "dvc", "-rf", "a" * 101, "é", "a b", "x\x00", ".git"]
)
def test_it_refuses_bad_names_and_leaves_nothing(api, alice, name, git_root):
    answer = api(alice).post(URL, {"name": name}, format="json")
    assert answer.status_code in {400, 422}
    assert answer.json()["error"]
    assert not Repository.objects.exists()
    assert not list(git_root.rglob("*.git"))


def test_it_refuses_a_taken_name_in_any_case(api, alice):
    client = api(alice)
    assert client.post(URL, {"name": "Mnist"}, format="json").status_code == 201
    answer = client.post(URL, {"name": "mNIST"}, format="json")
    assert answer.status_code == 422
    assert "already exists" in answer.json()["error"]


def test_it_refuses_an_unknown_licence_and_leaves_nothing(api, alice, git_root):
    answer = api(alice).post(URL, {"name": "x", "auto_init": True, "license": "../../etc/passwd"}, format="json")
    assert answer.status_code == 422
    assert "MIT" in answer.json()["details"]
    assert not list(git_root.rglob("HEAD"))


def test_it_replaces_the_leftover_of_a_killed_creation(api, alice, git_root):
    first = api(alice).post(URL, {"name": "first"}, format="json").json()["id"]
    leftover = store.path_of(git_root, first + 1)
    leftover.mkdir(parents=True)
    (leftover / "junk").write_text("of a hub that was killed")
    second = api(alice).post(URL, {"name": "second"}, format="json").json()["id"]
    assert not (store.path_of(git_root, second) / "junk").exists()


def test_a_new_repository_takes_an_old_name(api, alice, public):
    OldName.objects.create(repository=public, owner_key="alice", name_key="former")
    assert api(alice).post(URL, {"name": "former"}, format="json").status_code == 201
    assert not OldName.objects.exists()


def test_it_needs_a_token(api):
    answer = api().post(URL, {"name": "x"}, format="json")
    assert answer.status_code == 401
    assert answer["WWW-Authenticate"].startswith("Bearer")


@pytest.mark.parametrize("scopes", [["repo:read"], ["data:write", "experiments:write", "account:write"]])
def test_it_needs_the_scope_to_write(api, alice, scopes):
    assert api(alice, scopes=scopes).post(URL, {"name": "x"}, format="json").status_code == 403


def test_a_bound_token_makes_nothing_else(api, alice, public):
    assert api(alice, repository_id=public.pk).post(URL, {"name": "x"}, format="json").status_code == 403


def test_the_session_needs_csrf(api, alice):
    client = api()
    client.force_login(alice)
    assert client.post(URL, {"name": "x"}, format="json").status_code == 403


def test_get_repo_hides_private(api, charlie, alice, private):
    url = "/api/v1/repos/alice/private"
    hidden, absent = api(charlie).get(url), api(charlie).get("/api/v1/repos/alice/absent")
    assert hidden.status_code == absent.status_code == 404
    assert hidden.content == absent.content
    assert api().get(url).content == api().get("/api/v1/repos/alice/absent").content
    assert api().get(url).status_code == 401
    assert api(alice).get("/api/v1/repos/ALICE/Private").json()["permissions"]["admin"] is True


def test_the_page_creates(client, alice):
    client.force_login(alice)
    assert client.get("/new").status_code == 200
    answer = client.post("/new", {"name": "seen", "visibility": "public", "readme": "on"})
    assert answer.status_code == 302
    assert answer.url == "/alice/seen"
    assert not Repository.objects.get().private


def test_the_page_says_what_is_wrong(client, alice):
    client.force_login(alice)
    answer = client.post("/new", {"name": "x.git", "visibility": "public"})
    assert answer.status_code == 422
    assert "may not" in answer.content.decode()


def test_the_page_asks_strangers_to_sign_in(client):
    assert client.get("/new").status_code == 302
    assert client.put("/new").status_code in {302, 405}
