"""The main job on the embedded default, from outside: code by git, data by dvc, runs by mlflow; read, pulled, kept.

One story in order: each test stands on what the one before it did, as a person's afternoon does.
"""

from __future__ import annotations

import html
import json
import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import httpx
import pytest

from tests.support import clients
from tests.support.hub import Hub

pytestmark = [pytest.mark.embedded, pytest.mark.timeout(600)]
HERE = Path(__file__).parent
README = "# Bread\n\nA *small* bakery of models.\n"
LOAVES = {f"data/loaf-{number}.csv": b"minute,crust\n%d,golden\n" % number * 50 for number in range(4)}
CURVE = [[step, 1 / (step + 1)] for step in range(5)]


@dataclass
class Baker:
    """One person: a token, a folder per clone, the three clients as installed by their users."""

    hub: Hub
    token: str
    desk: Path
    run_id: str = ""

    @property
    def address(self) -> str:
        return f"{self.hub.url}/paula/bread"

    def run(self, *command: str | Path, folder: str = ".", path: Path | None = None) -> str:
        who = {"GIT_AUTHOR_NAME": "Paula", "GIT_AUTHOR_EMAIL": "paula@example.org"}
        who |= {"GIT_COMMITTER_NAME": "Paula", "GIT_COMMITTER_EMAIL": "paula@example.org"}
        environment = {
            "PATH": f"{path}:{os.environ['PATH']}" if path else os.environ["PATH"],
            "HOME": str(self.desk),
            "LC_ALL": "C.UTF-8",
            "GIT_TERMINAL_PROMPT": "0",
            "DVC_NO_ANALYTICS": "1",
            "DVC_SITE_CACHE_DIR": str(self.desk / folder / ".dvc-site"),
            "MLFLOW_TRACKING_URI": f"{self.address}.mlflow",
            "MLFLOW_TRACKING_USERNAME": "paula",
            "MLFLOW_TRACKING_PASSWORD": self.token,
            "MLFLOW_DISABLE_TELEMETRY": "true",
            **who,
        }
        done = subprocess.run(
            command, cwd=self.desk / folder, env=environment, text=True, capture_output=True, timeout=240
        )
        assert done.returncode == 0, f"{command}:\n{done.stdout}{done.stderr}\n{self.hub.log()[-3000:]}"
        return done.stdout

    def git(self, *arguments: str, folder: str = ".") -> str:
        return self.run("git", *arguments, folder=folder)

    def dvc(self, *arguments: str, folder: str) -> str:
        binaries = clients.environment("dvc")
        return self.run(binaries / "dvc", *arguments, folder=folder, path=binaries)

    def mlflow(self, program: str, *arguments: str) -> str:
        binaries = clients.environment("mlflow3")
        return self.run(binaries / "python", HERE / program, *arguments, path=binaries)

    def use_remote(self, folder: str) -> None:
        """The credential is this clone's own affair and never committed."""
        for key, value in {"auth": "basic", "user": "paula", "password": self.token}.items():
            self.dvc("remote", "modify", "--local", "origin", key, value, folder=folder)

    def clone_address(self) -> str:
        return self.address.replace("://", f"://paula:{self.token}@") + ".git"

    def page(self, path: str) -> str:
        """The words of one of the repository's pages, as the signed-in person gets it."""
        answer = self.browser.get(f"/paula/bread{path}")
        assert answer.status_code == 200, f"{path}: {answer.status_code}"
        return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", answer.text)).split())

    @cached_property
    def browser(self) -> httpx.Client:
        """Signed in once, by a link from the console; the session outlives a restart of the hub."""
        browser = httpx.Client(base_url=self.hub.url, follow_redirects=True, timeout=120)
        link = self.hub.covey("admin", "sign-in-link", "paula")
        form = {"csrfmiddlewaretoken": _csrf(browser.get(link).text)}
        assert browser.post(link, data=form, headers={"Referer": link}).status_code == 200
        return browser


def _csrf(page: str) -> str:
    found = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
    assert found, page
    return found[1]


