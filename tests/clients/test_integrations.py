"""The examples of docs/integrations, run as they stand: with the variables each CI sets, against a running hub."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from tests.support.hub import Hub

pytestmark = pytest.mark.client
DOCS = Path(__file__).parents[2] / "docs/integrations"
PAGES = {"jenkins", "github-actions", "gitlab", "airflow", "prefect", "kubeflow"}


def example(page: str, language: str) -> str:
    """The first block of this language."""
    found = re.search(rf"^```{language}\n(.*?)^```$", (DOCS / f"{page}.md").read_text(), re.DOTALL | re.MULTILINE)
    assert found, page
    return found[1]


@pytest.fixture(scope="module")
def place(hub: Hub, people: tuple[str, str]) -> tuple[dict[str, str], str, Callable[[], dict[str, Any]]]:
    """The three settings, a commit, and what the hub says of it by context."""
    hub.repository(people[0], "watched")
    api = httpx.Client(base_url=f"{hub.url}/api/v1/repos/dana/watched", timeout=60)
    api.headers["Authorization"] = f"Bearer {people[0]}"
    with_file = {"files": {"files": ("a.txt", b"a\n")}, "data": {"versioning": "git", "commit_summary": "First"}}
    api.put("/content/main/", **with_file).raise_for_status()
    commit = api.get("/branches/main").raise_for_status().json()["commit"]["id"]
    bound = hub.token("dana", "--repository", "dana/watched", "--scopes", "repo:write")
    given = {"COVEY_URL": hub.url, "COVEY_REPOSITORY": "dana/watched", "COVEY_TOKEN": bound}

    def told() -> dict[str, Any]:
        found = api.get("/commits/main/status").raise_for_status().json()
        return {row["context"]: (row["state"], row["description"], row["target_url"]) for row in found["statuses"]}

    return given, commit, told


def run(command: list[str], given: dict[str, str], **more: str) -> str:
    environment = {"PATH": os.environ["PATH"], **given, **more}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_every_page_is_tested() -> None:
    assert {path.stem for path in DOCS.glob("*.md")} - {"README"} == PAGES


def test_jenkins(place: Any, tmp_path: Path) -> None:
    given, commit, told = place
    script = tmp_path / "covey-status.sh"
    script.write_text(example("jenkins", "sh"))
    build = {"GIT_COMMIT": commit, "JOB_NAME": "churn", "BUILD_DISPLAY_NAME": "#12 & more"}
    for state in ("pending", "failure"):
        run(["sh", str(script), state], given, **build, BUILD_URL="http://jenkins:8080/job/churn/12/")
    assert told()["jenkins/churn"] == ("failure", "#12 & more", "http://jenkins:8080/job/churn/12/")
    refused = subprocess.run(
        ["sh", str(script), "pending"],
        env={**os.environ, **given, **build, "COVEY_TOKEN": "wrong"},
        capture_output=True,
    )
    assert refused.returncode != 0


@pytest.mark.parametrize(("said", "state"), [("failure", "failure"), ("cancelled", "error"), ("success", "success")])
def test_github_actions(place: Any, said: str, state: str) -> None:
    given, commit, told = place
    steps = yaml.safe_load(example("github-actions", "yaml"))["jobs"]["test"]["steps"]
    script = next(step["run"] for step in steps if step.get("name") == "Tell the hub")
    build = {"GITHUB_SHA": commit, "GITHUB_SERVER_URL": "https://github.com", "GITHUB_REPOSITORY": "alice/churn"}
    more = {"GITHUB_RUN_ID": "7", "GITHUB_WORKFLOW": "ci", "GITHUB_JOB": "test", "JOB_STATUS": said}
    run(["bash", "-e", "-c", script], given, **build, **more)
    assert told()["github/ci"] == (state, f"test: {said}", "https://github.com/alice/churn/actions/runs/7")


@pytest.mark.parametrize(("said", "state"), [("failed", "failure"), ("canceled", "error"), ("success", "success")])
def test_gitlab(place: Any, said: str, state: str) -> None:
    given, commit, told = place
    (script,) = yaml.safe_load(example("gitlab", "yaml"))["test"]["after_script"]
    build = {"CI_COMMIT_SHA": commit, "CI_JOB_STATUS": said, "CI_JOB_NAME": "test", "CI_PIPELINE_ID": "5"}
    run(["sh", "-c", script], given, **build, CI_JOB_URL="https://gitlab.example.org/-/jobs/1")
    assert told()["gitlab/test"] == (state, f"Pipeline 5: {said}", "https://gitlab.example.org/-/jobs/1")


AFTER = {
    "airflow": """
from types import SimpleNamespace as Thing
run = Thing(dag_id="train", run_id="manual__1", conf={"commit": COMMIT})
on_failure({"dag_run": run, "task_instance": Thing(log_url="http://airflow:8080/log?a=1")})
on_success({"dag_run": run, "task_instance": Thing(log_url="http://airflow:8080/log?a=1")})
""",
    "prefect": """
from types import SimpleNamespace as Thing
state = Thing(type=Thing(value="FAILED"), name="Failed", message="Out of memory")
tell_covey(Thing(name="train"), Thing(id="0-1", parameters={"commit": COMMIT}), state)
""",
    "kubeflow": """
tell_covey(COMMIT, "train", "SUCCEEDED", "", "https://kubeflow.example.org/#/runs/1")
""",
}


@pytest.mark.parametrize(
    ("page", "expected"),
    [
        ("airflow", ("success", "manual__1: success", "http://airflow:8080/log?a=1")),
        ("prefect", ("failure", "Out of memory", "http://127.0.0.1:4200/runs/flow-run/0-1")),
        ("kubeflow", ("success", "SUCCEEDED", "https://kubeflow.example.org/#/runs/1")),
    ],
)
def test_python_examples(place: Any, page: str, expected: tuple[str, str, str]) -> None:
    given, commit, told = place
    run([sys.executable, "-c", f"COMMIT = {commit!r}\n{example(page, 'python')}\n{AFTER[page]}"], given)
    assert told()[f"{page}/train"] == expected
