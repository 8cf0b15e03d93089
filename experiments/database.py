"""A connection of our own to MLflow's tables, for reading. MLflow's stores build thousands of objects per page.

The tables are MLflow's; only the columns read here are named. While they do not exist, every answer is empty.
"""

from __future__ import annotations

import math
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

from django.conf import settings
from sqlalchemy import (
    BigInteger,
    Boolean,
    ColumnElement,
    Connection,
    CursorResult,
    Engine,
    Executable,
    Float,
    column,
    create_engine,
    event,
    func,
    inspect,
)
from sqlalchemy import table as _table
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.sql.expression import ColumnClause, TableClause

from experiments import numbers
from experiments.filters import patterns
from experiments.table.deviation import Deviation
from hub.lib.errors import Unprocessable

INFINITY = 1.7976931348623157e308  # how MLflow stores it
MAX_SECONDS = 15  # of one statement
NUMBERS = 2000  # from 0, in a table of each connection to SQLite
_SQLITE_INSTRUCTIONS = 20_000  # between two looks at the clock
_CANCELLED, _PATTERN = "57014", "2201B"  # PostgreSQL's words for what takes too long, and for a bad expression
_TOO_LONG = "This question takes the database too long."
_NARROWER = "Ask about fewer runs: add an experiment, a status or a time to the filter."


def table(name: str, *columns: str | ColumnClause[Any]) -> TableClause:
    return _table(name, *(column(each) if isinstance(each, str) else each for each in columns))


def _whole(*names: str) -> list[ColumnClause[Any]]:
    return [column(name, BigInteger) for name in names]


experiments = table(
    "experiments", "name", "workspace", "lifecycle_stage", "artifact_location",
    *_whole("experiment_id", "creation_time", "last_update_time"),
)  # fmt: skip
experiment_tags = table("experiment_tags", "key", "value", *_whole("experiment_id"))
runs = table(
    "runs", "run_uuid", "name", "user_id", "status", "lifecycle_stage", "artifact_uri",
    *_whole("start_time", "end_time", "deleted_time", "experiment_id"),
)  # fmt: skip


def _points(name: str) -> TableClause:
    flags = [column("value", Float), column("is_nan", Boolean)]
    return table(name, "run_uuid", "key", *flags, *_whole("step", "timestamp"))


latest_metrics = _points("latest_metrics")
metrics = _points("metrics")
params = table("params", "run_uuid", "key", "value")
tags = table("tags", "run_uuid", "key", "value")
LOGGED = {"metrics": latest_metrics, "params": params, "tags": tags}  # kind of a column → where its values are
inputs = table("inputs", "input_uuid", "source_type", "source_id", "destination_type", "destination_id")
datasets = table("datasets", "dataset_uuid", "name", "digest", "dataset_source_type", "dataset_source")
input_tags = table("input_tags", "input_uuid", "name", "value")
_WHEN = ("creation_time", "last_updated_time")
registered_models = table("registered_models", "workspace", "name", "description", *_whole(*_WHEN))
model_versions = table(
    "model_versions", "workspace", "name", "description", "current_stage", "source", "storage_location", "run_id",
    "status", "status_message", *_whole("version", *_WHEN),
)  # fmt: skip
model_tags = table("registered_model_tags", "workspace", "name", "key", "value")
version_tags = table("model_version_tags", "workspace", "name", "key", "value", *_whole("version"))
aliases = table("registered_model_aliases", "workspace", "name", "alias", *_whole("version"))
logged_models = table(
    "logged_models", "model_id", "name", "artifact_location", "source_run_id", "lifecycle_stage",
    *_whole("experiment_id", "last_updated_timestamp_ms"),
)  # fmt: skip
traces = table(
    "trace_info", "request_id", "status", "trace_name", "request_preview",
    *_whole("experiment_id", "timestamp_ms", "execution_time_ms"),
)  # fmt: skip
trace_metadata = table("trace_request_metadata", "request_id", "key", "value")


def holds(text: ColumnElement[Any], part: str) -> ColumnElement[bool]:
    """Whether a text holds another, in whatever case."""
    like = part.lower().replace("!", "!!").replace("%", "!%").replace("_", "!_")
    return func.lower(text).like(f"%{like}%", escape="!")


def logged(value: float, is_nan: bool) -> float:
    """The value that was logged: MLflow stores NaN as a flag and infinities as the largest doubles."""
    if is_nan:
        return math.nan
    if abs(value) >= INFINITY:
        return math.copysign(math.inf, value)
    return float(value)


def engine() -> Engine:
    """For what removes rows."""
    return _engine(settings.MLFLOW_DATABASE_URL)


def reading_engine() -> Engine:
    """Without transactions, which would cost PostgreSQL two more trips, and with a limit of time."""
    return _reading_engine(settings.MLFLOW_DATABASE_URL)


