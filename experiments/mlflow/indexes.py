"""Indexes of our own in MLflow's tables, for the table of runs. They go before MLflow's steps and come again after.

MLflow has none for the runs of an experiment, nor for the values of a metric: a page would read every repository's
runs, and an order or a filter by a metric every row of that metric.
"""

from __future__ import annotations

from sqlalchemy import Connection

# name → (table, what is looked up, what is only read: so that the table itself is not, of which rows)
INDEXES = {
    "covey_runs": ("runs", "experiment_id, lifecycle_stage, start_time DESC", "run_uuid, status, end_time", ""),
    # Of a part of the rows, else SQLite would read the values of all runs by it where those of a few are asked.
    "covey_latest_metrics": ("latest_metrics", "key, value", "run_uuid", "WHERE is_nan IS {false}"),
}


def make(connection: Connection) -> None:
    """Make those that are not there: of two million values in half a minute, while nobody can log."""
    postgresql = connection.dialect.name == "postgresql"
    kept, false = ("({}) INCLUDE ({})", "FALSE") if postgresql else ("({}, {})", "0")
    for name, (table, by, beside, part) in INDEXES.items():
        columns = f"{kept.format(by, beside)} {part.format(false=false)}"
        connection.exec_driver_sql(f"CREATE INDEX IF NOT EXISTS {name} ON {table} {columns}")


def drop(connection: Connection) -> None:
    for name in INDEXES:
        connection.exec_driver_sql(f"DROP INDEX IF EXISTS {name}")
