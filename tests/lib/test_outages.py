"""A database or a disk that is out of order is no fault of the hub's: the client is told to come again."""

from __future__ import annotations

import errno
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from django.conf import settings
from django.db import InterfaceError, OperationalError, connection
from sqlalchemy import create_engine, text
from sqlalchemy.exc import SQLAlchemyError

from hub.lib.errors import HubError
from hub.lib.failures import as_expected
from tests.support.asgi import ask

pytestmark = pytest.mark.django_db(transaction=True)


def answer_to(error: BaseException) -> HubError | None:
    try:
        raise RuntimeError("somewhere above") from error
    except RuntimeError as found:
        return as_expected(found)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (OperationalError("the connection is closed"), 503),
        (InterfaceError("connection already closed"), 503),
        (OSError(errno.EROFS, "Read-only file system"), 502),
        (PermissionError(errno.EACCES, "Permission denied"), 502),
        (OSError(errno.EIO, "Input/output error"), 502),
    ],
)
def test_an_outage_says_come_again(error: Exception, code: int) -> None:
    answer = answer_to(error)
    assert answer
    assert answer.code == code
    assert "Try again" in answer.details


@pytest.mark.parametrize("error", [ValueError("x"), FileNotFoundError(errno.ENOENT, "x"), BrokenPipeError()])
def test_a_fault_stays_a_fault(error: Exception) -> None:
    assert answer_to(error) is None


def test_a_locked_database_is_an_outage_and_a_wrong_statement_is_none(tmp_path: Path) -> None:
    path = tmp_path / "x.sqlite3"
    with closing(sqlite3.connect(path)) as holder:
        holder.execute("CREATE TABLE t (a)")
        holder.execute("BEGIN EXCLUSIVE")
        engine = create_engine(f"sqlite:///{path}", connect_args={"timeout": 0})
        with engine.connect() as link, pytest.raises(SQLAlchemyError) as locked:
            link.execute(text("SELECT * FROM t"))
        engine.dispose()
        answer = answer_to(locked.value)
        assert answer
        assert answer.code == 503
    with closing(sqlite3.connect(path)) as link, pytest.raises(sqlite3.OperationalError) as wrong:
        link.execute("SELECT * FROM nothing")
    assert answer_to(wrong.value) is None


def test_a_folder_in_place_of_a_database_is_an_outage(tmp_path: Path) -> None:
    with pytest.raises(sqlite3.OperationalError) as found:
        sqlite3.connect(tmp_path)
    answer = answer_to(found.value)
    assert answer
    assert answer.code == 502


# ---- PostgreSQL ------------------------------------------------------------------------------------
postgresql_only = pytest.mark.skipif(settings.SQLITE, reason="of connections to PostgreSQL")


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    from hub.lib import postgresql

    monkeypatch.setattr(postgresql, "_patience", 0.2)
    yield
    connection.close()


@postgresql_only
def test_a_server_that_does_not_answer_is_given_up(impatient: None) -> None:
    with pytest.raises(OperationalError) as slow, connection.cursor() as cursor:
        cursor.execute("SELECT pg_sleep(20)")
    answer = answer_to(slow.value)
    assert answer
    assert answer.code == 503
    assert not connection.is_usable()


@postgresql_only
def test_connections_that_the_server_has_ended_are_not_used() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        before = cursor.fetchone()[0]
    connection.close()  # to the pool
    import psycopg

    with psycopg.connect(os.environ["DATABASE_URL"], dbname=connection.settings_dict["NAME"]) as other:
        other.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
    assert ask("GET", "/healthz").status == 200
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        assert cursor.fetchone()[0] != before
