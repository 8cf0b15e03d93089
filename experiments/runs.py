"""Runs of one repository straight from MLflow's tables: one run, counts, and the rows that the table shows.

Every question is kept to a workspace, so another repository's ids are as if absent.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import FromClause, Select, and_, func, select
from sqlalchemy.sql.expression import TableClause

from experiments import logged_values
from experiments.database import LOGGED, Reader, experiments, logged, reading, rows_of, runs, tags
from experiments.ordering import ALL_RUNS
from experiments.table.columns import parsed
from experiments.tracked.marks import DATA_TAG, LABELS, SOURCE_TAG, is_tracked
from experiments.tracked.marks import LOGGED as FROM_CLIENT
from hub.lib.errors import NotFound

MAX_EXPERIMENTS = 500  # what a chooser lists
MOST_IDS = 1000  # that a statement names
MOST_VALUES = 1000  # of metrics, params and tags each, on the page of one run
COMMIT_TAG, PARENT_TAG = "mlflow.source.git.commit", "mlflow.parentRunId"
ACTIVE, DELETED = "active", "deleted"  # MLflow's words
ALIVE = (experiments.c.lifecycle_stage == ACTIVE, runs.c.lifecycle_stage == ACTIVE)


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
    aggregates: dict[str, float] = field(default_factory=dict)  # by the name of the column: metrics.loss:min
    ended: datetime | None = None
    deleted: bool = False

    @property
    def commit(self) -> str:
        return self.tags.get(COMMIT_TAG, "")

    @property
    def data(self) -> str:
        """The version of the data of its commit, once lineage has looked."""
        return self.tags.get(DATA_TAG, "")

    @property
    def source(self) -> str:
        """Where it comes from: mlflow (a client logged it), or commit, exp or dagshub (made from git)."""
        return self.tags.get(SOURCE_TAG, FROM_CLIENT)

    @property
    def is_tracked(self) -> bool:
        """Whether it was made from git, and only git changes it."""
        return is_tracked(self.run_id)

    @property
    def source_label(self) -> str:
        return LABELS.get(self.source, self.source)


Metric = Any  # of latest_metrics: key, value, is_nan, step, timestamp


def count(workspace: str) -> int:
    found = rows_of(scoped(select(func.count()), workspace))
    return int(found[0][0]) if found else 0


def counts() -> dict[str, int]:
    """workspace → its runs, of every repository in one query."""
    counted = select(experiments.c.workspace, func.count()).select_from(ALL_RUNS).where(*ALIVE)
    return {workspace: number for workspace, number in rows_of(counted.group_by(experiments.c.workspace))}


def bare(workspace: str, run_id: str, *, deleted: bool = False) -> Run:
    """A run without its values. Raises as run() does."""
    with reading() as reader:
        return _run(_one(reader, workspace, run_id, deleted=deleted), {}, {}, {})


def run(workspace: str, run_id: str, *, deleted: bool = False) -> tuple[Run, list[Metric]]:
    """A run with its params and tags, and its latest metrics as rows (key, value, is_nan, step, timestamp).

    At most MOST_VALUES of each, by name, but MLflow's own tags always: one of them names the commit. deleted: it may
    be a deleted one of a live experiment. Raises NotFound, also for another repository's.
    """
    with reading() as reader:
        found = _one(reader, workspace, run_id, deleted=deleted)
        latest, params, marks = (_first(reader, source, run_id) for source in LOGGED.values())
    values = {row.key: logged(row.value, row.is_nan) for row in latest}
    return _run(found, values, *({row.key: row.value for row in rows} for rows in (params, marks))), latest


def _first(reader: Reader, source: TableClause, run_id: str) -> list[Any]:
    others_last = source.c.key.not_like("mlflow.%")
    wanted = select(source).where(source.c.run_uuid == run_id).order_by(others_last, source.c.key).limit(MOST_VALUES)
    return sorted(reader.rows(wanted), key=lambda row: row.key)


def _one(reader: Reader, workspace: str, run_id: str, *, deleted: bool) -> Any:
    wanted = (
        select_runs().select_from(ALL_RUNS).where(experiments.c.workspace == workspace, *ALIVE[: 1 if deleted else 2])
    )
    found = reader.rows(wanted.where(runs.c.run_uuid == run_id))
    if not found:
        raise NotFound("There is no such run here.")
    return found[0]


def filled(reader: Reader, found: Sequence[Any], columns: Sequence[str]) -> list[Run]:
    """Rows of select_runs() as runs with the values of some columns (metrics.…, params.…, tags.…), in one statement."""
    asked = parsed(columns)
    wanted = {kind: [c.key for c in asked if c.kind == kind and not c.aggregate] for kind in LOGGED}
    wanted["tags"] += [COMMIT_TAG, PARENT_TAG, SOURCE_TAG, DATA_TAG]
    values = logged_values.read(reader, [row.run_uuid for row in found], wanted)
    return [_run(row, *values[row.run_uuid]) for row in found]


def experiments_of(reader: Reader, workspace: str) -> list[Any]:
    """(experiment_id, name) of each live experiment, by name."""
    return list(
        reader.rows(
            select(experiments.c.experiment_id, experiments.c.name)
            .where(experiments.c.workspace == workspace, experiments.c.lifecycle_stage == "active")
            .order_by(experiments.c.name)
        )
    )


def commits_of(workspace: str, *, limit: int) -> dict[str, str]:
    """run id → the commit its tag names, newest runs first."""
    source = ALL_RUNS.join(tags, and_(tags.c.run_uuid == runs.c.run_uuid, tags.c.key == COMMIT_TAG))
    wanted = scoped(select(runs.c.run_uuid, tags.c.value), workspace, source)
    found = rows_of(wanted.order_by(runs.c.start_time.desc()).limit(limit))
    return {row[0]: row[1] for row in found}


def select_runs() -> Select[Any]:
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
        runs.c.lifecycle_stage,
    )


def scoped(
    statement: Select[Any], workspace: str, source: FromClause | None = None, *, stage: str = ACTIVE
) -> Select[Any]:
    """Live runs of live experiments of one repository. stage: "deleted" for the deleted ones instead."""
    return statement.select_from(ALL_RUNS if source is None else source).where(
        experiments.c.workspace == workspace, experiments.c.lifecycle_stage == ACTIVE, runs.c.lifecycle_stage == stage
    )


def among(
    statement: Select[Any],
    workspace: str,
    experiment_ids: Sequence[int],
    source: FromClause | None = None,
    *,
    stage: str = ACTIVE,
) -> Select[Any]:
    """As scoped(), for what reads many runs. experiment_ids: those of the workspace, from experiments_of().

    Of ids PostgreSQL knows how many runs they have; of the name of a workspace it guesses, and joins run by run.
    """
    if len(experiment_ids) > MOST_IDS:
        return scoped(statement, workspace, source, stage=stage)
    live = runs.c.experiment_id.in_(experiment_ids), runs.c.lifecycle_stage == stage
    return statement.select_from(ALL_RUNS if source is None else source).where(*live)


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
        ended=moment(row.end_time),
        deleted=row.lifecycle_stage == "deleted",
    )


def moment(milliseconds: int | None) -> datetime | None:
    """A time as MLflow stores it; None when it is absent or beyond what a calendar holds."""
    if not milliseconds or not 0 < milliseconds < 253_402_300_800_000:
        return None
    return datetime.fromtimestamp(milliseconds / 1000, tz=UTC)
