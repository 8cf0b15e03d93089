"""A has one of everything; B calls every open route with A's ids: nothing of A is read, written or deleted."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import text

from experiments import database
from experiments.mlflow import rules
from tests.experiments.conftest import API, Client, metric

pytestmark = pytest.mark.django_db(transaction=True)
MARKER = "alices-secret-7f3a"
# Addresses that answer 200 to anybody who may read, from what is B's own; the marker must not be among it.
OWN = re.compile(
    r"/search$|search-datasets$|/create$|server-info$|^/(health|version|graphql|static-files/.*)?$|batchGetInfos$|batchGet$"
    r"|get-history-bulk|/traces$|mlflow-artifacts/artifacts$|unified-traces$|scorers/list$|traces/metrics$|correlation$"
    r"|^/v1/traces$|delete-traces$|mlflow-artifacts/artifacts/<path:artifact_path>$|get-latest-versions$|logged-models$"
)


@dataclass
class Alice:
    run_id: str
    experiment_id: str
    model_id: str
    trace_id: str
    dataset_id: str
    artifact: str


@pytest.fixture
def alices(client: Client) -> Alice:
    return one_of_everything(client)


def one_of_everything(client: Client, letter: str = "a") -> Alice:
    """One of everything in the client's repository, all marked. letter: makes ids that clients choose."""
    experiment_id = client.call("POST", "experiments/create", {"name": MARKER})["experiment_id"]
    run = client.run(experiment_id, run_name=MARKER, tags=[{"key": "t", "value": MARKER}])
    run_id = run["run_id"]
    client.batch(run_id, metrics=[metric("m", 0.731, 1)], params=[{"key": "p", "value": MARKER}])
    model = client.call(
        "POST", "logged-models", {"experiment_id": experiment_id, "name": MARKER, "source_run_id": run_id}
    )
    model_id = model["model"]["info"]["model_id"]
    artifact = f"{run['artifact_uri'].removeprefix('mlflow-artifacts:/')}/a.txt"
    assert client.ask("PUT", f"api/2.0/mlflow-artifacts/artifacts/{artifact}", body=[MARKER.encode()]).status == 200
    client.call("POST", "registered-models/create", {"name": MARKER})
    client.call("POST", "model-versions/create", {"name": MARKER, "source": run["artifact_uri"], "run_id": run_id})
    client.call("POST", "registered-models/alias", {"name": MARKER, "alias": "best", "version": "1"})
    trace_id = "tr-" + letter * 32
    trace = {
        "trace_id": trace_id,
        "trace_location": {"type": "MLFLOW_EXPERIMENT", "mlflow_experiment": {"experiment_id": experiment_id}},
        "request_time": "2026-01-01T00:00:00Z",
        "state": "OK",
        "request_preview": MARKER,
    }
    made = client.ask("POST", "api/3.0/mlflow/traces", {"trace": {"trace_info": trace}})
    assert made.status == 200, made.text
    dataset = client.ask("POST", "api/3.0/mlflow/datasets/create", {"name": MARKER, "experiment_ids": [experiment_id]})
    assert dataset.status == 200, dataset.text
    dataset_id = json.loads(dataset.body)["dataset"]["dataset_id"]
    return Alice(run_id, experiment_id, model_id, trace_id, dataset_id, artifact)


def rows() -> dict[str, set[str]]:
    """Every row of every table of MLflow's, as text."""
    from mlflow.store.db.base_sql_model import Base

    with database.engine().connect() as connection:
        return {
            table.name: {str(tuple(row)) for row in connection.execute(text(f'SELECT * FROM "{table.name}"'))}
            for table in Base.metadata.sorted_tables
        }


