"""What MLflow's database refuses reaches the client in plain words: no SQL, no values; 507 when there is no room."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import text

from experiments import database
from experiments.mlflow import artifacts
from hub.lib.errors import OutOfSpace, Unprocessable, Upstream
from tests.datasets.conftest import stream
from tests.experiments.conftest import API, Client, metric
from tests.support.refusing import RefusingStore

pytestmark = pytest.mark.django_db(transaction=True)
TELLTALE = ("INSERT", "UPDATE", "SELECT", "[SQL", "parameters", "sqlite3", "psycopg", "CONSTRAINT", "sqlalche.me")


def assert_plain(answer: Any) -> str:
    message: str = json.loads(answer.body)["message"]
    assert not [word for word in TELLTALE if word in answer.text], answer.text
    return message


def test_a_name_that_is_taken_is_told_without_sql(client: Client) -> None:
    for path, body in [
        ("experiments/create", {"name": "taken"}),
        ("registered-models/create", {"name": "taken"}),
    ]:
        client.call("POST", path, body)
        answer = client.ask("POST", f"{API}/{path}", body)
        assert answer.status == 400
        assert "already exists" in assert_plain(answer)


def test_a_rename_to_a_taken_name_is_told_without_sql(client: Client) -> None:
    for name in ("one", "two"):
        client.call("POST", "registered-models/create", {"name": name})
    answer = client.ask("POST", f"{API}/registered-models/rename", {"name": "one", "new_name": "two"})
    assert answer.status == 400
    assert_plain(answer)


def test_a_number_beyond_the_database_is_told_without_sql(client: Client) -> None:
    run = client.run()
    for answer in (
        client.batch(run["run_id"], metrics=[metric("m", 1.0, 2**62, timestamp=2**63 - 1)]),
        client.ask("GET", f"{API}/experiments/get?experiment_id={10**30}"),
        client.ask("POST", f"{API}/runs/update", {"run_id": run["run_id"], "end_time": 2**63 - 1}),
    ):
        assert answer.status < 500, answer.text
        if answer.status >= 400:
            assert_plain(answer)


@pytest.fixture
def no_room(client: Client) -> Iterator[None]:
    """MLflow's database fails every new metric, as it does on a full disk."""
    full = "BEGIN SELECT RAISE(ABORT, 'database or disk is full'); END"
    body = "BEGIN RAISE EXCEPTION 'could not extend file' USING ERRCODE = '53100'; END"
    with database.engine().begin() as connection:
        sqlite = connection.dialect.name == "sqlite"
        if sqlite:
            connection.execute(text(f"CREATE TRIGGER no_room BEFORE INSERT ON metrics {full}"))
        else:
            made = f"CREATE FUNCTION no_room() RETURNS trigger LANGUAGE plpgsql AS $$ {body} $$"
            connection.execute(text(made))
            connection.execute(text("CREATE TRIGGER no_room BEFORE INSERT ON metrics EXECUTE FUNCTION no_room()"))
    yield
    with database.engine().begin() as connection:
        connection.execute(text("DROP TRIGGER no_room" if sqlite else "DROP FUNCTION no_room CASCADE"))


def test_a_batch_without_room_is_507_with_the_next_step(client: Client, no_room: None) -> None:
    run = client.run()
    for answer in (
        client.batch(run["run_id"], metrics=[metric("m", 1.0)], params=[{"key": "p", "value": "1"}]),
        client.ask("POST", f"{API}/runs/log-metric", {"run_id": run["run_id"], **metric("m", 1.0)}),
    ):
        assert answer.status == 507
        message = assert_plain(answer)
        assert "disk is full" in message
        assert "make room" in message
    data = client.call("GET", f"runs/get?run_id={run['run_id']}")["run"]["data"]
    assert "params" not in data  # the batch is whole or not there


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [(507, "XMinioStorageFull", OutOfSpace), (403, "QuotaExceeded", OutOfSpace), (403, "AccessDenied", Upstream)],
)
@pytest.mark.parametrize("size", [10, 9 * 1024**2])
def test_a_bucket_without_room_is_told_as_such(settings: Any, status: int, code: str, kind: type, size: int) -> None:
    """As MinIO and Ceph refuse; both the small PUT and the multipart upload."""
    from experiments.mlflow import s3_artifacts

    with RefusingStore(status, code) as store:
        for name, value in store.settings.items():
            setattr(settings, name, value)
        s3_artifacts._store.cache_clear()
        try:
            with pytest.raises(kind):
                asyncio.run(artifacts.destination().put("workspaces/r1/1/a", stream(b"x" * size)))
        finally:
            s3_artifacts._store.cache_clear()


@pytest.mark.parametrize("how", ["rows", "tuples"])
def test_a_statement_that_takes_too_long_is_ended(client: Client, monkeypatch: pytest.MonkeyPatch, how: str) -> None:
    """However it is read; the connection is as good as before."""
    client.run()
    monkeypatch.setattr(database, "MAX_SECONDS", 0)
    counting = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < 100000000) SELECT x FROM n"
    with database.reading() as reader:
        if reader.postgresql:
            reader.rows(text("SELECT set_config('statement_timeout', '50ms', false)"))
        with pytest.raises(Unprocessable, match="too long"):
            getattr(reader, how)(text(counting))
        if reader.postgresql:
            reader.rows(text("SELECT set_config('statement_timeout', '15s', false)"))  # as it was made
