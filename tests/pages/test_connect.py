"""An empty repository's help: lines, a token for it, the script, and noticing the first push."""

from __future__ import annotations

import base64
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from django.test import Client

from hub.accounts.actor import Area
from hub.accounts.authentication import actor_from_authorization
from hub.accounts.models import AccessToken, User
from repos.models import Repository

pytestmark = pytest.mark.usefixtures("git_root")  # no folder of another test's repository with the same id
SETUP = "/alice/private/setup"


def basic(secret: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"alice:{secret}".encode()).decode()}


def test_the_empty_page_teaches_the_lines_of_this_repository(client: Client, alice: User, private: Repository) -> None:
    client.force_login(alice)
    page = client.get("/alice/private").content.decode()
    for words in ("git remote add origin", "/alice/private.git", "/alice/private.dvc", "/alice/private.mlflow"):
        assert words in page
    assert 'hx-trigger="every 3s"' in page


@pytest.mark.parametrize("headers", [{}, {"HX-Request": "true"}])
def test_the_button_makes_a_token_bound_to_the_repository(
    client: Client, alice: User, private: Repository, public: Repository, headers: dict[str, str]
) -> None:
    client.force_login(alice)
    response = client.post(f"{SETUP}/token", headers=headers)
    page = response.content.decode()
    assert "no-store" in response["Cache-Control"]
    assert ("<html" in page) is not bool(headers)
    secrets = set(re.findall(r"covey_\w{38}", page))
    assert len(secrets) == 1
    actor = actor_from_authorization(f"Bearer {secrets.pop()}")
    assert actor.repository_id == private.pk
    assert all(actor.has_scope(area, write=True) for area in (Area.REPO, Area.DATA, Area.EXPERIMENTS))
    assert not actor.has_scope(Area.ACCOUNT, write=False)


def test_a_reader_gets_a_reading_token(client: Client, charlie: User, public: Repository) -> None:
    client.force_login(charlie)
    client.post("/alice/public/setup/token")
    assert AccessToken.objects.get().scopes == ["data:read", "experiments:read", "repo:read"]


def test_the_four_questions(client: Client, charlie: User, private: Repository) -> None:
    assert client.post(f"{SETUP}/token").status_code == 302, "anonymous is asked to sign in"
    client.force_login(charlie)
    assert client.post(f"{SETUP}/token").status_code == 404
    assert client.get(f"{SETUP}/waiting").status_code == 404
    assert client.get(f"{SETUP}.sh").status_code == 404
    assert client.get(f"{SETUP}/token").status_code == 405
    assert client.post(f"{SETUP}/waiting").status_code == 405
    assert client.post(f"{SETUP}.sh").status_code == 405
    assert not AccessToken.objects.exists()


def test_the_page_notices_the_first_push(client: Client, alice: User, private: Repository) -> None:
    client.force_login(alice)
    assert client.get(f"{SETUP}/waiting").status_code == 204
    Repository.objects.filter(pk=private.pk).update(empty=False)
    assert client.get(f"{SETUP}/waiting")["HX-Redirect"] == "/alice/private"


