"""log_batch: all or nothing, once, with the hub's user."""

from __future__ import annotations

import json
import math

import pytest
from sqlalchemy import func, select

from experiments import database
from tests.experiments.conftest import API, metric

pytestmark = pytest.mark.django_db(transaction=True)


def count(table) -> int:
    return database.rows_of(select(func.count()).select_from(table))[0][0]


def test_it_writes_everything(client):
    run_id = client.run()["run_id"]
    answer = client.batch(
        run_id,
        metrics=[metric("loss", 1 / (step + 1), step) for step in range(900)],
        params=[{"key": "lr", "value": "0.1"}],
        tags=[{"key": "team", "value": "vision"}, {"key": "mlflow.runName", "value": "renamed"}],
    )
    assert answer.status == 200, answer.text
    run = client.call("GET", f"runs/get?run_id={run_id}")["run"]
    assert run["info"]["run_name"] == "renamed"
    assert {m["key"]: (m["value"], m["step"]) for m in run["data"]["metrics"]} == {"loss": (1 / 900, 899)}
    history = client.call("GET", f"metrics/get-history?run_id={run_id}&metric_key=loss")["metrics"]
    assert len(history) == 900


def test_sent_again_it_changes_nothing(client):
    run_id = client.run()["run_id"]
    content = {
        "metrics": [metric("a", 1.0), metric("a", "NaN", 1), metric("a", "Infinity", 2)],
        "params": [{"key": "lr", "value": "0.1"}],
    }
    for _ in range(3):
        assert client.batch(run_id, **content).status == 200
    assert (count(database.metrics), count(database.latest_metrics), count(database.params)) == (3, 1, 1)


def test_the_latest_value_never_goes_back(client):
    run_id = client.run()["run_id"]
    client.batch(run_id, metrics=[metric("a", 5.0, 10)])
    client.batch(run_id, metrics=[metric("a", 1.0, 3)])
    client.call("POST", "runs/log-metric", {"run_id": run_id, **metric("a", 7.0, 4)})
    data = client.call("GET", f"runs/get?run_id={run_id}")["run"]["data"]
    assert (data["metrics"][0]["value"], data["metrics"][0]["step"]) == (5.0, 10)


def test_a_changed_param_leaves_nothing_behind(client):
    run_id = client.run()["run_id"]
    client.batch(run_id, params=[{"key": "lr", "value": "0.1"}])
    before = (count(database.metrics), count(database.tags))
    answer = client.batch(
        run_id,
        metrics=[metric("loss", 1.0)],
        params=[{"key": "lr", "value": "0.2"}, {"key": "new", "value": "1"}],
        tags=[{"key": "x", "value": "y"}],
    )
    assert answer.status == 400
    assert "Changing param values is not allowed" in json.loads(answer.body)["message"]
    assert (count(database.metrics), count(database.tags), count(database.params)) == (*before, 1)


def test_the_user_of_a_run_is_the_hubs(client):
    run = client.run(user_id="mallory", tags=[{"key": "mlflow.user", "value": "mallory"}])
    assert run["user_id"] == "alice"
    forged = {"key": "mlflow.user", "value": "mallory"}
    assert client.batch(run["run_id"], tags=[forged]).status == 400
    assert client.ask("POST", f"{API}/runs/set-tag", {"run_id": run["run_id"], **forged}).status == 400
    tags = client.call("GET", f"runs/get?run_id={run['run_id']}")["run"]["data"]["tags"]
    assert {"key": "mlflow.user", "value": "alice"} in tags


def test_it_refuses_a_deleted_run(client):
    run_id = client.run()["run_id"]
    client.call("POST", "runs/delete", {"run_id": run_id})
    assert client.batch(run_id, metrics=[metric("a", 1.0)]).status == 400
    assert count(database.metrics) == 0


def test_it_keeps_nan_and_infinity(client):
    run_id = client.run()["run_id"]
    client.batch(run_id, metrics=[metric("n", "NaN"), metric("i", "-Infinity")])
    data = client.call("GET", f"runs/get?run_id={run_id}")["run"]["data"]["metrics"]
    values = {m["key"]: float(m["value"]) for m in data}
    assert math.isnan(values["n"])
    assert values["i"] < -1e300
