"""Registered models through the REST API: what it answers, to whom, and that its description names all of it."""

from __future__ import annotations

import json

import pytest
from rest_framework.test import APIClient

from experiments.registry import changes
from hub.jobs import jobs
from hub.jobs.models import Job
from tests.experiments.conftest import metric
from tests.experiments.test_models import put, registered

pytestmark = pytest.mark.django_db(transaction=True)
BASE = "/api/v1/repos/alice/private"


@pytest.fixture
def api(token_of):
    def make(user, **options):
        client = APIClient(enforce_csrf_checks=True)
        client.credentials(HTTP_AUTHORIZATION=f"Bearer {token_of(user, **options)}")
        return client

    return make


@pytest.fixture
def birds(client, private):
    return registered(client, private)


def test_models_and_versions_are_listed_by_pages(api, alice, client, private, birds):
    registered(client, private, "ähm", files=False)
    first = api(alice).get(f"{BASE}/models?limit=1")
    assert [row["name"] for row in first.json()] == ["ähm"]
    assert 'rel="next"' in first["Link"]
    assert [row["name"] for row in api(alice).get(f"{BASE}/models?q=BIR").json()] == ["birds"]
    assert api(alice).get(f"{BASE}/models/birds").json()["latest_version"] == 1
    assert [row["version"] for row in api(alice).get(f"{BASE}/models/birds/versions").json()] == [1]
    assert api(alice).get(f"{BASE}/models/nothing/versions").status_code == 404


def test_a_version_tells_what_its_files_say(api, alice, birds):
    found = api(alice).get(f"{BASE}/models/birds/versions/1").json()
    assert found["run_id"] == birds["run_id"]
    assert found["signature"]["inputs"][0] == {"name": "<b>width</b>", "type": "double", "optional": False}
    assert found["flavors"] == {"python_function": "3.11.9", "sklearn": "1.7.2"}
    assert found["card"]["words"] == {"license": "mit"}
    assert found["card"]["results"] == [["hillside", "accuracy", "0.93"]]
    (mlmodel,) = [file for file in found["files"] if file["path"] == "MLmodel"]
    assert mlmodel["url"].endswith(f"/{birds['run_id']}/artifacts/model/MLmodel")


def test_a_version_is_registered_and_an_alias_moved(api, alice, client, private, birds):
    put(private, birds["artifact_uri"], "other/MLmodel", "flavors: {}\n")
    given = {"name": "birds", "run_id": birds["run_id"], "path": "other"}
    made = api(alice).post(f"{BASE}/models", given, format="json")
    assert (made.status_code, made.json()["version"]) == (201, 2)
    address = f"{BASE}/models/birds/aliases/champion"
    for number in (1, 2):
        assert api(alice).put(address, {"version": number}, format="json").json()["aliases"] == ["champion"]
        assert client.call("GET", "registered-models/alias?name=birds&alias=champion")["model_version"][
            "version"
        ] == str(number)
    assert api(alice).get(address).json()["version"] == 2
    assert api(alice).delete(address).status_code == 204
    assert api(alice).get(address).status_code == 404
    assert api(alice).delete(address).status_code == 404


def test_descriptions_tags_stages_and_deletion(api, alice, birds):
    client, model, version = api(alice), f"{BASE}/models/birds", f"{BASE}/models/birds/versions/1"
    assert client.patch(model, {"description": "About"}, format="json").json()["description"] == "About"
    changed = client.patch(version, {"description": "First", "stage": "Staging"}, format="json").json()
    assert (changed["description"], changed["stage"]) == ("First", "Staging")
    for place in (model, version):
        assert client.put(f"{place}/tags/team%20a", {"value": "x"}, format="json").status_code == 204
        assert client.get(place).json()["tags"] == {"team a": "x"}
        assert client.delete(f"{place}/tags/team%20a").status_code == 204
        assert client.delete(f"{place}/tags/team%20a").status_code == 404
    assert client.delete(version).status_code == 204
    assert client.get(version).status_code == 404
    assert client.delete(model).status_code == 204
    assert client.get(model).status_code == 404