class TestScript:
    def test_it_holds_the_token_that_asked_for_it_and_no_other(
        self, client: Client, alice: User, private: Repository, token_of: Callable[..., str]
    ) -> None:
        secret = token_of(alice)
        assert secret in client.get(f"{SETUP}.sh", headers=basic(secret)).content.decode()
        assert secret in client.get(f"{SETUP}.sh", headers={"Authorization": f"Bearer {secret}"}).content.decode()
        client.force_login(alice)
        assert "covey_" not in client.get(f"{SETUP}.sh").content.decode(), "a session has no secret to show"

    def test_private_and_absent_are_the_same(self, client: Client, charlie: User, private: Repository) -> None:
        answers = [client.get(path) for path in (f"{SETUP}.sh", "/alice/absent/setup.sh")]
        assert answers[0].status_code == answers[1].status_code == 401
        assert answers[0].content == answers[1].content
        assert answers[0]["WWW-Authenticate"].startswith("Basic")
        client.force_login(charlie)
        answers = [client.get(path) for path in (f"{SETUP}.sh", "/alice/absent/setup.sh")]
        assert answers[0].status_code == answers[1].status_code == 404
        assert answers[0].content == answers[1].content

    def test_a_bad_token_is_told_so(self, client: Client, public: Repository) -> None:
        assert client.get("/alice/public/setup.sh", headers=basic("covey_wrong")).status_code == 401

    def test_a_refusal_piped_into_sh_says_why_and_fails(self, client: Client, db: None) -> None:
        done = subprocess.run(["sh"], input=client.get("/a/b/setup.sh").content, capture_output=True)
        assert done.returncode == 1
        assert b"covey: Not found" in done.stderr

    def test_a_hostile_branch_name_stays_a_name(self, client: Client, public: Repository, tmp_path: Path) -> None:
        hostile = "a'$(touch${IFS}owned);`id`\"b"
        Repository.objects.filter(pk=public.pk).update(default_branch=hostile)
        run_script(client.get("/alice/public/setup.sh").content, tmp_path)
        assert (tmp_path / ".git/HEAD").read_text().strip() == f"ref: refs/heads/{hostile}"
        assert not (tmp_path / "owned").exists()

    @pytest.mark.skipif(shutil.which("git") is None, reason="needs git")
    def test_it_connects_git_dvc_and_mlflow_and_may_run_twice(
        self,
        client: Client,
        alice: User,
        private: Repository,
        token_of: Callable[..., str],
        tmp_path: Path,
        settings: object,
    ) -> None:
        secret = token_of(alice)
        folder = tmp_path / "my project"
        folder.mkdir()
        body = client.get(f"{SETUP}.sh", headers=basic(secret)).content
        for _ in range(2):
            done = run_script(body, folder)
            assert done.returncode == 0, done.stderr
        hub = settings.COVEY_URL  # type: ignore[attr-defined]
        assert output(folder, "git", "remote", "-v").count(f"{hub}/alice/private.git") == 2
        filled = output(folder, "git", "credential", "fill", stdin=f"url={hub}/alice/private.git\n")
        assert f"password={secret}\n" in filled
        assert f"{hub}/alice/private.dvc" in (folder / ".dvc/config").read_text()
        assert secret in (folder / ".dvc/config.local").read_text()
        assert secret not in (folder / ".dvc/config").read_text()
        assert f"'{hub}/alice/private.mlflow'" in (folder / ".git/covey.env").read_text()
        for name in (".git/covey-credentials", ".git/covey.env"):
            assert (folder / name).stat().st_mode & 0o077 == 0, f"{name} is readable by others"
        output(folder, "git", "add", "-A")
        assert secret not in output(folder, "git", "diff", "--cached"), "no secret may be committed"

    def test_it_leaves_another_origin_alone(self, client: Client, public: Repository, tmp_path: Path) -> None:
        output(tmp_path, "git", "init", "-q")
        output(tmp_path, "git", "remote", "add", "origin", "https://elsewhere.example/x.git")
        done = run_script(client.get("/alice/public/setup.sh").content, tmp_path)
        assert done.returncode == 0, done.stderr
        remotes = output(tmp_path, "git", "remote", "-v")
        assert "origin\thttps://elsewhere.example/x.git" in remotes
        assert "/alice/public.git" in remotes


def environment(folder: Path) -> dict[str, str]:
    """A home without the settings of whoever runs the tests; dvc from this virtual environment."""
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    return {"PATH": path, "HOME": str(folder.parent), "GIT_CONFIG_NOSYSTEM": "1", "GIT_TERMINAL_PROMPT": "0"}


def run_script(body: bytes, folder: Path) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(["sh"], input=body, cwd=folder, env=environment(folder), capture_output=True, timeout=120)


def output(folder: Path, *command: str, stdin: str = "") -> str:
    done = subprocess.run(
        command, cwd=folder, env=environment(folder), input=stdin, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
