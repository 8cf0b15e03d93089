"""Registered models: list, model, version, comparison; what they say of hostile names and files, and to whom."""

from __future__ import annotations

import asyncio

import pytest

from experiments import indexing
from experiments.mlflow import artifacts
from tests.datasets.conftest import stream
from tests.experiments.conftest import metric

pytestmark = pytest.mark.django_db(transaction=True)
BASE = "/alice/private/models"
MLMODEL = """flavors:
  python_function: {loader_module: mlflow.sklearn, python_version: 3.11.9}
  sklearn: {sklearn_version: 1.7.2, pickled_model: model.pkl}
mlflow_version: 3.17.2
signature:
  inputs: '[{"type": "double", "name": "<b>width</b>", "required": true},
    {"type": "tensor", "tensor-spec": {"dtype": "float64", "shape": [-1, 28]}}]'
  outputs: '[{"type": "long", "required": false}]'
utc_time_created: '2026-10-30 09:30:00'
"""
CARD = """---
license: mit
tags: [birds, "<i>wet</i>"]
metrics: [accuracy]
model-index:
- name: x
  results:
  - dataset: {name: hillside}
    metrics: [{type: accuracy, value: 0.93}]
---
# About it

<script>alert(1)</script> It counts.
"""


def put(repository, uri, name, body):
    path = artifacts.scoped(repository.pk, f"{uri.partition(':')[2].strip('/')}/{name}")
    asyncio.run(artifacts.destination().put(path, stream(body.encode())))


def registered(client, repository, name="birds", *, files=True, path="model"):
    """A run with a model's files, registered; the run's info."""
    run = client.run(run_name=f"run of {name}"[:100])
    client.batch(run["run_id"], metrics=[metric("acc", 0.9)], params=[{"key": "lr", "value": "0.1"}])
    if files:
        for file, body in {"MLmodel": MLMODEL, "README.md": CARD, "requirements.txt": "scikit-learn==1.7.2\n"}.items():
            put(repository, run["artifact_uri"], f"{path}/{file}", body)
    client.ask("POST", "api/2.0/mlflow/registered-models/create", {"name": name})
    source = f"{run['artifact_uri']}/{path}"
    client.call("POST", "model-versions/create", {"name": name, "source": source, "run_id": run["run_id"]})
    return run


@pytest.fixture
def birds(client, private):
    return registered(client, private)


def test_the_list_shows_models_with_aliases_and_counts(client, pages, private, birds):
    client.call("POST", "registered-models/alias", {"name": "birds", "alias": "champion", "version": "1"})
    client.call("POST", "registered-models/set-tag", {"name": "birds", "key": "team", "value": "field"})
    indexing.refresh(private.pk)
    page = pages.get(BASE).content.decode()
    assert "@champion" in page
    assert "team: field" in page
    private.refresh_from_db()
    assert private.models_count == 1
    assert ">1</span></a>" in page.split('key="g m"')[-1]
    assert "birds" in pages.get(f"{BASE}?q=FIEL").content.decode()
    assert "No model holds" in pages.get(f"{BASE}?q=zzz").content.decode()


def test_an_empty_repository_teaches_how_to_register(client, pages):
    page = pages.get(BASE).content.decode()
    assert "mlflow.register_model" in page
    assert "/alice/private.mlflow" in page


def test_a_version_says_what_it_is_and_where_it_comes_from(pages, birds):
    page = pages.get(f"{BASE}/birds/versions/1").content.decode()
    for wanted in (
        "run of birds",
        "&lt;b&gt;width&lt;/b&gt;",
        "tensor float64 (-1, 28)",
        "sklearn",
        "1.7.2",
        "About it",
    ):
        assert wanted in page
    assert "license: <strong>mit</strong>" in page
    assert "&lt;i&gt;wet&lt;/i&gt;" in page
    assert "hillside" in page
    assert "<script>alert" not in page
    assert "models:/birds/1" in page
    assert "scikit-learn==1.7.2" in page


def test_a_version_without_files_says_so(client, pages, private):
    registered(client, private, files=False)
    assert "no files at its place" in pages.get(f"{BASE}/birds/versions/1").content.decode()
