"""The unmodified mlflow client, 2.x and 3.x, against a running hub."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.support import clients
from tests.support.hub import Hub

pytestmark = pytest.mark.client
SESSION = Path(__file__).with_name("mlflow_session.py")


@pytest.fixture(scope="session")
def tokens(hub: Hub) -> dict[str, str]:
    found = {name: hub.user(name) for name in ("mila", "nico")}
    for version in ("2", "3"):
        hub.repository(found["mila"], f"runs{version}")
    return found


def run(hub: Hub, version: str, token: str, tmp_path: Path, *command: str) -> subprocess.CompletedProcess[str]:
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "MLFLOW_TRACKING_URI": f"{hub.url}/mila/runs{version}.mlflow",
        "MLFLOW_TRACKING_USERNAME": "mila",
        "MLFLOW_TRACKING_PASSWORD": token,
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
        "GIT_PYTHON_REFRESH": "quiet",
    }
    python = clients.environment(f"mlflow{version}") / "python"
    return subprocess.run(
        [python, *command], env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=280
    )


@pytest.mark.parametrize("version", ["2", "3"])
def test_it_does_the_main_job(hub, tokens, tmp_path, version):
    done = run(hub, version, tokens["mila"], tmp_path, str(SESSION), str(tmp_path))
    assert done.returncode == 0, done.stdout + done.stderr
    line = next(line for line in done.stdout.splitlines() if line.startswith("FACTS "))
    facts: dict[str, Any] = json.loads(line.removeprefix("FACTS "))
    assert facts["version"].startswith(version)
    assert set(facts["metrics"]) == {"loss", "acc", "nan", "curve"}
    assert (facts["metrics"]["nan"], facts["metrics"]["curve"]) == ("nan", "899.0")
    assert facts["params"] == {"lr": "0.1", "depth": "3"}
    assert (facts["user"], facts["experiment"], facts["curve"]) == ("mila", "Default", 900)
    assert (facts["parent"], facts["same"], facts["alias"]) == (True, True, True)
    assert facts["files"] == ["notes", "weights"]
    assert facts["search"] == ["second"]
    assert "not found" in facts["errors"]["absent"]
    assert "Changing param values is not allowed" in facts["errors"]["param"]
    assert "artifact_location" in facts["errors"]["place"]
    if version == "3":
        assert (facts["logged_model"], facts["traces"]) == ("net", 1)


@pytest.mark.parametrize("version", ["2", "3"])
def test_refusals_are_readable_in_the_terminal(hub, tokens, tmp_path, version):
    program = "import mlflow; mlflow.start_run()"
    stranger = run(hub, version, tokens["nico"], tmp_path, "-c", program)
    assert stranger.returncode != 0
    assert "Not found" in stranger.stderr
    nobody = run(hub, version, "covey_mistyped", tmp_path, "-c", program)
    assert nobody.returncode != 0
    assert "access token" in nobody.stderr
