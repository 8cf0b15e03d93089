"""Files sent by a browser: streamed after the gate, one commit, never without the form's own token."""

from __future__ import annotations

import json
import subprocess

import pytest
from django.middleware.csrf import _get_new_csrf_string
from django.test import Client

from hub.accounts.actor import Actor
from repos import editing
from repos.editing import Put
from repos.models import Repository
from repos.storage import store
from tests.support.asgi import Answer, ask, basic

pytestmark = pytest.mark.django_db(transaction=True)
ORIGIN = {"origin": "http://testserver"}


@pytest.fixture(autouse=True)
def _disk(tmp_path, settings):
    settings.GIT_ROOT, settings.TMP_ROOT = tmp_path / "git", tmp_path / "tmp"
    settings.TMP_ROOT.mkdir()


@pytest.fixture
def repo(private, alice) -> Repository:
    store().create(private.pk)
    editing.commit_changes(private, Actor(user=alice), branch="main", changes=[Put("README.md", b"# Hi\n")])
    return private


def form(fields: dict[str, str], files: dict[str, bytes]) -> bytes:
    parts = [f'--b\r\nContent-Disposition: form-data; name="{n}"\r\n\r\n{v}\r\n'.encode() for n, v in fields.items()]
    for name, data in files.items():
        head = f'--b\r\nContent-Disposition: form-data; name="files"; filename="{name}"\r\n\r\n'
        parts.append(head.encode() + data + b"\r\n")
    return b"".join(parts) + b"--b--\r\n"


def session_of(user) -> tuple[dict[str, str], str]:
    """(headers with the cookies of a signed-in browser, the token its forms carry)"""
    client, secret = Client(), _get_new_csrf_string()
    client.force_login(user)
    cookies = {name: morsel.value for name, morsel in client.cookies.items()} | {"csrftoken": secret}
    return {"cookie": "; ".join(f"{name}={value}" for name, value in cookies.items()), **ORIGIN}, secret


def send(path: str, body: bytes, headers: dict[str, str], *, piece: int = 1000, **options) -> Answer:
    kind = {"content-type": "multipart/form-data; boundary=b", "content-length": str(len(body))}
    pieces = [body[at : at + piece] for at in range(0, len(body), piece)]
    return ask("POST", path, headers={**kind, **headers}, body=pieces, **options)


def files(repository, rev="main") -> list[str]:
    out = subprocess.check_output(
        ["git", f"--git-dir={repository.path}", "ls-tree", "-r", "--name-only", rev], text=True
    )
    return out.split()


def test_it_commits_the_files_of_a_form(repo, bob, settings):
    headers, token = session_of(bob)
    body = form(
        {"csrfmiddlewaretoken": token, "folder": "data", "branch": "main", "message": "Add them"},
        {"a.csv": b"1,2\n", "deep/b.bin": bytes(range(256)) * 1000},
    )
    answer = send("/alice/private/upload/main", body, headers)
    assert (answer.status, answer.headers["location"]) == (303, "/alice/private/tree/main/data")
    assert files(repo) == ["README.md", "data/a.csv", "data/deep/b.bin"]
    git = ["git", f"--git-dir={repo.path}"]
    assert subprocess.check_output([*git, "show", "main:data/deep/b.bin"]) == bytes(range(256)) * 1000
    assert subprocess.check_output([*git, "log", "-1", "--format=%an: %s"], text=True) == "bob: Add them\n"
    assert list(settings.TMP_ROOT.iterdir()) == []


def test_scripts_get_json_and_send_the_token_as_a_header(repo, bob):
    headers, token = session_of(bob)
    more = {"accept": "application/json", "x-csrftoken": token}
    answer = send("/alice/private/upload/main/docs", form({}, {"x": b"1"}), {**headers, **more})
    assert (answer.status, json.loads(answer.body)) == (200, {"url": "/alice/private/tree/main/docs"})
    refused = send("/alice/private/upload/main", form({}, {"../x": b"1"}), {**headers, **more})
    assert refused.status == 422
    assert "error" in json.loads(refused.body)


def test_a_token_may_upload_without_a_form(repo, bob, token_of):
    assert send("/alice/private/upload/main", form({}, {"x": b"1"}), basic(token_of(bob))).status == 303
    reader = basic(token_of(bob, scopes=["repo:read"]))
    assert send("/alice/private/upload/main", form({}, {"y": b"1"}), reader).status == 403
    assert files(repo) == ["README.md", "x"]


