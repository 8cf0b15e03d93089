"""log_batch as one transaction of a few statements. Stock MLflow commits params, metrics and tags apart.

Sent again after a lost answer, a batch changes nothing: every insert is ON CONFLICT DO NOTHING on the row's identity,
and the latest value of a metric moves only forward by (step, timestamp, value).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from mlflow.entities import Metric, Param, RunTag
from mlflow.exceptions import MlflowException
from mlflow.protos.databricks_pb2 import INVALID_PARAMETER_VALUE, RESOURCE_DOES_NOT_EXIST
from mlflow.store.tracking.dbmodels.models import (
    SqlExperiment,
    SqlLatestMetric,
    SqlLoggedModel,
    SqlLoggedModelMetric,
    SqlMetric,
    SqlParam,
    SqlRun,
    SqlTag,
)
from mlflow.utils.mlflow_tags import MLFLOW_RUN_NAME
from mlflow.utils.validation import (
    _validate_batch_log_data,
    _validate_batch_log_limits,
    _validate_param_keys_unique,
    _validate_run_id,
)
from sqlalchemy import Connection, Table, select, tuple_
from sqlalchemy.dialects import postgresql, sqlite

Rows = list[dict[str, Any]]


def log(store: Any, run_id: str, metrics: list[Metric], params: list[Param], tags: list[RunTag]) -> None:
    """Write everything or nothing. Raises MlflowException for a run or model that is not in this repository."""
    _validate_run_id(run_id)
    metrics, params, tags = _validate_batch_log_data(metrics, params, tags)
    _validate_batch_log_limits(metrics, params, tags)
    _validate_param_keys_unique(params)
    rows = _metric_rows(store, run_id, metrics)
    # A deadlock's victim starts again from the beginning: nothing of it was written.
    store._run_with_deadlock_retry(_write, store, run_id, metrics, rows, params, tags)


def _write(store: Any, run_id: str, metrics: list[Metric], rows: Rows, params: list[Param], tags: list[RunTag]) -> None:
    with store.ManagedSessionMaker(read_only=False) as session:
        connection = session.connection()
        experiment_id = _active_run(store, connection, run_id)
        _write_params(connection, run_id, params)
        _write_metrics(connection, rows)
        _write_model_metrics(store, connection, run_id, experiment_id, metrics)
        _write_tags(connection, run_id, tags)


def _active_run(store: Any, connection: Connection, run_id: str) -> int:
    """The run's experiment id; FOR SHARE keeps a deletion from slipping in between on PostgreSQL."""
    found = connection.execute(
        select(SqlRun.lifecycle_stage, SqlRun.experiment_id)
        .join(SqlExperiment, SqlExperiment.experiment_id == SqlRun.experiment_id)
        .where(SqlRun.run_uuid == run_id, SqlExperiment.workspace == store._get_active_workspace())
        .with_for_update(read=True, of=SqlRun)
    ).one_or_none()
    if found is None:
        raise MlflowException(f"Run with id={run_id} not found", RESOURCE_DOES_NOT_EXIST)
    if found.lifecycle_stage != "active":
        raise MlflowException(
            f"The run {run_id} must be in the 'active' state. Current state is {found.lifecycle_stage}.",
            INVALID_PARAMETER_VALUE,
        )
    return int(found.experiment_id)


def _metric_rows(store: Any, run_id: str, metrics: Iterable[Metric]) -> Rows:
    rows = []
    for metric in metrics:
        is_nan, value = store.sanitize_metric_value(metric.value)
        rows.append(
            {
                "run_uuid": run_id,
                "key": metric.key,
                "value": float(value),
                "timestamp": metric.timestamp,
                "step": metric.step,
                "is_nan": is_nan,
            }
        )
    return rows


