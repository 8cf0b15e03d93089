"""Registered models: list, model, version, comparison; what they say of hostile names and files, and to whom."""

from __future__ import annotations

import asyncio
from urllib.parse import quote

import pytest
from django.test import Client as Browser
from sqlalchemy import update

from experiments import database, indexing
from experiments.mlflow import artifacts
from experiments.mlflow.context import workspace_of
from experiments.registry import reading
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
    assert '<span class="count">1</span></a>' in page.split('data-key="g m"')[1]
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


@pytest.mark.parametrize("address", ["", "/birds", "/birds/versions/1", "/birds/compare?version=1&version=2"])
def test_who_may_look(address, client, pages, private, birds, charlie):
    given = {"name": "birds", "source": birds["artifact_uri"], "run_id": birds["run_id"]}
    client.call("POST", "model-versions/create", given)
    assert pages.get(f"{BASE}{address}").status_code == 200
    assert pages.post(f"{BASE}{address}").status_code == 405
    stranger = Browser()
    stranger.force_login(charlie)
    assert stranger.get(f"{BASE}{address}").status_code == 404


def test_another_repositorys_model_of_the_same_name_is_as_if_absent(client_of, alice, public, client, pages, private):
    registered(client_of(public, alice), public, "birds")
    for address in ("/birds", "/birds/versions/1", "/birds/compare?version=1&version=2"):
        assert pages.get(f"{BASE}{address}").status_code == 404
    registered(client, private, "birds", files=False)
    assert "About it" not in pages.get(f"{BASE}/birds/versions/1").content.decode()
    assert "About it" in pages.get("/alice/public/models/birds/versions/1").content.decode()


@pytest.mark.parametrize("name", ["größe & <b>x", "a%2Fb?c#d", "v 1.0 (β)", "@home", "versions", "x" * 256])
def test_any_name_that_mlflow_takes_has_pages(name, client, pages, private):
    registered(client, private, name)
    address = f"{BASE}/{quote(name, safe='')}"
    assert f'href="{address}"' in pages.get(BASE).content.decode()
    for page in (address, f"{address}/versions/1"):
        answer = pages.get(page)
        assert answer.status_code == 200
        assert "<b>x" not in answer.content.decode()


def test_values_of_10_000_characters_are_shown_in_part(client, pages, private):
    run = registered(client, private)
    long = "<i>ü</i>" * 1250
    client.batch(run["run_id"], params=[{"key": "long", "value": long[:6000]}], metrics=[metric("nan", "NaN")])
    client.call("POST", "model-versions/set-tag", {"name": "birds", "version": "1", "key": "k" * 250, "value": long})
    page = pages.get(f"{BASE}/birds/versions/1").content.decode()
    assert "<i>ü" not in page
    assert "&lt;i&gt;ü" in page
    assert len(page) < 60_000
    assert ">NaN</td>" in page


def test_prompts_are_no_models(client, pages, private):
    tags = [{"key": "mlflow.prompt.is_prompt", "value": "true"}]
    client.call("POST", "registered-models/create", {"name": "prompt", "tags": tags})
    indexing.refresh(private.pk)
    private.refresh_from_db()
    assert private.models_count == 0
    assert pages.get(f"{BASE}/prompt").status_code == 404
    assert "No models yet" in pages.get(BASE).content.decode()


@pytest.mark.parametrize(
    ("file", "body", "said"),
    [
        ("MLmodel", "flavors: [1, 2", "not valid YAML"),
        ("MLmodel", "a: &x [1]\nb: [*x, *x]", "aliases"),
        ("MLmodel", "- no\n- table", "no table"),
        ("MLmodel", "signature: {inputs: 'not json'}", "MLmodel:"),
        ("MLmodel", "#" * 600_000, "too large"),
        ("README.md", "---\nlicense: [\n---\nStill here", "Still here"),
        ("README.md", "\udcff".encode("utf-8", "surrogateescape").decode("latin-1"), "ÿ"),
    ],
)
def test_files_that_lie_about_themselves_are_said_to(file, body, said, client, pages, private):
    run = registered(client, private, files=False)
    put(private, run["artifact_uri"], f"model/{file}", body)
    answer = pages.get(f"{BASE}/birds/versions/1")
    assert answer.status_code == 200
    assert said in answer.content.decode()


@pytest.mark.parametrize(
    "source",
    ["s3://bucket/x", "mlflow-artifacts:/workspaces/r1/../r2/x", "file:///etc", "models:/other/1", "runs:/x/y"],
)
def test_a_place_that_is_not_this_repositorys_is_never_read(source, client, pages, private, birds):
    """Written past MLflow's checks, as an older hub may have taken it."""
    with database.engine().begin() as connection:
        connection.execute(update(database.model_versions).values(source=source, storage_location=source))
    answer = pages.get(f"{BASE}/birds/versions/1")
    assert answer.status_code == 200
    assert "not kept by this hub" in answer.content.decode()


def test_two_versions_side_by_side(client, pages, private, birds):
    other = client.run()
    client.batch(other["run_id"], metrics=[metric("acc", 0.95)], params=[{"key": "lr", "value": "0.2"}])
    put(private, other["artifact_uri"], "model/requirements.txt", "scikit-learn==1.8.0\n")
    source = f"{other['artifact_uri']}/model"
    client.call("POST", "model-versions/create", {"name": "birds", "source": source, "run_id": other["run_id"]})
    page = pages.get(f"{BASE}/birds/compare?version=2&version=1").content.decode()
    assert "<h1>v1 → v2</h1>" in page
    assert page.index(">v1</a></th>") < page.index(">v2</a></th>")
    for wanted in ("+0.05", "0.95", "scikit-learn==1.8.0", "scikit-learn==1.7.2", "output 0"):
        assert wanted in page
    for wrong in ("version=1", "version=1&version=1", "version=a&version=b", "version=1&version=2&version=3"):
        assert pages.get(f"{BASE}/birds/compare?{wrong}").status_code == 400
    assert pages.get(f"{BASE}/birds/compare?version=1&version=9").status_code == 404


def test_pages_cost_as_few_statements_for_many_as_for_one(client, private, statements):
    workspace = workspace_of(private.pk)
    for number in range(6):
        run = registered(client, private, f"m{number}", files=False)
        given = {"name": "m0", "source": run["artifact_uri"], "run_id": run["run_id"]}
        client.call("POST", "model-versions/create", given)
    for ask, most in (
        (lambda: reading.models(workspace), 4),
        (lambda: reading.model(workspace, "m0"), 4),
        (lambda: reading.versions(workspace, "m0"), 3),
        (lambda: reading.counts(), 1),
    ):
        with statements() as told:
            ask()
        assert len(told) == most


def test_a_page_number_beyond_the_end_and_a_wrong_one(pages, birds):
    assert pages.get(f"{BASE}?page=9").status_code == 200
    assert pages.get(f"{BASE}/birds?page=9").status_code == 200
    assert pages.get(f"{BASE}?page=x").status_code == 400
    assert pages.get(f"{BASE}/birds/versions/99999999999999999999").status_code == 404
