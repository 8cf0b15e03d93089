"""Where a run comes from: shown, filtered and sorted by, and never the client's to say."""

from __future__ import annotations

import json

import pytest

from experiments import listing
from experiments.filters.parser import parse
from experiments.mlflow.context import workspace_of
from tests.experiments.conftest import API

pytestmark = pytest.mark.django_db(transaction=True)


def found(private, text, **options):
    return listing.page(listing.Query(workspace=workspace_of(private.pk), filter=parse(text), **options)).rows


def test_a_logged_run_is_mlflows(client, private):
    client.run(run_name="one", tags=[{"key": "mlflow.source.name", "value": "train.py"}])
    (row,) = found(private, "source = mlflow and script = 'train.py'", sort="source")
    assert (row.source, row.source_label) == ("mlflow", "MLflow")
    assert not found(private, "source in (commit, exp, dagshub)")
    assert not found(private, "source is null")


def test_a_client_cannot_claim_another_source(client, private):
    tag = {"key": "covey.source", "value": "commit"}
    run_id = client.run()["run_id"]
    for path, document in (
        ("runs/create", {"experiment_id": "0", "tags": [tag]}),
        ("runs/set-tag", {"run_id": run_id, **tag}),
        ("runs/log-batch", {"run_id": run_id, "tags": [tag]}),
    ):
        answer = client.ask("POST", f"{API}/{path}", document)
        assert answer.status == 400, path
        assert "set by the hub" in json.loads(answer.body)["message"]
    assert [row.source for row in found(private, "source = mlflow")] == ["mlflow"]
