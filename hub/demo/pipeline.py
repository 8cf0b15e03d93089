"""The demo's pipeline: what its stages made, and the dvc.lock that says so. The same bytes each time."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import random
from collections.abc import Mapping
from typing import Any

import yaml

from hub.demo import texts

Record = dict[str, Any]
OPTIMIZERS = ("adam", "lion")


def prepared(observations: bytes) -> bytes:
    """What src/prepare.py keeps."""
    rows = list(csv.reader(io.StringIO(observations.decode())))
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerows([rows[0], *(row for row in rows[1:] if -40 <= float(row[5]) <= 45)])
    return out.getvalue().encode()


def model(optimizer: str, *, epochs: int) -> bytes:
    chance = random.Random(f"{optimizer}-{epochs}")
    weights = [round(chance.gauss(0, 1), 4) for _ in range(64)]
    return (json.dumps({"optimizer": optimizer, "epochs": epochs, "weights": weights}) + "\n").encode()


def made(observations: bytes, *, epochs: int) -> dict[str, bytes]:
    """path → content of what the stages make and DVC keeps."""
    models = {f"models/{name}.json": model(name, epochs=epochs) for name in OPTIMIZERS}
    return {"data/clean.csv": prepared(observations), **models}


def records(files: Mapping[str, bytes], images: Record, metrics: str, params: str) -> dict[str, Record]:
    """dvc.lock's record of each stage after a run. files: what was read and made, by path. images: of the folder."""
    known = {**files, "metrics.json": metrics.encode()} | {path: text.encode() for path, text in texts.SOURCES.items()}

    def each(*paths: str) -> list[Record]:
        return [images if path == "data/images" else record(path, known[path]) for path in paths]

    found: dict[str, Record] = {
        "prepare": {
            "cmd": "python src/prepare.py",
            "deps": each("data/observations.csv", "src/prepare.py"),
            "outs": each("data/clean.csv"),
        }
    }
    for name in OPTIMIZERS:
        found[f"train@{name}"] = {
            "cmd": f"python src/train.py --optimizer {name}",
            "deps": each("data/clean.csv", "data/images", "src/train.py"),
            "params": {"params.yaml": yaml.safe_load(params)},
            "outs": each(f"models/{name}.json"),
        }
    models = [f"models/{name}.json" for name in OPTIMIZERS]
    found["evaluate"] = {
        "cmd": "python src/evaluate.py",
        "deps": each(*models, "src/evaluate.py"),
        "outs": each("metrics.json"),
    }
    return found


def record(path: str, data: bytes) -> Record:
    md5 = hashlib.md5(data, usedforsecurity=False).hexdigest()
    return {"path": path, "hash": "md5", "md5": md5, "size": len(data)}


def lock(stages: Mapping[str, Record]) -> bytes:
    plain = json.loads(json.dumps(dict(sorted(stages.items()))))  # what is said twice is written twice: no aliases
    return yaml.safe_dump({"schema": "2.0", "stages": plain}, sort_keys=False).encode()
