"""Where MLflow reads and deletes is never what a client says: files of the host and other repositories stay shut."""

from __future__ import annotations

import pytest
from django.conf import settings

from repos.models import Repository
from tests.experiments.conftest import API

pytestmark = pytest.mark.django_db(transaction=True)
PLACES = ["mlflow.artifactLocation", "mlflow.trace.archiveLocation"]


@pytest.fixture
def bobs(client_of, bob):
    """bob on a repository of his own."""
    return client_of(Repository.objects.create(owner=bob.owner, name="own", private=True), bob)


def trace_of(client) -> str:
    made = client.call("POST", "traces", {"experiment_id": "0", "timestamp_ms": 1})
    return str(made["trace_info"]["request_id"])


@pytest.mark.parametrize("tag", PLACES)
@pytest.mark.parametrize("place", ["{folder}", "file://{folder}", "mlflow-artifacts:/workspaces/r0/1", "s3://b/x"])
def test_a_trace_cannot_be_pointed_at_files_of_the_host(bobs, tmp_path, tag, place):
    (tmp_path / "traces.json").write_text('{"spans": [], "request": "SECRET"}')
    trace, value = trace_of(bobs), place.format(folder=tmp_path)
    for version in ("2.0", "3.0"):
        answer = bobs.ask("PATCH", f"api/{version}/mlflow/traces/{trace}/tags", {"key": tag, "value": value})
        assert answer.status == 400, answer.text
    end = {"request_id": trace, "timestamp_ms": 2, "status": "OK", "tags": [{"key": tag, "value": value}]}
    assert bobs.ask("PATCH", f"{API}/traces/{trace}", end).status == 400
    for version in ("2.0", "3.0"):
        answer = bobs.ask("GET", f"ajax-api/{version}/mlflow/get-trace-artifact?request_id={trace}")
        assert answer.status == 404
        assert b"SECRET" not in answer.body


def test_a_place_written_before_is_not_read(bobs, tmp_path):
    from sqlalchemy import text

    from experiments import database

    (tmp_path / "traces.json").write_text('{"spans": [], "request": "SECRET"}')
    trace = trace_of(bobs)
    with database.engine().begin() as connection:
        connection.execute(
            text("UPDATE trace_tags SET value = :value WHERE request_id = :trace AND key = 'mlflow.artifactLocation'"),
            {"value": str(tmp_path), "trace": trace},
        )
    answer = bobs.ask("GET", f"ajax-api/2.0/mlflow/get-trace-artifact?request_id={trace}")
    assert answer.status == 404
    assert b"SECRET" not in answer.body


def test_the_data_of_an_own_trace_is_still_served(bobs):
    trace = trace_of(bobs)
    tags = bobs.call("GET", f"traces/{trace}/info")["trace_info"]["tags"]
    place = next(tag["value"] for tag in tags if tag["key"] == PLACES[0])
    path = place.removeprefix("mlflow-artifacts:/")
    sent = bobs.ask("PUT", f"{API}-artifacts/artifacts/{path}/traces.json", body=[b'{"spans": [], "request": "mine"}'])
    assert sent.status == 200
    answer = bobs.ask("GET", f"ajax-api/2.0/mlflow/get-trace-artifact?request_id={trace}")
    assert (answer.status, b"mine" in answer.body) == (200, True), answer.text


@pytest.mark.parametrize(
    "source",
    ["s3://{bucket}/objects/x", "gs://b/x", "dbfs:/x", "wasbs://a@b/x", "oci://x/y", "S3://b/x", "sqlite:///x"],
)
def test_a_model_version_cannot_name_a_store_of_others(bobs, source):
    bobs.call("POST", "registered-models/create", {"name": "m"})
    document = {"name": "m", "source": source.format(bucket=settings.COVEY_S3_BUCKET or "covey")}
    answer = bobs.ask("POST", f"{API}/model-versions/create", document)
    assert answer.status == 400, answer.text
    assert "runs:/" in answer.text