def address(path: str, a: Alice) -> str:
    """A route's path with A's ids in it, and in the query."""
    ids = {"artifact_path": a.artifact, "model_id": a.model_id, "request_id": a.trace_id, "trace_id": a.trace_id}
    ids |= {"dataset_id": a.dataset_id, "tag_key": "t", "key": "t", "assessment_id": "a-1", "path": "x.js"}
    filled = re.sub(r"<(?:path:)?([a-z_]+)>", lambda match: ids[match.group(1)], path).removeprefix("/")
    query = (
        f"run_id={a.run_id}&run_uuid={a.run_id}&run_ids={a.run_id}&experiment_id={a.experiment_id}&metric_key=m&name={MARKER}"
        f"&experiment_ids={a.experiment_id}&version=1&alias=best&path=a.txt&request_id={a.trace_id}&trace_id={a.trace_id}"
        f"&trace_ids={a.trace_id}&experiment_name={MARKER}&max_results=10&dataset_id={a.dataset_id}&key=t"
        f"&artifact_file_path=a.txt&model_id={a.model_id}&step=1"
    )
    return f"{filled}?{query}"


def body(a: Alice, path: str) -> dict[str, Any]:
    found: dict[str, Any] = {
        "run_id": a.run_id, "run_uuid": a.run_id, "experiment_id": a.experiment_id, "experiment_ids": [a.experiment_id],
        "key": "t", "value": "stolen", "timestamp": 1, "step": 1, "name": MARKER, "new_name": "stolen", "version": "1",
        "alias": "best", "stage": "Production", "archive_existing_versions": True, "description": "stolen",
        "source": f"runs:/{a.run_id}/x", "metrics": [metric("m", 9.0, model_id=a.model_id)], "status": "FAILED",
        "params": [{"key": "p2", "value": "stolen"}], "tags": [{"key": "t", "value": "stolen"}], "end_time": 5,
        "model_id": a.model_id, "models": [{"model_id": a.model_id, "step": 1}], "source_run_id": a.run_id,
        "trace_ids": [a.trace_id], "request_ids": [a.trace_id], "request_id": a.trace_id, "max_results": 10,
        "max_timestamp_millis": 9_999_999_999_999, "timestamp_ms": 1, "locations": [], "datasets": [],
        "model_json": "{}", "artifact_path": "x", "dataset_id": a.dataset_id, "path": "a.txt",
    }  # fmt: skip
    if path.endswith("/datasets/search") or "/traces/metrics" in path:
        found = {"experiment_ids": [a.experiment_id]}
    if path.endswith("/datasets/<dataset_id>/records"):
        found = {"records": '[{"inputs": {"q": 1}}]', "dataset_record_ids": ["r"]}
    if re.search(r"/datasets/<dataset_id>/tags$", path):
        found = {"tags": '{"t": "stolen"}'}
    if "logged-models/<model_id>/tags" in path:
        found = {"tags": [{"key": "t", "value": "stolen"}]}
    if "/assessments" in path:
        found = {"assessment": {"assessment_name": "x", "trace_id": a.trace_id, "feedback": {"value": 1}}}
    if re.search(r"/3.0/mlflow/traces/<trace_id>/tags$", path) or re.search(r"traces/<request_id>/tags$", path):
        found = {"key": "t", "value": "stolen"}
    if path == "/graphql":
        found = {
            "query": f'query Q {{ mlflowGetRun(input: {{runId: "{a.run_id}"}}) {{ run {{ info {{ runName }} }} }} }}'
        }
    if path.endswith(("/create", "/logged-models", "/rename")):
        found["name" if not path.endswith("/rename") else "new_name"] = "bobs-own"
    return found


