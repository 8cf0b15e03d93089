"""Runs of one repository straight from MLflow's tables, by few flat queries on both databases.

A page of 100 runs is six queries whatever the number of runs; only the shown metrics and params are read.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, FromClause, Select, and_, asc, case, cast, desc, func, literal, or_, select
from sqlalchemy.types import Float

from experiments.database import engine, experiments, latest_metrics, params, rows_of, runs, tags
from hub.lib import paging
from hub.lib.errors import NotFound

PAGE_RUNS = 100
DEFAULT_COLUMNS = 6  # of metrics, and of params, when the URL names none
MAX_COLUMNS = 60
MAX_NAMES = 500  # what a chooser lists
INFINITY = 1.7976931348623157e308  # how MLflow stores it
COMMIT_TAG, PARENT_TAG = "mlflow.source.git.commit", "mlflow.parentRunId"
ALL = runs.join(experiments, experiments.c.experiment_id == runs.c.experiment_id)
ALIVE = (experiments.c.lifecycle_stage == "active", runs.c.lifecycle_stage == "active")
ATTRIBUTES = {
    "started": runs.c.start_time,
    "duration": runs.c.end_time - runs.c.start_time,
    "name": func.lower(runs.c.name),
    "user": runs.c.user_id,
    "status": runs.c.status,
}


@dataclass(frozen=True)
class Query:
    """What a table shows. sort: an attribute, "metrics.<key>" or "params.<key>"; columns None: choose for me."""

    workspace: str
    sort: str = "started"
    descending: bool = True
    page: int = 1
    columns: tuple[str, ...] | None = None
    experiment_id: int | None = None
    search: str = ""


@dataclass(frozen=True)
class Run:
    """One run. started in UTC; duration in seconds, None while it is running."""

    run_id: str
    name: str
    user: str
    status: str
    started: datetime | None
    duration: float | None
    experiment_id: int
    experiment: str
    artifact_uri: str
    metrics: dict[str, float] = field(default_factory=dict)
    params: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)

    @property
    def commit(self) -> str:
        return self.tags.get(COMMIT_TAG, "")


Metric = Any  # of latest_metrics: key, value, is_nan, step, timestamp


@dataclass(frozen=True)
class Page:
    """Rows of one page; names: every metric and param of these rows with how many have it, for the chooser."""

    rows: list[Run]
    total: int
    columns: list[str]
    names: list[str]
    number: int

    @property
    def place(self) -> paging.Page[Run]:
        """Where this page is among the others."""
        pages = max(1, math.ceil(self.total / PAGE_RUNS))
        return paging.Page(self.rows, self.number, self.number < pages, pages)


def count(workspace: str) -> int:
    found = rows_of(_scoped(select(func.count()), workspace))
    return int(found[0][0]) if found else 0


def counts() -> dict[str, int]:
    """workspace → its runs, of every repository in one query."""
    counted = select(experiments.c.workspace, func.count()).select_from(ALL).where(*ALIVE)
    return {workspace: number for workspace, number in rows_of(counted.group_by(experiments.c.workspace))}


def page(query: Query) -> Page:
    """One page of the runs table."""
    counted = rows_of(_filtered(select(func.count()), query, ALL))
    total = int(counted[0][0]) if counted else 0
    source, order = _order(query)
    wanted = _filtered(_select_runs(), query, source).order_by(*order, runs.c.start_time.desc(), runs.c.run_uuid)
    found = rows_of(wanted.limit(PAGE_RUNS).offset((query.page - 1) * PAGE_RUNS)) if total else []
    ids = [row.run_uuid for row in found]
    names = [*_names("metrics", ids), *_names("params", ids)] if ids else []
    columns = list(query.columns) if query.columns is not None else _chosen(names)
    shown = columns[:MAX_COLUMNS]
    return Page(rows=_filled(found, ids, shown), total=total, columns=shown, names=names, number=query.page)


def run(workspace: str, run_id: str) -> tuple[Run, list[Metric]]:
    """A run with all its params and tags, and its latest metrics as rows (key, value, is_nan, step, timestamp).

    Deleted runs are not shown. Raises NotFound, also for another repository's run.
    """
    found = rows_of(_scoped(_select_runs(), workspace).where(runs.c.run_uuid == run_id))
    if not found:
        raise NotFound("There is no such run here.")
    latest = rows_of(select(latest_metrics).where(latest_metrics.c.run_uuid == run_id).order_by(latest_metrics.c.key))
    texts: dict[str, dict[str, str]] = {
        name: dict(rows_of(select(source.c.key, source.c.value).where(source.c.run_uuid == run_id).order_by("key")))
        for name, source in (("params", params), ("tags", tags))
    }
    values = {row.key: _number(row) for row in latest}
    return _run(found[0], values, texts["params"], texts["tags"]), list(latest)


def experiments_of(workspace: str) -> list[Any]:
    """(experiment_id, name) of each live experiment, by name."""
    return list(
        rows_of(
            select(experiments.c.experiment_id, experiments.c.name)
            .where(experiments.c.workspace == workspace, experiments.c.lifecycle_stage == "active")
            .order_by(experiments.c.name)
            .limit(MAX_NAMES)
        )
    )


def commits_of(workspace: str, *, limit: int) -> dict[str, str]:
    """run id → the commit its tag names, newest runs first."""
    source = ALL.join(tags, and_(tags.c.run_uuid == runs.c.run_uuid, tags.c.key == COMMIT_TAG))
    wanted = _scoped(select(runs.c.run_uuid, tags.c.value), workspace, source)
    found = rows_of(wanted.order_by(runs.c.start_time.desc()).limit(limit))
    return {row[0]: row[1] for row in found}


def _select_runs() -> Select[Any]:
    return select(
        runs.c.run_uuid,
        runs.c.name,
        runs.c.user_id,
        runs.c.status,
        runs.c.start_time,
        runs.c.end_time,
        runs.c.artifact_uri,
        runs.c.experiment_id,
        experiments.c.name.label("experiment"),
    )


def _scoped(statement: Select[Any], workspace: str, source: FromClause | None = None) -> Select[Any]:
    """Live runs of live experiments of one repository."""
    return statement.select_from(ALL if source is None else source).where(experiments.c.workspace == workspace, *ALIVE)


def _filtered(statement: Select[Any], query: Query, source: FromClause) -> Select[Any]:
    statement = _scoped(statement, query.workspace, source)
    if query.experiment_id is not None:
        statement = statement.where(runs.c.experiment_id == query.experiment_id)
    if query.search:
        like = f"%{query.search.lower().replace('!', '!!').replace('%', '!%').replace('_', '!_')}%"
        statement = statement.where(
            or_(func.lower(runs.c.name).like(like, escape="!"), func.lower(runs.c.user_id).like(like, escape="!"))
        )
    return statement


def _order(query: Query) -> tuple[FromClause, list[Any]]:
    """What to join, and by rank then value: values first (infinities among them), then NaN, then runs without one."""
    kind, _, key = query.sort.partition(".")
    turn = desc if query.descending else asc
    if kind == "metrics":
        value: Any = latest_metrics.c.value
        rank = case((latest_metrics.c.key.is_(None), 2), (latest_metrics.c.is_nan, 1), else_=0)
        return _joined(latest_metrics, key), [rank, turn(value)]
    if kind == "params":
        is_number, number = _as_number(params.c.value)
        rank = case((params.c.key.is_(None), 2), (is_number, 0), else_=1)
        return _joined(params, key), [rank, turn(number), turn(params.c.value)]
    value = ATTRIBUTES.get(kind, runs.c.start_time)
    return ALL, [case((value.is_(None), 1), else_=0), turn(value)]


def _joined(source: Any, key: str) -> FromClause:
    return ALL.outerjoin(source, and_(source.c.run_uuid == runs.c.run_uuid, source.c.key == key))


def _as_number(value: Any) -> tuple[ColumnElement[bool], ColumnElement[Any]]:
    """(whether a text is a plain number, the number or null), in the words of either database."""
    if engine().dialect.name == "postgresql":
        is_number: Any = value.op("~")(r"^[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]{1,3})?$")
    else:
        is_number = and_(value.op("GLOB")("*[0-9]*"), value.op("NOT GLOB")("*[^-+0-9.eE]*"))
    return is_number, case((is_number, cast(value, Float)), else_=literal(None))


def _names(kind: str, ids: Sequence[str]) -> list[str]:
    """Keys of these runs, the most common first."""
    source = latest_metrics if kind == "metrics" else params
    found = rows_of(
        select(source.c.key)
        .where(source.c.run_uuid.in_(ids))
        .group_by(source.c.key)
        .order_by(func.count().desc(), source.c.key)
        .limit(MAX_NAMES)
    )
    return [f"{kind}.{row.key}" for row in found]


def _chosen(names: list[str]) -> list[str]:
    chosen = []
    for kind in ("metrics.", "params."):
        chosen += [name for name in names if name.startswith(kind)][:DEFAULT_COLUMNS]
    return chosen


def _filled(found: Sequence[Any], ids: list[str], columns: list[str]) -> list[Run]:
    """Rows with the values of the shown columns, one query per kind."""
    metric_keys = [name[8:] for name in columns if name.startswith("metrics.")]
    param_keys = [name[7:] for name in columns if name.startswith("params.")]
    values: dict[str, dict[str, float]] = {run_id: {} for run_id in ids}
    for run_id, key, value, is_nan in _values(latest_metrics, ids, metric_keys, latest_metrics.c.is_nan):
        values[run_id][key] = _logged(value, is_nan)
    texts: dict[str, dict[str, str]] = {run_id: {} for run_id in ids}
    for run_id, key, text in _values(params, ids, param_keys):
        texts[run_id][key] = text
    marks: dict[str, dict[str, str]] = {run_id: {} for run_id in ids}
    for run_id, key, text in _values(tags, ids, [COMMIT_TAG, PARENT_TAG]):
        marks[run_id][key] = text
    return [_run(row, values[row.run_uuid], texts[row.run_uuid], marks[row.run_uuid]) for row in found]


def _values(source: Any, ids: list[str], keys: list[str], *more: Any) -> Sequence[Any]:
    if not ids or not keys:
        return []
    wanted = select(source.c.run_uuid, source.c.key, source.c.value, *more)
    return rows_of(wanted.where(source.c.run_uuid.in_(ids), source.c.key.in_(keys)))


def _run(row: Any, values: dict[str, float], texts: dict[str, str], marks: dict[str, str]) -> Run:
    finished = row.end_time is not None and row.start_time is not None
    return Run(
        run_id=row.run_uuid,
        name=row.name or row.run_uuid[:8],
        user=row.user_id or "",
        status=row.status or "",
        started=moment(row.start_time),
        duration=(row.end_time - row.start_time) / 1000 if finished else None,
        experiment_id=row.experiment_id,
        experiment=row.experiment,
        artifact_uri=row.artifact_uri or "",
        metrics=values,
        params=texts,
        tags=marks,
    )


def moment(milliseconds: int | None) -> datetime | None:
    """A time as MLflow stores it; None when it is absent or beyond what a calendar holds."""
    if not milliseconds or not 0 < milliseconds < 253_402_300_800_000:
        return None
    return datetime.fromtimestamp(milliseconds / 1000, tz=UTC)


def _number(row: Any) -> float:
    return _logged(row.value, row.is_nan)


def _logged(value: float, is_nan: bool) -> float:
    """The value that was logged: MLflow stores NaN as a flag and infinities as the largest doubles."""
    if is_nan:
        return math.nan
    if abs(value) >= INFINITY:
        return math.copysign(math.inf, value)
    return float(value)
