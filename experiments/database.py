"""A connection of our own to MLflow's tables, for reading. MLflow's stores build thousands of objects per page.

The tables are MLflow's; only the columns read here are named. rows_of() answers nothing while the tables do not exist.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from django.conf import settings
from sqlalchemy import BigInteger, Boolean, Engine, Executable, Float, column, create_engine, inspect, table
from sqlalchemy.sql.expression import ColumnClause

experiments = table(
    "experiments", column("experiment_id"), column("name"), column("workspace"), column("lifecycle_stage")
)
runs = table(
    "runs",
    *map(column, ["run_uuid", "name", "user_id", "status", "lifecycle_stage", "artifact_uri"]),
    *(column(name, BigInteger) for name in ("start_time", "end_time", "experiment_id")),
)


def _metric_columns() -> list[ColumnClause[Any]]:
    whole = [column(name, BigInteger) for name in ("step", "timestamp")]
    return [column("run_uuid"), column("key"), column("value", Float), column("is_nan", Boolean), *whole]


latest_metrics = table("latest_metrics", *_metric_columns())
metrics = table("metrics", *_metric_columns())
params = table("params", *map(column, ["run_uuid", "key", "value"]))
tags = table("tags", *map(column, ["run_uuid", "key", "value"]))


def engine() -> Engine:
    return _engine(settings.MLFLOW_DATABASE_URL)


@lru_cache(maxsize=4)
def _engine(url: str) -> Engine:
    return create_engine(url, pool_pre_ping=True, pool_size=8)


def rows_of(statement: Executable) -> Sequence[Any]:
    """Every row of one statement; none when MLflow never ran here."""
    if not tables_exist():
        return []
    with engine().connect() as connection:
        return connection.execute(statement).all()


_seen: set[str] = set()


def tables_exist() -> bool:
    """Whether MLflow has made its tables; asked until it has."""
    url = settings.MLFLOW_DATABASE_URL
    if url not in _seen and inspect(engine()).has_table("latest_metrics"):
        _seen.add(url)
    return url in _seen
