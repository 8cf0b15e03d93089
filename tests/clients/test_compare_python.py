"""The Python that a comparison offers to copy, run as it stands by the unmodified mlflow client."""

from __future__ import annotations

import ast
import html
import math
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support import clients
from tests.support.hub import Hub

pytestmark = pytest.mark.client
NAMES = ("acc", "val acc", "a-b/c")


def made(hub: Hub, token: str, number: int) -> str:
    """A run of ivy/compared: its metrics are number + 0.1, 0.2 and 0.3, in the order of NAMES."""
    client = httpx.Client(base_url=f"{hub.url}/ivy/compared.mlflow/api/2.0/mlflow/", auth=("ivy", token), timeout=120)
    run = client.post("runs/create", json={"experiment_id": "0", "start_time": 1}).raise_for_status().json()
    run_id = str(run["run"]["info"]["run_id"])
    for place, key in enumerate(NAMES):
        point = {"run_id": run_id, "key": key, "value": number + (place + 1) / 10, "timestamp": 1, "step": 0}
        client.post("runs/log-metric", json=point).raise_for_status()
    client.post("runs/log-parameter", json={"run_id": run_id, "key": "lr", "value": "1e-3"}).raise_for_status()
    return run_id


def test_the_code_of_a_comparison_gives_its_numbers(hub: Hub, tmp_path: Path) -> None:
    token = hub.user("ivy")
    hub.repository(token, "compared", private=False)
    ids = [made(hub, token, number) for number in range(2)]
    address = f"{hub.url}/ivy/compared/experiments/compare?run={ids[0]}&run={ids[1]}&baseline={ids[0]}"
    page = httpx.get(address, timeout=60).raise_for_status().text
    shown: list[dict[str, Any]] = httpx.get(f"{address}&format=json", timeout=60).json()["runs"]
    found = re.search(r"<code>(import mlflow.*?)</code>", page, re.DOTALL)
    assert found
    environment = {
        "PATH": os.environ["PATH"], "HOME": str(tmp_path), "MLFLOW_TRACKING_USERNAME": "ivy",
        "MLFLOW_TRACKING_PASSWORD": token, "MLFLOW_DISABLE_TELEMETRY": "true", "GIT_PYTHON_REFRESH": "quiet",
        "PYTHONIOENCODING": "utf-8",
    }  # fmt: skip
    command = [str(clients.environment("mlflow3") / "python"), "-c", html.unescape(found[1])]
    done = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=280)
    assert done.returncode == 0, done.stderr
    rows = [ast.literal_eval(line) for line in done.stdout.splitlines() if line.startswith("{")]
    assert [row["run_id"] for row in rows] == ids
    for row, run in zip(rows, shown, strict=True):
        assert {key: row[f"metrics.{key}"] for key in run["metrics"]} == run["metrics"]
        assert row["params.lr"] == run["params"]["lr"]
    assert math.isclose(rows[1]["delta.acc"], 1.0)