@pytest.mark.parametrize(
    ("method", "path", "given", "status"),
    [
        ("put", "models/birds/aliases/latest", {"version": 1}, 422),
        ("put", "models/birds/aliases/a", {"version": 7}, 404),
        ("put", "models/birds/aliases/a", {"version": "one"}, 400),
        ("put", "models/birds/aliases/a", {"version": 2**40}, 400),
        ("patch", "models/birds/versions/1", {"stage": "Gold"}, 400),
        ("patch", "models/birds", {}, 400),
        ("patch", "models/birds/versions/99999999999999999999", {"description": "x"}, 404),
        ("post", "models", {"name": "a/b", "run_id": "RUN", "path": "model"}, 422),
        ("post", "models", {"name": "b", "run_id": "RUN", "path": "no"}, 422),
        ("post", "models", {"name": "b", "run_id": "0" * 32, "path": "model"}, 404),
        ("post", "models", {"name": "b", "run_id": "RUN", "model_id": "m-1"}, 404),
    ],
)
def test_what_cannot_be_is_refused_in_words(method, path, given, status, api, alice, birds):
    given = {key: birds["run_id"] if value == "RUN" else value for key, value in given.items()}
    answer = getattr(api(alice), method)(f"{BASE}/{path}", given, format="json")
    assert answer.status_code == status, answer.content
    assert set(answer.json()) == {"error", "details"}


@pytest.mark.parametrize("who", ["stranger", "reader", "narrow token"])
def test_who_may_not_write_may_not_change(who, api, alice, charlie, birds, public, client_of):
    registered(client_of(public, alice), public, "birds", files=False)
    name, caller, status = {
        "stranger": ("private", api(charlie), 404),
        "reader": ("public", api(charlie), 403),
        "narrow token": ("private", api(alice, scopes=["experiments:read", "repo:write"]), 403),
    }[who]
    base = f"/api/v1/repos/alice/{name}"
    answers = [
        caller.post(f"{base}/models", {}, format="json"),
        caller.patch(f"{base}/models/birds", {}, format="json"),
        caller.delete(f"{base}/models/birds"),
        caller.delete(f"{base}/models/birds/versions/1"),
        caller.put(f"{base}/models/birds/aliases/a", {"version": 1}, format="json"),
        caller.put(f"{base}/models/birds/tags/a", {"value": "1"}, format="json"),
        caller.delete(f"{base}/models/birds/versions/1/tags/a"),
        caller.post(f"{base}/experiments/reclaim", {"confirm": f"alice/{name}"}, format="json"),
    ]
    assert {answer.status_code for answer in answers} == {status}


def test_what_was_deleted_goes_for_good(api, alice, client, private):
    run = client.run()["run_id"]
    client.batch(run, metrics=[metric("a", 1)])
    client.call("POST", "runs/delete", {"run_id": run})
    address = f"{BASE}/experiments/reclaim"
    assert api(alice).get(address).json()["deleted"] == {"experiments": 0, "runs": 1, "models": 0, "kept": 0}
    assert api(alice).post(address, {"confirm": "private"}, format="json").status_code == 422
    assert api(alice).post(address, {"confirm": "alice/private"}, format="json").status_code == 202
    jobs.run(Job.objects.get().pk)
    found = api(alice).get(address)
    assert (found.status_code, found.json()["state"], found.json()["result"]["runs"]) == (200, "done", 1)
    assert found.json()["deleted"]["runs"] == 0


def test_the_description_names_them_with_their_bodies():
    paths = json.loads(APIClient().get("/api/v1/openapi.json").content)["paths"]
    base = "/api/v1/repos/{owner}/{name}/models"
    assert set(paths[base]) == {"get", "post"}
    assert set(paths[f"{base}/{{model}}"]) == {"get", "patch", "delete"}
    assert set(paths[f"{base}/{{model}}/versions/{{number}}"]) == {"get", "patch", "delete"}
    alias = paths[f"{base}/{{model}}/aliases/{{alias}}"]
    assert alias["put"]["requestBody"]["content"]["application/json"]["schema"]["$ref"].endswith("/ModelAlias")
    assert changes.STAGES == ("None", "Staging", "Production", "Archived")