def _write_metrics(connection: Connection, rows: Rows) -> None:
    if not rows:
        return
    _insert_new(connection, SqlMetric.__table__, rows)
    latest: dict[str, dict[str, Any]] = {}
    for row in rows:
        seen = latest.get(row["key"])
        if seen is None or _age(row) > _age(seen):
            latest[row["key"]] = row
    table = SqlLatestMetric.__table__
    statement = _insert(connection, table)
    new, old = statement.excluded, table.c
    statement = statement.on_conflict_do_update(
        index_elements=[old.key, old.run_uuid],
        set_={name: new[name] for name in ("value", "timestamp", "step", "is_nan")},
        where=tuple_(new.step, new.timestamp, new.value) > tuple_(old.step, old.timestamp, old.value),
    )
    # Sorted by key, so two batches for one run lock the rows in the same order.
    connection.execute(statement, [latest[key] for key in sorted(latest)])


def _age(row: dict[str, Any]) -> tuple[int, int, float]:
    return row["step"], row["timestamp"], row["value"]


def _write_params(connection: Connection, run_id: str, params: list[Param]) -> None:
    if not params:
        return
    rows = [{"run_uuid": run_id, "key": p.key, "value": p.value} for p in sorted(params, key=lambda p: p.key)]
    _insert_new(connection, SqlParam.__table__, rows)
    wanted = select(SqlParam.key, SqlParam.value).where(
        SqlParam.run_uuid == run_id, SqlParam.key.in_([row["key"] for row in rows])
    )
    kept = {key: value for key, value in connection.execute(wanted)}
    changed = [
        {"key": row["key"], "old_value": kept[row["key"]], "new_value": row["value"]}
        for row in rows
        if kept[row["key"]] != row["value"]
    ]
    if changed:
        raise MlflowException(
            f"Changing param values is not allowed. Params were already logged='{changed}' for run ID='{run_id}'.",
            INVALID_PARAMETER_VALUE,
        )


def _write_model_metrics(
    store: Any, connection: Connection, run_id: str, experiment_id: int, metrics: list[Metric]
) -> None:
    """The same values on the logged models they belong to, which must be models of this repository."""
    wanted = {metric.model_id for metric in metrics if metric.model_id}
    if not wanted:
        return
    found = connection.execute(
        select(SqlLoggedModel.model_id)
        .join(SqlExperiment, SqlExperiment.experiment_id == SqlLoggedModel.experiment_id)
        .where(SqlLoggedModel.model_id.in_(wanted), SqlExperiment.workspace == store._get_active_workspace())
    )
    if missing := wanted - set(found.scalars()):
        raise MlflowException(f"Logged model with ID '{min(missing)}' not found.", RESOURCE_DOES_NOT_EXIST)
    rows = [
        {
            "model_id": metric.model_id,
            "metric_name": metric.key,
            "metric_timestamp_ms": metric.timestamp,
            "metric_step": metric.step,
            "metric_value": float(store.sanitize_metric_value(metric.value)[1]),
            "experiment_id": experiment_id,
            "run_id": run_id,
            "dataset_uuid": None,
            "dataset_name": metric.dataset_name,
            "dataset_digest": metric.dataset_digest,
        }
        for metric in metrics
        if metric.model_id
    ]
    _insert_new(connection, SqlLoggedModelMetric.__table__, rows)


def _write_tags(connection: Connection, run_id: str, tags: list[RunTag]) -> None:
    if not tags:
        return
    last = {tag.key: tag.value for tag in tags}
    table = SqlTag.__table__
    statement = _insert(connection, table)
    statement = statement.on_conflict_do_update(
        index_elements=[table.c.key, table.c.run_uuid], set_={"value": statement.excluded.value}
    )
    connection.execute(statement, [{"run_uuid": run_id, "key": key, "value": last[key]} for key in sorted(last)])
    if name := last.get(MLFLOW_RUN_NAME):
        run = SqlRun.__table__
        connection.execute(run.update().where(run.c.run_uuid == run_id).values(name=name))


def _insert_new(connection: Connection, table: Table, rows: Rows) -> None:
    """Insert what is not there yet."""
    connection.execute(_insert(connection, table).on_conflict_do_nothing(), rows)


def _insert(connection: Connection, table: Table) -> Any:
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    return dialect.insert(table)
