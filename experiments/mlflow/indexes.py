"""Indexes of our own in MLflow's tables, for the table of runs. They go before MLflow's steps and come again after.

MLflow has none for the runs of an experiment, nor for the values of a metric: a page would read every repository's
runs, and an order or a filter by a metric every row of that metric.
"""

from __future__ import annotations

from sqlalchemy import Connection

# name → (table, what is looked up, what is only read: so that the table itself is not)
INDEXES = {
    "covey_runs": ("runs", "experiment_id, lifecycle_stage, start_time DESC", "run_uuid, status, end_time"),
    "covey_latest_metrics": ("latest_metrics", "key, value", "run_uuid, is_nan"),
}


def make(connection: Connection) -> None:
    """Make those that are not there: of two million values in half a minute, while nobody can log."""
    kept = "({}) INCLUDE ({})" if connection.dialect.name == "postgresql" else "({}, {})"
    for name, (table, by, beside) in INDEXES.items():
        connection.exec_driver_sql(f"CREATE INDEX IF NOT EXISTS {name} ON {table} {kept.format(by, beside)}")


def drop(connection: Connection) -> None:
    for name in INDEXES:
        connection.exec_driver_sql(f"DROP INDEX IF EXISTS {name}")