def is_postgresql() -> bool:
    return reading_engine().dialect.name == "postgresql"


@lru_cache(maxsize=4)
def _engine(url: str) -> Engine:
    return patient(create_engine(url, pool_pre_ping=True))


@lru_cache(maxsize=4)
def _reading_engine(url: str) -> Engine:
    made = patient(create_engine(url, pool_pre_ping=True, pool_size=8, isolation_level="AUTOCOMMIT"))
    event.listen(made, "connect", _prepare_sqlite if made.dialect.name == "sqlite" else _prepare_postgresql)
    return made


def patient(made: Engine) -> Engine:
    """The same engine, whose connections to PostgreSQL end their waiting as the hub's own do."""
    if made.dialect.name == "postgresql":
        from hub.lib import postgresql

        event.listen(made, "do_connect", postgresql.connect)
    return made


def _prepare_postgresql(link: Any, _: object) -> None:
    """For short questions: to start workers, or to compile a statement, takes longer than most of them; and rows are
    found one by one as quickly as in a row, since what pages ask for is in memory or on a disk without heads."""
    link.execute(f"SET statement_timeout = '{MAX_SECONDS}s'")
    for setting in ("random_page_cost = 1.1", "parallel_setup_cost = 20000", "work_mem = '32MB'", "jit = off"):
        link.execute(f"SET {setting}")


def _prepare_sqlite(link: Any, _: object) -> None:
    link.create_function("covey_matches", 2, patterns.matches, deterministic=True)
    link.create_function("covey_number", 1, numbers.number, deterministic=True)
    link.create_aggregate("covey_deviation", 1, Deviation)
    link.execute("CREATE TEMP TABLE covey_numbers (n INTEGER PRIMARY KEY)")  # see experiments.history
    link.execute(
        "WITH RECURSIVE numbers(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM numbers LIMIT ?) "
        "INSERT INTO covey_numbers SELECT n FROM numbers",
        (NUMBERS,),
    )
    link.commit()


class Reader:
    """One connection, for as many statements as an answer needs."""

    def __init__(self, connection: Connection | None) -> None:
        self._connection = connection
        self.postgresql = is_postgresql()

    def rows(self, statement: Executable) -> Sequence[Any]:
        """Every row; none when MLflow never ran here. Raises Unprocessable for what takes too long."""
        return self._fetched(statement, lambda result: result.all())

    def tuples(self, statement: Executable) -> Sequence[tuple[Any, ...]]:
        """The same as the database's driver gives them: without names, in half of the time where they are thousands."""
        return self._fetched(statement, _raw)

    def _fetched(self, statement: Executable, fetch: Callable[[Any], Sequence[Any]]) -> Sequence[Any]:
        if self._connection is None:
            return []
        try:
            with _clock(self._connection):
                return fetch(self._connection.execute(statement))
        except DBAPIError as error:
            raise _explained(error) from error


@contextmanager
def reading() -> Iterator[Reader]:
    """Each statement sees what is there when it runs: there is no transaction around them."""
    if not tables_exist():
        yield Reader(None)
        return
    with reading_engine().connect() as connection:
        yield Reader(connection)


def rows_of(statement: Executable) -> Sequence[Any]:
    """Every row of one statement."""
    with reading() as reader:
        return reader.rows(statement)


@contextmanager
def _clock(connection: Connection) -> Iterator[None]:
    """Ends a statement of SQLite's after MAX_SECONDS; PostgreSQL is told when the connection is made."""
    if connection.dialect.name != "sqlite":
        yield
        return
    link, end = connection.connection.driver_connection, time.monotonic() + MAX_SECONDS
    assert link is not None
    link.set_progress_handler(lambda: time.monotonic() > end, _SQLITE_INSTRUCTIONS)
    try:
        yield
    finally:
        link.set_progress_handler(None, 0)


def _raw(result: CursorResult[Any]) -> Sequence[tuple[Any, ...]]:
    """SQLite finds rows while they are fetched: what goes wrong then is told as SQLAlchemy tells it."""
    cursor = result.cursor
    assert cursor is not None
    try:
        return list(cursor.fetchall())
    except sqlite3.Error as error:
        raise OperationalError("", None, error) from error
    finally:
        result.close()


def _explained(error: DBAPIError) -> Exception:
    state = getattr(error.orig, "sqlstate", "")
    if state == _CANCELLED or str(error.orig) == "interrupted":
        return Unprocessable(_TOO_LONG, details=_NARROWER)
    if state == _PATTERN:
        return Unprocessable("The database cannot read this pattern.", details="Use a simpler regular expression.")
    return error


_seen: set[str] = set()


def tables_exist() -> bool:
    """Whether MLflow has made its tables; asked until it has."""
    url = settings.MLFLOW_DATABASE_URL
    if url not in _seen and inspect(reading_engine()).has_table("latest_metrics"):
        _seen.add(url)
    return url in _seen
