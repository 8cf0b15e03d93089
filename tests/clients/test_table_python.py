"""The lines that the table of runs offers give the table's own numbers through the unmodified mlflow client."""

from __future__ import annotations

import json
import os
import re
import subprocess
from html import unescape

import httpx
import pytest

from tests.support import clients
from tests.support.hub import Hub

pytestmark = pytest.mark.client
COLUMNS = "metrics.acc,metrics.acc:max,metrics.loss:best,metrics.loss:best_step,params.lr,tags.team"
PLAIN = "metrics.acc,params.lr,tags.team"
DEPTHS = ["deep", "10", "9", "-inf", "b", "1e1"]  # numbers first, then texts
ASKED = [
    {"q": "params.depth > 0 or params.depth is not null", "sort": "params.depth", "columns": PLAIN},
    {"q": "", "sort": "-params.depth", "columns": PLAIN},
    {"q": "params.depth < 100", "sort": "name", "columns": PLAIN},
    {"q": "", "sort": "metrics.acc:min", "columns": PLAIN},
    {"q": "metrics.acc > 0.15 and params.lr < 0.05 and status != failed", "sort": "-metrics.acc"},
    {"q": 'tags.team is null or not (name like "try-_" and params.opt in ("adam", "x"))', "sort": "params.lr"},
]


@pytest.fixture(scope="module")
def logged(hub: Hub, token: str) -> str:
    """sue/table, which everybody may read, with six runs."""
    hub.repository(token, "table", private=False)
    api = httpx.Client(base_url=f"{hub.url}/sue/table.mlflow/api/2.0/mlflow/", auth=("sue", token), timeout=120)
    for number in range(6):
        made = api.post(
            "runs/create", json={"experiment_id": "0", "run_name": f"try-{number}", "start_time": number + 1}
        )
        run_id = made.raise_for_status().json()["run"]["info"]["run_id"]
        points = [(step, number / 10 + step / 100) for step in (0, 2, 1)]
        metrics = [{"key": key, "value": v, "timestamp": 1, "step": s} for s, v in points for key in ("acc", "loss")]
        params = {"lr": f"{10 ** -(number % 3)}", "opt": "adam" if number % 2 else "lion", "depth": DEPTHS[number]}
        batch = {
            "run_id": run_id,
            "metrics": metrics,
            "params": [{"key": key, "value": value} for key, value in params.items()],
            "tags": [{"key": "team", "value": "x"}] if number > 2 else [],
        }
        api.post("runs/log-batch", json=batch).raise_for_status()
    return "sue/table"


@pytest.mark.parametrize("asked", ASKED)
def test_the_lines_give_the_same_numbers(hub: Hub, token: str, logged: str, tmp_path, asked: dict[str, str]) -> None:
    asked = {"columns": COLUMNS, **asked}
    page = httpx.get(f"{hub.url}/{logged}/experiments", params=asked, timeout=120).raise_for_status().text
    lines = unescape(re.search(r'export-python">.*?<code>(.*?)</code>', page, re.S)[1])  # type: ignore[index]
    program = lines + "\nprint('TOLD', runs.to_json(orient='records'))\n"
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "MLFLOW_TRACKING_USERNAME": "sue",
        "MLFLOW_TRACKING_PASSWORD": token,
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "GIT_PYTHON_REFRESH": "quiet",
    }
    python = clients.environment("libraries") / "python"
    done = subprocess.run([python, "-c", program], env=environment, capture_output=True, text=True, timeout=280)
    assert done.returncode == 0, done.stderr
    theirs = json.loads(done.stdout.partition("TOLD ")[2])
    path = f"{hub.url}/api/v1/repos/{logged}/experiments/runs"
    ours = httpx.get(path, params=asked, timeout=120).raise_for_status().json()["runs"]
    assert len(ours) > 1
    assert [run["run_id"] for run in theirs] == [run["run_id"] for run in ours]
    for mine, other in zip(ours, theirs, strict=True):
        assert other["metrics.acc"] == pytest.approx(mine["metrics"]["acc"])
        assert other["params.lr"] == mine["params"]["lr"]
        assert other.get("tags.team") == mine["tags"].get("team")
        computed = mine.get("aggregates", {})
        assert computed == pytest.approx({name: other[name] for name in computed})
