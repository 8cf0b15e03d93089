"""The demo's pipeline: what its stages made, and the dvc.lock that says so. The same bytes each time."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from hub.demo import texts
from hub.demo.project import evaluate, prepare, train

Record = dict[str, Any]
OPTIMIZERS = tuple(train.OPTIMIZERS)


@dataclass(frozen=True)
class Made:
    """What a run of the stages makes: files that DVC keeps, by path, and the metrics."""

    files: dict[str, bytes]
    metrics: str


def run(observations: bytes, pictures: Mapping[str, bytes], params: str) -> Made:
    """pictures: by path below data/images. params: of params.yaml."""
    table, wanted = prepare.clean(observations.decode()), train.Parameters(**yaml.safe_load(params)["train"])
    colour = train.colours((path.split("/")[0], io.BytesIO(data)) for path, data in sorted(pictures.items()))
    models = {name: train.written([*train.fit(table, colour, name, wanted)][-1]) for name in OPTIMIZERS}
    files = {"data/clean.csv": table} | {f"models/{name}.json": model for name, model in models.items()}
    return Made({path: text.encode() for path, text in files.items()}, evaluate.scores(models.values()))


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