@pytest.fixture(scope="module")
def baker(hub: Hub, tmp_path_factory: pytest.TempPathFactory) -> Baker:
    return Baker(hub, hub.user("paula"), tmp_path_factory.mktemp("desk"))


def test_a_repository_is_made_by_rest(baker: Baker) -> None:
    answer = httpx.post(
        f"{baker.hub.url}/api/v1/user/repos",
        json={"name": "bread", "private": True},
        headers={"Authorization": f"Bearer {baker.token}"},
        timeout=60,
    )
    assert answer.status_code == 201, answer.text
    assert httpx.get(baker.address, timeout=60).status_code == 404


def test_code_is_pushed_by_git_and_data_by_dvc(baker: Baker) -> None:
    baker.git("clone", "-q", baker.clone_address(), "work")
    work = baker.desk / "work"
    (work / "README.md").write_text(README)
    (work / "train.py").write_text("print('knead')\n")
    for name, data in LOAVES.items():
        (work / name).parent.mkdir(exist_ok=True)
        (work / name).write_bytes(data)
    baker.dvc("init", "-q", folder="work")
    baker.dvc("remote", "add", "--default", "origin", f"{baker.address}.dvc", folder="work")
    baker.use_remote("work")
    baker.dvc("add", "data", folder="work")
    baker.git("add", "-A", folder="work")
    baker.git("commit", "-q", "-m", "Bake", folder="work")
    baker.git("push", "-q", "origin", "HEAD:main", folder="work")
    assert "5 files pushed" in baker.dvc("push", folder="work")


def test_a_run_is_logged_by_mlflow(baker: Baker) -> None:
    said = re.search(r"RUN (\w{32})", baker.mlflow("track_run.py"))
    assert said
    baker.run_id = said[1]


def test_the_pages_show_all_three(baker: Baker) -> None:
    pages_show_all_three(baker)


def test_all_three_are_pulled_back(baker: Baker) -> None:
    pulled_back(baker, "back")


def test_a_restart_of_the_whole_tree_keeps_everything(baker: Baker) -> None:
    baker.hub.stop()
    baker.hub.start()
    pages_show_all_three(baker)
    pulled_back(baker, "after")
    assert "database is locked" not in baker.hub.log()
    assert "Traceback" not in baker.hub.log()


def pages_show_all_three(baker: Baker) -> None:
    files = baker.page("")
    for words in ("README.md", "train.py", "data", "A small bakery of models."):
        assert words in files
    assert "loaf-3.csv" in baker.page("/tree/main/data")
    data = baker.page("/data")
    for words in ("1 output tracked by DVC", "data/", "all here"):
        assert words in data
    runs = baker.page("/experiments")
    for words in ("first loaf", "bread", "stone"):
        assert words in runs
    run = baker.page(f"/experiments/runs/{baker.run_id}")
    for words in ("first loaf", "loss", "0.2", "lr", "0.01", "oven", "stone", "notes"):
        assert words in run
    assert "crust.txt" in baker.page(f"/experiments/runs/{baker.run_id}/artifacts?path=notes")
    curve = baker.page(f"/experiments/runs/{baker.run_id}/history.json?key=loss")
    assert "0.25" in curve
    assert "crust: golden" in baker.page(f"/experiments/runs/{baker.run_id}/artifact?path=notes/crust.txt")


def pulled_back(baker: Baker, folder: str) -> None:
    baker.git("clone", "-q", baker.clone_address(), folder)
    clone = baker.desk / folder
    assert (clone / "README.md").read_text() == README
    baker.git("fsck", "--full", "--strict", folder=folder)
    baker.use_remote(folder)
    baker.dvc("pull", folder=folder)
    assert {name: (clone / name).read_bytes() for name in LOAVES} == LOAVES
    scratch = baker.desk / f"{folder}-artifacts"
    scratch.mkdir()
    facts = json.loads(baker.mlflow("read_run.py", baker.run_id, str(scratch)).partition("FACTS ")[2])
    assert facts == {
        "name": "first loaf",
        "status": "FINISHED",
        "user": "paula",
        "params": {"lr": "0.01", "oven": "stone"},
        "loss": CURVE,
        "crust": "crust: golden\n",
    }
    shutil.rmtree(clone)
