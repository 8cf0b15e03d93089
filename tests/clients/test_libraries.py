"""Training scripts with real libraries log into a running hub; what they logged is in its pages and its API."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support import clients, services
from tests.support.hub import Hub

pytestmark = pytest.mark.client
SESSION = Path(__file__).with_name("libraries_session.py")


class Trained:
    """A public repository lena/train, cloned, trained in and pushed. commit: of the code; facts: what it logged."""

    def __init__(self, hub: Hub, folder: Path) -> None:
        token = hub.user("lena")
        hub.repository(token, "train", private=False)
        self.base = f"{hub.url}/lena/train"
        self.api = f"{hub.url}/api/v1/repos/lena/train/experiments"
        self.folder = folder / "train"
        self.environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "MLFLOW_TRACKING_URI": f"{self.base}.mlflow",
            "MLFLOW_TRACKING_USERNAME": "lena",
            "MLFLOW_TRACKING_PASSWORD": token,
            "MLFLOW_DISABLE_TELEMETRY": "true",
            "MLFLOW_REQUIREMENTS_INFERENCE_TIMEOUT": "1",  # a model's own packages: another 10 s of imports
            "DVC_NO_ANALYTICS": "true",
        }
        remote = f"{self.base}.git".replace("://", f"://lena:{token}@")
        subprocess.run(["git", "clone", "-q", remote, self.folder], env=self.environment, check=True, timeout=60)
        shutil.copy(SESSION, self.folder / "train.py")
        self.commit = self.push("Train.")
        done = self.run(clients.environment("libraries") / "python", "train.py", seconds=280)
        line = next(line for line in done.splitlines() if line.startswith("FACTS "))
        self.facts: dict[str, Any] = json.loads(line.removeprefix("FACTS "))
        self.results = self.push("Results.")

    def push(self, message: str) -> str:
        """Commit all files; the commit's id."""
        self.run("git", "add", "-A")
        self.run("git", "-c", "user.name=Lena", "-c", "user.email=lena@example.org", "commit", "-q", "-m", message)
        self.run("git", "push", "-q", "origin", "HEAD:main")
        return self.run("git", "rev-parse", "HEAD").strip()

    def run(self, *command: str | Path, seconds: float = 60) -> str:
        done = subprocess.run(
            command, cwd=self.folder, env=self.environment, capture_output=True, text=True, timeout=seconds
        )
        assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
        return done.stdout

    def runs(self, filter_: str, columns: str) -> list[dict[str, Any]]:
        answer = httpx.get(f"{self.api}/runs", params={"q": filter_, "columns": columns}, timeout=60)
        assert answer.status_code == 200, answer.text
        found: list[dict[str, Any]] = answer.json()["runs"]
        return found

    def page(self, path: str) -> str:
        answer = httpx.get(f"{self.base}/{path}", timeout=60)
        assert answer.status_code == 200, path
        return answer.text

    def curve(self, name: str, key: str) -> dict[str, Any]:
        asked = {"run": self.facts[name]["id"], "key": key}
        answer = httpx.get(f"{self.api}/compare/curves", params=asked, timeout=60).raise_for_status()
        (found,) = answer.json()["curves"]
        return dict(found)


@pytest.fixture(scope="module")
def trained(hub: Hub, tmp_path_factory: pytest.TempPathFactory) -> Trained:
    return Trained(hub, tmp_path_factory.mktemp("libraries"))


def test_sklearn_autolog_is_in_the_table_and_on_its_page(trained: Trained) -> None:
    logged = trained.facts["sklearn"]
    columns = "metrics.training_accuracy_score,params.C,tags.estimator_name"
    (run,) = trained.runs('experiment = "sklearn" and metrics.training_accuracy_score > 0.5', columns)
    assert run["run_id"] == logged["id"]
    assert run["metrics"] == {"training_accuracy_score": logged["metrics"]["training_accuracy_score"]}
    assert run["params"] == {"C": "0.5"}
    assert run["tags"]["estimator_name"] == "LogisticRegression"
    assert run["commit"] == trained.commit
    page = trained.page(f"experiments/runs/{run['run_id']}")
    assert all(key in page for key in [*logged["metrics"], *logged["params"]])
    assert f"/lena/train/commit/{trained.commit}" in page


def test_lightgbms_rounds_are_a_curve(trained: Trained) -> None:
    logged = trained.facts["lightgbm"]
    (run,) = trained.runs('tags.team = "trees" and params.num_boost_round = 12', "metrics.held-binary_logloss")
    assert (run["run_id"], run["name"], run["status"]) == (logged["id"], "boosted", "FINISHED")
    curve = trained.curve("lightgbm", "held-binary_logloss")
    assert curve["points"] == 12
    assert curve["y"][-1] == pytest.approx(logged["metrics"]["held-binary_logloss"])
    assert curve["y"][-1] < curve["y"][0]


def test_a_loop_that_logs_beside_the_training_loses_no_step(trained: Trained) -> None:
    logged = trained.facts["loop"]
    curve = trained.curve("loop", "loss")
    assert (curve["points"], curve["x"]) == (60, list(range(60)))
    assert curve["y"] == sorted(curve["y"], reverse=True)
    assert "checkpoints" in trained.page(f"experiments/runs/{logged['id']}")


def test_runs_of_different_libraries_stand_side_by_side(trained: Trained) -> None:
    ids = [fact["id"] for fact in trained.facts.values()]
    page = trained.page("experiments/compare?" + "&".join(f"run={one}" for one in ids))
    assert all(fact["name"] in page for fact in trained.facts.values())
    assert all(name in page for name in ("estimator_name", "num_boost_round", "optimizer"))


def test_dvclives_files_are_a_run_of_their_commit(trained: Trained) -> None:
    def found() -> list[dict[str, Any]]:
        return trained.runs("source = commit and metrics.best = 0.125", "metrics.best,metrics.live_loss,params.lr")

    services.wait_until(lambda: bool(found()), what="the run of the commit", seconds=60)
    (run,) = found()
    assert run["commit"] == trained.results
    assert run["metrics"] == {"best": 0.125, "live_loss": 0.2}
    assert run["params"] == {"lr": "0.25"}
