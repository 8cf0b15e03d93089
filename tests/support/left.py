"""Two runs that left something of every kind, logged to a running hub."""

from __future__ import annotations

import io
import json
import pickle
import urllib.request
from typing import Any

import numpy
from PIL import Image

from tests.support.hub import Hub

UUID = "0f4f4b34-0000-4000-8000-000000000000"
DIFF = """diff --git a/src/train.py b/src/train.py
--- a/src/train.py
+++ b/src/train.py
@@ -1,2 +1,2 @@
-lr = 0.1
+lr = 0.2
 import os
"""
MLMODEL = """flavors:
  python_function: {loader_module: mlflow.sklearn, python_version: 3.11.8}
  sklearn: {pickled_model: model.pkl, sklearn_version: 1.7.2}
model_uuid: m-0f4f4b34
signature:
  inputs: '[{"type": "double", "name": "wing"}, {"type": "double", "name": "weight"}]'
  outputs: '[{"type": "string"}]'
"""


def two_runs(hub: Hub, token: str, repository: str, *, commit: str = "") -> list[str]:
    """Their ids. The second has other values in everything."""
    return [_run(hub, token, repository, number, commit) for number in range(2)]


def _run(hub: Hub, token: str, repository: str, number: int, commit: str) -> str:
    tags = {
        "mlflow.note.content": "# Wings\nThe **second** try.\n\n| a | b |\n|---|---|\n| 1 | 2 |",
        "mlflow.source.name": "/home/alice/lab/src/train.py",
        "mlflow.source.git.diff": DIFF,
        **({"mlflow.source.git.commit": commit} if commit else {}),
    }
    given = [{"key": key, "value": value} for key, value in tags.items()]
    body = {"experiment_id": "0", "run_name": f"wings-{number}", "start_time": 1_760_000_000_000, "tags": given}
    info = json.loads(_ask(hub, token, repository, "POST", "api/2.0/mlflow/runs/create", body))["run"]["info"]
    points = [
        {"key": key, "value": value, "timestamp": 1_760_000_000_000 + step * 1000, "step": step}
        for step in range(120)
        for key, value in (("loss", 1 / (step + 2 + number)), ("system/cpu_utilization", 40 + step % 20))
    ]
    params = [{"key": "lr", "value": f"0.{number + 1}"}, {"key": "layers", "value": "4"}]
    batch = {"run_id": info["run_id"], "metrics": points, "params": params}
    _ask(hub, token, repository, "POST", "api/2.0/mlflow/runs/log-batch", batch)
    data = {"name": "birds", "digest": f"{number}" * 32, "source_type": "local", "source": '{"uri": "data/birds.csv"}'}
    inputs = {"run_id": info["run_id"], "datasets": [{"dataset": data}]}
    _ask(hub, token, repository, "POST", "api/2.0/mlflow/runs/log-inputs", inputs)
    place = info["artifact_uri"].removeprefix("mlflow-artifacts:/")
    for path, content in _files(number).items():
        address = f"api/2.0/mlflow-artifacts/artifacts/{place}/{path}"
        _ask(hub, token, repository, "PUT", address, content)
    return str(info["run_id"])


def _files(number: int) -> dict[str, bytes]:
    header = json.dumps({"w": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]}}).encode()
    pictures = {f"images/mask%2Bstep%2B{s}%2Btimestamp%2B1%2B{UUID}.png": _picture(number, s) for s in (0, 5, 10)}
    return {
        **pictures,
        "config.json": json.dumps({"lr": number, "layers": [1, 2]}).encode(),
        "report.md": b"# Report\n\nAll went well.\n",
        "model/MLmodel": MLMODEL.encode(),
        "model/model.pkl": pickle.dumps(numpy.arange(3)),
        "model/requirements.txt": f"mlflow==3.17.2\nscikit-learn==1.7.{number}\n".encode(),
        "weights.safetensors": len(header).to_bytes(8, "little") + header + b"\0" * 24,
    }


def _picture(number: int, step: int) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (120, 80), (60 + 15 * step, 90 + 60 * number, 160)).save(out, "PNG")
    return out.getvalue()


def _ask(hub: Hub, token: str, repository: str, method: str, path: str, body: Any) -> bytes:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    headers = {"Authorization": f"Bearer {token}"} | (
        {} if isinstance(body, bytes) else {"Content-Type": "application/json"}
    )
    request = urllib.request.Request(f"{hub.url}/{repository}.mlflow/{path}", data, headers, method=method)
    with urllib.request.urlopen(request, timeout=120) as answer:
        return bytes(answer.read())
