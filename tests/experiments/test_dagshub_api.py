"""DagsHub's shapes of experiments: a page of them, and every point of their metrics."""

from __future__ import annotations

import json

import pytest

from experiments import dagshub
from tests.experiments.conftest import metric

pytestmark = pytest.mark.django_db(transaction=True)
ADDRESS = "/api/v1/repos/alice/private/experiments"


def ask(pages, keys, address=ADDRESS):
    return pages.post(f"{address}/metricsForExperiments", json.dumps({"experiment_keys": keys}), "application/json")


def test_experiments_have_dagshubs_shape(client, private, pages):
    run_id = client.run(run_name="first", start_time=1_700_000_000_000)["run_id"]
    client.batch(run_id, metrics=[metric("acc", 0.5, 1), metric("acc", 0.75, 2), metric("bad", "NaN")],
                 params=[{"key": "lr", "value": "0.1"}])  # fmt: skip
    client.run(run_name="second", start_time=1_700_000_000_001)
    found = pages.get(f"{ADDRESS}?limit=1&sort=started").json()
    one = found["experiments"][run_id]
    assert (found["isEditor"], list(found["experiments"])) == (True, [run_id])
    assert (one["ID"], one["RepoID"], one["Name"], one["Source"]) == (run_id, private.pk, "first", "mlflow")
    assert (one["TimeUnixMs"], one["Group"], one["Labels"], one["CommitID"]) == (1_700_000_000_000, "Default", [], "")
    assert one["MetricsByPath"]["mlflow"]["acc"] == [{"Value": 0.75, "Timestamp": 1002, "Step": 2, "ValueStr": "0.75"}]
    assert (
        one["MetricsByPath"]["mlflow"]["bad"][0] | {"Value": None, "ValueStr": "NaN"}
        == one["MetricsByPath"]["mlflow"]["bad"][0]
    )
    assert one["HyperParamsByPath"]["mlflow"] == [
        {"ExperimentID": run_id, "Name": "lr", "Value": "0.1", "Path": "mlflow"}
    ]
    rest = pages.get(f"{ADDRESS}?limit=1&sort=started&after={found['nextPageToken']}").json()
    assert [each["Name"] for each in rest["experiments"].values()] == ["second"]
    assert rest["nextPageToken"] == ""


def test_metrics_for_experiments_are_every_point(client, private, pages):
    run_id = client.run()["run_id"]
    client.batch(run_id, metrics=[metric("acc", value, step) for step, value in enumerate((0.5, "Infinity"))])
    found = ask(pages, [run_id, "absent", "a/../b"]).json()
    assert found == {run_id: {"mlflow": {"acc": [
        {"Value": 0.5, "Timestamp": 1000, "Step": 0, "ValueStr": "0.5"},
        {"Value": None, "Timestamp": 1001, "Step": 1, "ValueStr": "Infinity"},
    ]}}}  # fmt: skip


def test_another_repositorys_are_as_if_absent(client, client_of, alice, private, public, pages):
    run_id = client_of(public, alice).run()["run_id"]
    assert ask(pages, [run_id]).json() == {}
    assert pages.get(ADDRESS).json()["experiments"] == {}


@pytest.mark.parametrize("body", ["[]", "{}", '{"experiment_keys": 1}', '{"experiment_keys": [[]]}', "x"])
def test_bad_input_is_said(client, pages, body):
    answer = pages.post(f"{ADDRESS}/metricsForExperiments", body, "application/json")
    assert answer.status_code == 400
    assert pages.get(f"{ADDRESS}?q=what+is").status_code == 400
    assert pages.get(f"{ADDRESS}?limit=0").status_code == 400


def test_too_many_points_are_refused(client, private, pages, monkeypatch):
    monkeypatch.setattr(dagshub, "MOST_POINTS", 3)
    run_id = client.run()["run_id"]
    client.batch(run_id, metrics=[metric("acc", 0.5, step) for step in range(5)])
    answer = ask(pages, [run_id])
    assert answer.status_code == 422
    assert "compare/curves" in answer.json()["details"]


def test_who_may_ask(client, pages, charlie):
    assert pages.post(ADDRESS).status_code == 405
    assert pages.get(f"{ADDRESS}/metricsForExperiments").status_code == 405
    pages.force_login(charlie)
    assert pages.get(ADDRESS).status_code == 404
    assert ask(pages, []).status_code == 404
    pages.logout()
    assert pages.get(ADDRESS).status_code == 401
    assert ask(pages, []).status_code == 401
