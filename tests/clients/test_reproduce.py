"""The Reproduce block, run as it is shown, line for line, in an empty folder: the same md5s come back."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from tests.support.dvc import Clone, Remote, md5
from tests.support.services import wait_until

pytestmark = pytest.mark.client
PREPARE = """import pathlib
rows = sorted(pathlib.Path("data/raw.csv").read_text().split())
pathlib.Path("data/clean.csv").write_text("\\n".join(rows))
"""
TRAIN = """import hashlib, pathlib
clean = pathlib.Path("data/clean.csv").read_bytes()
photos = b"".join(path.read_bytes() for path in sorted(pathlib.Path("data/photos").rglob("*.png")))
pathlib.Path("models").mkdir(exist_ok=True)
pathlib.Path("models/net.bin").write_bytes(hashlib.sha256(clean + photos).digest() * 1000)
pathlib.Path("metrics.json").write_text('{"rows": %d}' % len(clean.split()))
"""
STAGES = [
    ["-n", "prepare", "-d", "prepare.py", "-d", "data/raw.csv", "-o", "data/clean.csv", "python prepare.py"],
    ["-n", "train", "-d", "train.py", "-d", "data/clean.csv", "-d", "data/photos", "-o", "models/net.bin",
     "-M", "metrics.json", "python train.py"],
]  # fmt: skip


@pytest.fixture
def sha(clone: Clone, remote: Remote) -> str:
    """A commit whose two stages ran, pushed with its data; data that no stage reads lies beside it."""
    clone.git("checkout", "-q", "-b", "main")
    clone.remote(remote, remote.token)
    clone.write({"prepare.py": PREPARE.encode(), "train.py": TRAIN.encode(), "data/raw.csv": b"c\nb\na\n"})
    clone.write({f"data/photos/{n}.png": bytes([n]) * 999 for n in range(5)} | {"unused.bin": b"not needed"})
    clone.dvc("add", "--quiet", "data/raw.csv", "data/photos", "unused.bin")
    for stage in STAGES:
        clone.dvc("stage", "add", "--quiet", *stage)
    clone.dvc("repro", "--quiet")
    clone.git("add", ".")
    clone.git("commit", "-m", "Run the pipeline")
    clone.dvc("push", "--quiet")
    head = subprocess.run(["git", "rev-parse", "HEAD"], cwd=clone.folder, check=True, capture_output=True, text=True)
    clone.write({"train.py": b"raise SystemExit('a later commit')"})
    clone.git("commit", "-am", "Break it")
    clone.git("push", remote.url.replace("://", f"://any:{remote.token}@") + ".git", "main")
    return head.stdout.strip()


class Lineage:
    """What the hub says of one repository's lineage, once it is indexed."""

    def __init__(self, remote: Remote) -> None:
        owner, name = remote.url.split("/")[-2:]
        self.remote, self.owner, self.name = remote, owner, name
        self.hub = remote.url.rsplit("/", 2)[0]
        self.headers = {"Authorization": f"Bearer {remote.token}"}

    def get(self, what: str) -> Any:
        address = f"{self.hub}/api/v1/repos/{self.owner}/{self.name}/lineage/{what}"
        return httpx.get(address, headers=self.headers, timeout=60)

    def lines(self, what: str) -> list[str]:
        """Those shown for a thing, as soon as the worker has indexed the push."""
        wait_until(lambda: self._found(what) != [], what="the index of lineage", seconds=120)
        return self._found(what)

    def _found(self, what: str) -> list[str]:
        answer = self.get(what)
        return list(answer.json()["reproduce"]) if answer.status_code == 200 else []

    def run(self, sha: str) -> str:
        """The id of a run as mlflow logs it from a clone at this commit."""
        tags = {"mlflow.source.git.commit": sha, "mlflow.source.name": "train.py"}
        body = {"experiment_id": "0", "tags": [{"key": key, "value": value} for key, value in tags.items()]}
        address = f"{self.remote.url}.mlflow/api/2.0/mlflow/runs/create"
        answer = httpx.post(address, json=body, auth=("any", self.remote.token), timeout=120)
        return str(answer.raise_for_status().json()["run"]["info"]["run_id"])


def reproduced(lines: list[str], folder: Path, clone: Clone, token: str) -> Path:
    """Run the lines in an empty folder, with git and dvc of nobody's configuration; the clone they made."""
    folder.mkdir()
    ask = folder.parent / "ask"
    ask.write_text('#!/bin/sh\necho "$COVEY_TOKEN"\n')  # as a person would who is asked by git
    ask.chmod(0o755)
    environment = {
        "PATH": f"{clone.bin}:{os.environ['PATH']}",
        "HOME": str(folder.parent / "nobody"),
        "LC_ALL": "C.UTF-8",
        "DVC_NO_ANALYTICS": "1",
        "DVC_SITE_CACHE_DIR": str(folder.parent / "nobody" / "site"),
        "COVEY_TOKEN": token,
        "GIT_ASKPASS": str(ask),
        "GIT_TERMINAL_PROMPT": "0",
    }
    (folder.parent / "nobody").mkdir(exist_ok=True)
    script = "\n".join(["set -eu", *lines])
    done = subprocess.run(
        ["bash", "-c", script], cwd=folder, env=environment, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, f"{script}\n{done.stdout}\n{done.stderr}"
    return next(folder.iterdir())


def recorded(folder: Path) -> dict[str, str]:
    """path → md5 of every file that dvc.lock says a stage made."""
    stages = yaml.safe_load((folder / "dvc.lock").read_text())["stages"]
    return {out["path"]: out["md5"] for stage in stages.values() for out in stage["outs"]}


def test_a_run_and_a_dataset_version_come_back_with_the_same_md5s(clone, remote, sha, tmp_path):
    lineage, known = Lineage(remote), recorded(clone.folder)
    lines = lineage.lines(f"run/{lineage.run(sha)}")
    assert lines[-2:] == ["dvc pull data/photos data/raw.csv", "dvc repro"]
    made = reproduced(lines, tmp_path / "run", clone, remote.token)
    assert recorded(made) == known
    assert {path: md5((made / path).read_bytes()) for path in known} == known
    assert not (made / "unused.bin").exists()
    state = subprocess.run(["git", "status", "--porcelain"], cwd=made, capture_output=True, text=True, check=True)
    assert state.stdout == ""  # dvc.lock says what it said
    lines = lineage.lines(f"dataset/{known['models/net.bin']}")
    made = reproduced(lines, tmp_path / "data", clone, remote.token)
    assert md5((made / "models/net.bin").read_bytes()) == known["models/net.bin"]
    assert not (made / "data/raw.csv").exists()
