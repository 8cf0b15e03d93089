"""Our create_run against MLflow's own, and what it refuses."""

from __future__ import annotations

import json

import pytest

from experiments.mlflow.context import user_name, workspace_of
from tests.experiments.conftest import API

pytestmark = pytest.mark.django_db(transaction=True)


def test_it_makes_what_mlflow_makes(client, private):
    from mlflow.entities import RunTag
    from mlflow.server import handlers
    from mlflow.store.tracking.sqlalchemy_workspace_store import WorkspaceAwareSqlAlchemyStore as TrackingBase
    from mlflow.utils.workspace_context import WorkspaceContext

    experiment = client.run()["experiment_id"]
    store = handlers._get_tracking_store()
    arguments = (experiment, "alice", 5, [RunTag("mlflow.user", "alice"), RunTag("team", "field")], "named")
    token = user_name.set("alice")
    try:
        with WorkspaceContext(workspace_of(private.pk)):
            ours, theirs = store.create_run(*arguments), TrackingBase.create_run(store, *arguments)
            kept = [store.get_run(run.info.run_id) for run in (ours, theirs)]
    finally:
        user_name.reset(token)
    shapes = []
    for run in (ours, theirs, *kept):
        text = json.dumps(run.to_dictionary(), sort_keys=True).replace(run.info.run_id, "RUN")
        shapes.append(json.loads(text))
    assert shapes[0] == shapes[1]  # as answered
    assert shapes[2] == shapes[3]  # as stored
    assert shapes[0]["data"]["tags"] == {"mlflow.runName": "named", "mlflow.user": "alice", "team": "field"}
    assert shapes[0]["info"]["artifact_uri"].endswith("/RUN/artifacts")


def test_a_run_without_a_name_gets_one(client):
    run = client.run()
    assert run["run_name"]
    tag = {"key": "mlflow.runName", "value": "from-tag"}
    assert client.run(tags=[tag])["run_name"] == "from-tag"
    assert client.run(tags=[tag], run_name="from-tag")["run_name"] == "from-tag"


def test_two_names_are_refused(client):
    tag = {"key": "mlflow.runName", "value": "one"}
    answer = client.ask("POST", f"{API}/runs/create", {"experiment_id": "0", "run_name": "two", "tags": [tag]})
    assert answer.status == 400
    assert "different values" in json.loads(answer.body)["message"]


def test_of_a_tag_given_twice_the_last_counts(client):
    tags = [{"key": "team", "value": value} for value in ("a", "b")]
    run = client.run(tags=tags)
    found = client.call("GET", f"runs/get?run_id={run['run_id']}")["run"]["data"]["tags"]
    assert [tag["value"] for tag in found if tag["key"] == "team"] == ["b"]


def test_experiments_of_others_deleted_and_absent_are_refused(client, client_of, public, alice):
    other = client_of(public, alice).run()["experiment_id"]
    mine = client.call("POST", "experiments/create", {"name": "gone"})["experiment_id"]
    client.call("POST", "experiments/delete", {"experiment_id": mine})
    for experiment, status in ((other, 404), ("999999", 404), (mine, 400), ("x", 400)):
        answer = client.ask("POST", f"{API}/runs/create", {"experiment_id": experiment})
        assert answer.status == status, answer.text


def test_a_tag_too_long_for_its_column_is_the_callers_mistake(client):
    answer = client.ask(
        "POST", f"{API}/runs/create", {"experiment_id": "0", "tags": [{"key": "k" * 300, "value": "v"}]}
    )
    assert answer.status in {200, 400}  # SQLite takes it, PostgreSQL does not
    assert client.run()["status"] == "RUNNING"
