"""The iris data (it comes with plotly) as a project of two people: a keyed table, pictures by DVC, a notebook, runs."""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import plotly
from PIL import Image, ImageDraw

from tests.support.hub import Hub

NAME = "alice/iris"
CONFIG = "datasets:\n  keys:\n    iris.csv: id\nmetrics:\n  accuracy: max\n"
TRAIN = "import csv\n\n\ndef train(path):\n    depth = 3\n    return fit(csv.reader(open(path)), depth)\n"


def iris() -> list[dict[str, str]]:
    data = Path(plotly.__file__).parent / "package_data" / "datasets" / "iris.csv.gz"
    rows = csv.DictReader(io.StringIO(gzip.decompress(data.read_bytes()).decode()))
    return [{"id": str(number), **row} for number, row in enumerate(rows, 1)]


class Project:
    """One working copy, from which both push."""

    def __init__(self, hub: Hub, people: dict[str, str], git: Callable[..., str], folder: Path) -> None:
        self.hub, self.people, self.folder = hub, people, folder
        self.run_git = git
        hub.repository(people["alice"], "iris")
        self.api("PUT", "collaborators/bob", permission="write")
        git("init", "-q", "-b", "main", cwd=folder)
        (folder / ".covey").mkdir()
        (folder / ".covey" / "config.yml").write_text(CONFIG)

    def commit(self, message: str, *, species: dict[str, str], depth: int, shade: str, score: str) -> str:
        """species: by id, of rows that are labelled otherwise. shade: of the one picture. The commit's id."""
        self._table([{**row, "species": species.get(row["id"], row["species"])} for row in iris()])
        (self.folder / "train.py").write_text(TRAIN.replace("depth = 3", f"depth = {depth}"))
        (self.folder / "look.ipynb").write_text(notebook(depth, score))
        self._pictures(shade)
        self.run_git("add", ".", cwd=self.folder)
        self.run_git("commit", "-q", "-m", message, cwd=self.folder)
        return self.run_git("rev-parse", "HEAD", cwd=self.folder).strip()

    def push(self, person: str, branch: str) -> None:
        remote = self.hub.url.replace("//", f"//{person}:{self.people[person]}@") + f"/{NAME}.git"
        self.run_git("push", "-q", remote, branch, cwd=self.folder)

    def log(self, person: str, name: str, commit: str, accuracy: float) -> str:
        """A finished run; its id."""
        now = int(time.time() * 1000)
        tags = [{"key": "mlflow.source.git.commit", "value": commit}, {"key": "mlflow.runName", "value": name}]
        made = self._mlflow(person, "runs/create", experiment_id="0", start_time=now, tags=tags)
        run_id: str = made["run"]["info"]["run_id"]
        metric = {"key": "accuracy", "value": accuracy, "timestamp": now, "step": 1}
        self._mlflow(person, "runs/log-batch", run_id=run_id, metrics=[metric])
        self._mlflow(person, "runs/update", run_id=run_id, status="FINISHED", end_time=now + 1)
        return run_id

    def api(self, method: str, path: str, *, person: str = "alice", **body: Any) -> Any:
        headers = {"Authorization": f"Bearer {self.people[person]}"}
        url = f"{self.hub.url}/api/v1/repos/{NAME}/{path}"
        answer = httpx.request(method, url, headers=headers, json=body or None, timeout=60).raise_for_status()
        return answer.json() if answer.content else None

    def said(self) -> str:
        """What the comments of the first pull request say."""
        return "\n".join(one["body"] for one in self.api("GET", "issues/1/comments"))

    def _mlflow(self, person: str, path: str, **body: Any) -> Any:
        url = f"{self.hub.url}/{NAME}.mlflow/api/2.0/mlflow/{path}"
        return httpx.post(url, json=body, auth=(person, self.people[person]), timeout=120).raise_for_status().json()

    def _table(self, rows: list[dict[str, str]]) -> None:
        with (self.folder / "iris.csv").open("w", newline="") as file:
            writer = csv.DictWriter(file, fieldnames=list(rows[0]), lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)

    def _pictures(self, shade: str) -> None:
        """A folder under DVC: its bytes and its list go to the remote, the pointer into git."""
        files = {"petal.png": picture(shade), "sepal.png": picture("navy")}
        listed = [{"md5": hashlib.md5(data).hexdigest(), "relpath": name} for name, data in sorted(files.items())]
        manifest = json.dumps(listed, sort_keys=True).encode()
        name = f"{hashlib.md5(manifest).hexdigest()}.dir"
        for oid, data in [*((one["md5"], files[one["relpath"]]) for one in listed), (name, manifest)]:
            url = f"{self.hub.url}/{NAME}.dvc/files/md5/{oid[:2]}/{oid[2:]}"
            httpx.put(url, content=data, auth=("any", self.people["bob"]), timeout=60).raise_for_status()
        size = sum(len(data) for data in files.values())
        pointer = f"outs:\n- md5: {name}\n  size: {size}\n  nfiles: {len(files)}\n  hash: md5\n  path: pictures\n"
        (self.folder / "pictures.dvc").write_text(pointer)


def picture(shade: str) -> bytes:
    image = Image.new("RGB", (320, 240), "white")
    ImageDraw.Draw(image).ellipse((60, 40, 260, 200), fill=shade)
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()


def notebook(depth: int, score: str) -> str:
    cell = {
        "cell_type": "code", "id": "a1", "execution_count": 1, "metadata": {}, "source": f"score(depth={depth})",
        "outputs": [{"output_type": "stream", "name": "stdout", "text": f"accuracy {score}\n"}],
    }  # fmt: skip
    return json.dumps({"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}, indent=1)