def test_b_reaches_nothing_of_a(client, client_of, bob, alices):
    from repos.models import Repository

    theirs = client_of(Repository.objects.create(owner=bob.owner, name="own"), bob)
    secrets = (alices.run_id, alices.model_id, alices.trace_id, alices.dataset_id)
    answered, leaked, failed = [], [], []
    before = rows()
    mine = {table: set(found) for table, found in before.items()}  # what is A's: all there is
    for kind, method, path in rules.listed():
        if kind == "closed":
            continue
        document = body(alices, path) if method != "GET" else None
        answer = theirs.ask(method, address(path, alices), document)
        line = f"{method} {path} → {answer.status}"
        if MARKER.encode() in answer.body and answer.status < 400:
            leaked.append(line)
        if answer.status >= 500:
            failed.append(f"{line} {answer.text[:200]}")
        if answer.status < 400 and not OWN.search(path):
            answered.append(line)
        after = rows()
        for table, present in before.items():
            if lost := mine[table] - after[table]:
                leaked.append(f"{line} changed {table}: {min(lost)[:120]}")
            for row in after[table] - present:
                if any(secret in row for secret in secrets):
                    leaked.append(f"{line} wrote into {table}: {row[:120]}")
        before = after
    assert not leaked, "\n".join(leaked)
    assert not failed, "\n".join(failed)
    assert not answered, "\n".join(answered)


def test_it_gives_a_what_it_keeps_from_b(client, alices):
    """The same addresses work for A, so the refusals above are about whose ids they are."""
    worked = [
        f"{method} {path}"
        for kind, method, path in rules.listed()
        if kind == "read" and method == "GET" and path.startswith("/api/") and "<" not in path
        if client.ask(method, address(path, alices)).status == 200
    ]
    for wanted in ("runs/get", "experiments/get", "metrics/get-history", "model-versions/get", "artifacts/list"):
        assert any(line.endswith(wanted) for line in worked), (wanted, worked)


def test_b_binds_nothing_of_a_to_its_own(client_of, bob, alices):
    """The gaps of MLflow itself: B's own run, but A's model, run, trace or experiment beside it."""
    from repos.models import Repository

    theirs = client_of(Repository.objects.create(owner=bob.owner, name="own"), bob)
    run_id = theirs.run()["run_id"]
    theirs.call("POST", "registered-models/create", {"name": "mine"})
    foreign = [
        ("runs/log-metric", {"run_id": run_id, **metric("m", 9.0), "model_id": alices.model_id}),
        ("runs/log-batch", {"run_id": run_id, "metrics": [metric("m", 9.0, model_id=alices.model_id)]}),
        ("runs/log-inputs", {"run_id": run_id, "models": [{"model_id": alices.model_id}]}),
        ("runs/outputs", {"run_id": run_id, "models": [{"model_id": alices.model_id, "step": 0}]}),
        ("logged-models", {"experiment_id": "0", "name": "n", "source_run_id": alices.run_id}),
        ("model-versions/create", {"name": "mine", "source": f"runs:/{alices.run_id}/m", "run_id": alices.run_id}),
        (
            "model-versions/create",
            {"name": "mine", "source": f"models:/{alices.model_id}", "model_id": alices.model_id},
        ),
        ("model-versions/create", {"name": "mine", "source": f"models:/{MARKER}/1"}),
    ]
    before = rows()
    for path, document in foreign:
        answer = theirs.ask("POST", f"{API}/{path}", document)
        assert answer.status in {400, 404}, (path, answer.status, answer.text)
    for document in ({"name": "d", "experiment_ids": [alices.experiment_id]},):
        answer = theirs.ask("POST", "api/3.0/mlflow/datasets/create", document)
        assert answer.status in {400, 404}, answer.text
    # MLflow drops foreign traces from the list it links.
    theirs.call("POST", "traces/link-to-run", {"run_id": run_id, "trace_ids": [alices.trace_id]})
    assert rows() == before


def test_a_foreign_dataset_is_not_found(client_of, bob, alices):
    from repos.models import Repository

    theirs = client_of(Repository.objects.create(owner=bob.owner, name="own"), bob)
    for dataset_id in (alices.dataset_id, "d-" + "0" * 32):
        assert theirs.ask("GET", f"api/3.0/mlflow/datasets/{dataset_id}/records").status == 404
