"""DagsHub's shapes of experiments: a page of them, and every point of their metrics."""

from __future__ import annotations

import json
from urllib.parse import quote

import pytest

from experiments import dagshub
from experiments.mlflow import gitruns
from experiments.mlflow.context import workspace_of
from experiments.mlflow.gitruns import GitRun
from experiments.tracked import marks
from repos.models import Access, Membership
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


def experiment(run_id: str, label: str = "") -> str:
    return f"{ADDRESS}/experiment/{run_id}" + (f"/labels/{quote(label, safe='')}" if label else "")


def test_an_experiment_is_renamed_deleted_and_labelled(client, pages):
    run_id = client.run(run_name="first")["run_id"]
    assert pages.post(experiment(run_id), '{"name": "better"}', "application/json").status_code == 204
    for label in ("good", "a/b ü", "good"):
        assert pages.post(experiment(run_id, label)).status_code == 204
    one = pages.get(ADDRESS).json()["experiments"][run_id]
    assert (one["Name"], one["Labels"]) == ("better", ["a/b ü", "good"])
    for _ in range(2):
        assert pages.delete(experiment(run_id, "good")).status_code == 204
    assert pages.get(ADDRESS).json()["experiments"][run_id]["Labels"] == ["a/b ü"]
    assert pages.delete(experiment(run_id)).status_code == 204
    assert pages.get(ADDRESS).json()["experiments"] == {}
    assert pages.delete(experiment(run_id)).status_code == 404
    assert pages.post(experiment(run_id, "good")).status_code == 404


def test_a_run_of_a_commit_keeps_its_labels_and_nothing_else_is_changed(private, pages, writer, tables):
    made = writer(private)
    sha = made.commit({"metrics.json": '{"acc": 1}', "dvc.yaml": "metrics: [metrics.json]\n", ".dvc/config": ""}, "One")
    gitruns.write(workspace_of(private.pk), [of_commit(private, sha)])
    run_id = marks.run_id_of(private.pk, sha)
    assert pages.post(experiment(run_id, "good")).status_code == 204
    gitruns.write(workspace_of(private.pk), [of_commit(private, sha)])
    assert pages.get(ADDRESS).json()["experiments"][run_id]["Labels"] == ["good"]
    assert pages.post(experiment(run_id), '{"name": "better"}', "application/json").status_code == 422
    assert pages.delete(experiment(run_id)).status_code == 422


def of_commit(repository, sha: str) -> GitRun:
    tags = {gitruns.COMMIT_TAG: sha, marks.SOURCE_TAG: marks.COMMIT}
    return GitRun(marks.run_id_of(repository.pk, sha), "One", "alice", 1000, {}, [], {}, tags)


@pytest.mark.parametrize("body", ["[]", "{}", '{"name": ""}', '{"name": "  "}', "x"])
def test_a_bad_name_is_said(client, pages, body):
    answer = pages.post(experiment(client.run()["run_id"]), body, "application/json")
    assert answer.status_code in {400, 422}
    assert answer.json()["error"]


def test_a_bad_label_is_said(client, pages):
    run_id = client.run()["run_id"]
    assert pages.post(experiment(run_id, "x" * 129)).status_code == 422
    assert pages.post(experiment(run_id, "a\0b")).status_code in {400, 404, 422}
    assert pages.get(ADDRESS).json()["experiments"][run_id]["Labels"] == []


def test_who_may_change_experiments(client, client_of, alice, public, pages, private, charlie):
    run_id = client.run()["run_id"]
    foreign = client_of(public, alice).run()["run_id"]
    asked = [("post", experiment("ID"), {"name": "x"}), ("delete", experiment("ID"), None)]
    asked += [("post", experiment("ID", "good"), None), ("delete", experiment("ID", "good"), None)]

    def statuses(of: str) -> set[int]:
        calls = (getattr(pages, how)(path.replace("ID", of), body, "application/json") for how, path, body in asked)
        return {answer.status_code for answer in calls}

    assert statuses(foreign) == {404}
    assert pages.get(experiment(run_id)).status_code == 405
    assert pages.get(experiment(run_id, "good")).status_code == 405
    pages.force_login(charlie)
    assert statuses(run_id) == {404}
    Membership.objects.create(repository=private, user=charlie, access=Access.READ)
    assert statuses(run_id) == {403}
    pages.logout()
    assert statuses(run_id) == {401}
