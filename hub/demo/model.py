"""The demo's registered model: two versions that load, each with a card, a signature and what it needs."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import AsyncIterator

from experiments import runs
from experiments.mlflow import artifacts, registry
from experiments.mlflow.context import workspace_of
from experiments.mlflow.recording import Recorded
from repos.models import Repository

NAME, SPECIES = "bird-counter", ("grouse", "partridge", "quail", "ptarmigan")
ABOUT = """Counts grouse, partridge, quail and ptarmigan in photographs of hillsides.

| | |
|---|---|
| **Takes** | RGB pictures, 3 × height × width, between 0 and 1 |
| **Gives** | the expected count of each species |
| **Trained on** | [data/images](data/images), labels in [data/observations.csv](data/observations.csv) |
"""
LOADER = '''"""Loads the counter: mlflow.pyfunc.load_model calls _load_pyfunc with the folder of its data."""

import json
from pathlib import Path

import numpy as np


class Counter:
    def __init__(self, weights, bias):
        self.weights, self.bias = np.array(weights), np.array(bias)

    def predict(self, images, params=None):
        """images: (n, 3, height, width) between 0 and 1. Expected counts: (n, 4)."""
        colour = np.asarray(images).mean(axis=(2, 3))
        return np.exp(colour @ self.weights + self.bias)


def _load_pyfunc(path):
    return Counter(**json.loads((Path(path) / "model.json").read_text()))
'''
MLMODEL = """artifact_path: model
flavors:
  python_function:
    code: code
    data: data
    env:
      virtualenv: python_env.yaml
    loader_module: bird_counter
    python_version: 3.11.9
mlflow_version: 3.17.2
model_size_bytes: {size}
run_id: {run_id}
signature:
  inputs: '[{{"type": "tensor", "tensor-spec": {{"dtype": "float32", "shape": [-1, 3, -1, -1]}}}}]'
  outputs: '[{{"type": "tensor", "tensor-spec": {{"dtype": "float64", "shape": [-1, 4]}}}}]'
utc_time_created: '2026-10-30 09:30:00'
"""
CARD = """---
license: apache-2.0
language: en
library_name: mlflow
pipeline_tag: image-regression
tags: [birds, counting, poisson]
datasets: [data/images, data/observations.csv]
metrics: [mae, accuracy]
model-index:
- name: bird-counter
  results:
  - task: {{type: image-regression}}
    dataset: {{name: clean-labels, type: images}}
    metrics:
    - {{type: mae, value: {mae}}}
    - {{type: accuracy, value: {accuracy}}}
---
# Bird counter

A small network predicts the rate $\\lambda$ of a Poisson distribution for each species; the count is its mean.

- **Optimizer** {optimizer}, learning rate {lr}, {epochs} epochs, seed {seed}
- **Good at** open hillsides in daylight
- **Bad at** snow: ptarmigan turn white in winter

## Use

```python
counts = model.predict(images)  # one row per picture: {species}
```

## Where it was measured

On the pictures that were held back, with labels mended on the branch `clean-labels`.
"""
REQUIREMENTS = "mlflow==3.17.2\nnumpy>=2.0\n"
PYTHON_ENV = "python: 3.11.9\nbuild_dependencies:\n- pip==25.0\ndependencies:\n- -r requirements.txt\n"


def register(repository: Repository, run_ids: list[str], records: list[Recorded], *, user: str) -> None:
    """The best run of the first half is version 1, the best of all version 2, which the alias champion points at."""
    done = [number for number, record in enumerate(records) if record.status == "FINISHED"]
    chosen = [_best(done[: len(done) // 2], records), _best(done, records)]
    for version, number in enumerate(chosen, 1):
        run_id, record = run_ids[number], records[number]
        place = _keep(repository, run_id, files_of(run_id, record, seed=version))
        said = "Before the labels were mended." if version == 1 else "Trained for longer, on mended labels."
        registry.register(repository.pk, user=user, name=NAME, source=place, run_id=run_id, description=said)
        registry.set_tag(repository.pk, user=user, name=NAME, version=version, key="checked by", value="Ines")
    registry.describe_model(repository.pk, user=user, name=NAME, text=ABOUT)
    registry.set_tag(repository.pk, user=user, name=NAME, version=None, key="task", value="counting")
    for alias, version in (("champion", 2), ("baseline", 1)):
        registry.set_alias(repository.pk, user=user, name=NAME, alias=alias, version=version)


def files_of(run_id: str, record: Recorded, *, seed: int) -> dict[str, str]:
    """path → text of a model's folder, as mlflow.pyfunc.log_model would leave it."""
    chance = random.Random(seed)
    weights = {
        "weights": [[round(chance.gauss(0, 0.4), 4) for _ in SPECIES] for _ in range(3)],
        "bias": [round(chance.gauss(0.5, 0.2), 4) for _ in SPECIES],
    }
    data = json.dumps(weights, indent=2) + "\n"
    last = {key: points[-1][2] for key, points in record.metrics.items()}
    named = {"mae": last["mae"], "accuracy": last["val_acc"], "species": ", ".join(SPECIES), **record.params}
    return {
        "MLmodel": MLMODEL.format(size=len(data), run_id=run_id),
        "README.md": CARD.format(**named),
        "code/bird_counter.py": LOADER,
        "data/model.json": data,
        "python_env.yaml": PYTHON_ENV,
        "requirements.txt": REQUIREMENTS,
    }


def _best(numbers: list[int], records: list[Recorded]) -> int:
    return max(numbers, key=lambda number: records[number].metrics["val_acc"][-1][2])


def _keep(repository: Repository, run_id: str, files: dict[str, str]) -> str:
    """Keep them among the run's artifacts, in model/; the address of that folder."""
    place = f"{runs.bare(workspace_of(repository.pk), run_id).artifact_uri}/model"
    for path, text in files.items():

        async def stream(body: bytes = text.encode()) -> AsyncIterator[bytes]:
            yield body

        wanted = artifacts.scoped(repository.pk, f"{place.partition(':')[2].strip('/')}/{path}")
        asyncio.run(artifacts.destination().put(wanted, stream()))
    return place