def test_it_starts_an_empty_repository_and_a_new_branch(private, bob):
    store().create(private.pk)
    headers, token = session_of(bob)
    fields = {"csrfmiddlewaretoken": token}
    assert send("/alice/private/upload/main", form(fields, {"x": b"1"}), headers).status == 303
    answer = send("/alice/private/upload/main", form({**fields, "branch": "topic"}, {"y": b"1"}), headers)
    assert answer.headers["location"] == "/alice/private/tree/topic"
    assert (files(private), files(private, "topic")) == (["x"], ["x", "y"])


def test_it_refuses_forms_of_other_pages(repo, bob, settings):
    headers, token = session_of(bob)
    good = form({"csrfmiddlewaretoken": token}, {"x": b"1"})
    for case in [
        (good, {**headers, "origin": "https://evil.example"}),
        (good, {name: value for name, value in headers.items() if name != "origin"}),
        (form({"csrfmiddlewaretoken": "a" * 32}, {"x": b"1"}), headers),
        (form({}, {"x": b"1"}), headers),
        (form({"message": "x"}, {}), headers),
    ]:
        assert send("/alice/private/upload/main", *case).status == 403
    assert files(repo) == ["README.md"]
    assert list(settings.TMP_ROOT.iterdir()) == []


def test_strangers_and_readers(repo, public, charlie, alice):
    store().create(public.pk)
    editing.commit_changes(public, Actor(user=alice), branch="main", changes=[Put("a", b"1")])
    headers, token = session_of(charlie)
    body = form({"csrfmiddlewaretoken": token}, {"x": b"1"})
    assert send("/alice/private/upload/main", body, headers).status == 404
    assert send("/alice/absent/upload/main", body, headers).status == 404
    assert send("/alice/public/upload/main", body, headers).status == 403
    assert send("/alice/private/upload/main", body, {}).status == 401


@pytest.mark.parametrize("name", ["../x", ".git/config", "/etc/passwd", "a/../../b", "..\\x", ""])
def test_it_refuses_hostile_names(repo, bob, name):
    headers, token = session_of(bob)
    answer = send("/alice/private/upload/main", form({"csrfmiddlewaretoken": token}, {name: b"1"}), headers)
    # A browser that sends a whole path means its last part: the parser keeps only that of `..\x`.
    assert answer.status == 422 or (name == "..\\x" and files(repo) == ["README.md", "x"])
    assert not any(".git" in file or ".." in file for file in files(repo))


BROKEN = [
    b"",
    b"--b",
    b"--b\r\n",
    b"--b\r\n\r\n",
    b"nonsense",
    b"--b\r\nX: y\r\n\r\nz",
    b"\0" * 5000,
    b"--b--",
    b"--c\r\n\r\n",
]


@pytest.mark.parametrize("body", BROKEN)
def test_broken_forms_are_400(repo, bob, token_of, body, settings):
    answer = send("/alice/private/upload/main", body, basic(token_of(bob)))
    assert answer.status in {400, 422}
    assert files(repo) == ["README.md"]
    assert list(settings.TMP_ROOT.iterdir()) == []


def test_a_client_that_leaves_changes_nothing(repo, bob, token_of, settings):
    body = form({}, {"x": b"1" * 100_000})
    send(
        "/alice/private/upload/main",
        body[:50_000],
        {**basic(token_of(bob)), "content-length": str(len(body))},
        cut=True,
    )
    assert files(repo) == ["README.md"]
    assert list(settings.TMP_ROOT.iterdir()) == []


def test_limits(repo, bob, token_of, settings):
    many = form({}, {f"f{number}": b"1" for number in range(201)})
    assert send("/alice/private/upload/main", many, basic(token_of(bob))).status == 413
    settings.GIT_MAX_PUSH_BYTES = 10_000
    assert send("/alice/private/upload/main", form({}, {"x": b"1" * 20_000}), basic(token_of(bob))).status == 413
    assert send("/alice/private/upload/main", form({"x" * 9000: "1"}, {}), basic(token_of(bob))).status == 400
    assert files(repo) == ["README.md"]


def test_only_branches_take_files(repo, bob, token_of):
    subprocess.check_call(["git", f"--git-dir={repo.path}", "tag", "v1", "main"])
    assert send("/alice/private/upload/v1", form({}, {"x": b"1"}), basic(token_of(bob))).status == 422
    assert send("/alice/private/upload/nope", form({}, {"x": b"1"}), basic(token_of(bob))).status == 404
    for method in ["PUT", "DELETE"]:
        assert ask(method, "/alice/private/upload/main", headers=basic(token_of(bob))).status == 405
