"""MLflow's tables: made, and brought to the installed version, so that a kill -9 in the middle does no harm."""

from __future__ import annotations

import fcntl
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from django.conf import settings
from sqlalchemy import create_engine, text

from experiments.mlflow import indexes, schema


def upgrade_database(*, only_if_empty: bool = False) -> None:
    """Make MLflow's tables, or bring them to the installed version (as `mlflow db upgrade` does).

    only_if_empty: make them when there are none, touch nothing otherwise; an old schema is then an error with the
    fix in its text, because an upgrade wants a backup first.
    """
    with _one_at_a_time():
        url = settings.MLFLOW_DATABASE_URL
        # No revision: also when a start was killed after the first of the two steps on PostgreSQL.
        empty = schema.database_revision() is None
        if only_if_empty and not empty:
            _make_indexes(url)  # of tables that were made before there were any
            return
        if url.startswith("sqlite"):
            _upgrade_sqlite(schema.sqlite_path(url), empty)
        else:
            _upgrade(url, empty)


def _upgrade_sqlite(path: Path, empty: bool) -> None:
    """MLflow's steps are no transaction in SQLite: they run on a copy, which then replaces the tables in one."""
    path.touch(mode=0o600)
    scratch = path.with_name(f"{path.name}.upgrade")
    try:
        for rest in path.parent.glob(f"{scratch.name}*"):  # of an upgrade that was killed
            rest.unlink()
        with closing(sqlite3.connect(path, timeout=30)) as live:
            live.execute("PRAGMA journal_mode=WAL")  # readers do not block the writer; kept in the file
            with closing(sqlite3.connect(scratch)) as copy:
                live.backup(copy)
            _upgrade(f"sqlite:///{scratch}", empty)
            with closing(sqlite3.connect(scratch)) as copy:
                copy.backup(live)  # every page at once: one transaction of `live`
    finally:
        for rest in path.parent.glob(f"{scratch.name}*"):
            rest.unlink()


def _upgrade(url: str, empty: bool) -> None:
    from mlflow.store.db import utils as database

    engine = database.create_sqlalchemy_engine_with_retry(url)
    try:
        if engine.dialect.name == "postgresql":
            with engine.begin() as connection:
                connection.execute(text("CREATE SCHEMA IF NOT EXISTS mlflow"))
        if empty:
            database._initialize_tables(engine)
        else:
            with engine.begin() as connection:
                indexes.drop(connection)
            database._upgrade_db(engine)
        with engine.begin() as connection:
            indexes.make(connection)
    finally:
        engine.dispose()


def _make_indexes(url: str) -> None:
    engine = create_engine(url)
    with engine.begin() as connection:
        indexes.make(connection)
    engine.dispose()


@contextmanager
def _one_at_a_time() -> Iterator[None]:
    """Several processes of a fresh hub start at once; one makes the tables."""
    with open(settings.COVEY_HOME / "mlflow.lock", "w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
