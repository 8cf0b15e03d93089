"""Write runs that are made from git into MLflow's tables, each whole or not at all; remove those whose commit is gone.

Plain SQL like experiments.removal, so that a worker need not load MLflow (seconds, 200 MB); it is loaded only to make
the tables of a hub where nothing was ever logged.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, delete, insert, not_, or_, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.sql.expression import TableClause

from experiments import database
from experiments.database import INFINITY, latest_metrics, metrics, params, table, tags
from experiments.tracked import marks

COMMIT_TAG = "mlflow.source.git.commit"
ONLY_TIP = "covey.same_as_parent"  # shown only while a ref points at it
_LASTING = (marks.ARCHIVED_TAG, marks.DATA_TAG)  # what was said of a run since, and holds when it is made again
_KEPT_TAGS = (COMMIT_TAG, marks.SOURCE_TAG, ONLY_TIP)
_BATCH_RUNS, _BATCH_POINTS = 100, 20_000  # of one transaction: SQLite's other writers wait for no more than this
_IDS = 500  # in one statement
_experiments = table(
    "experiments", "experiment_id", "name", "workspace", "artifact_location", "lifecycle_stage",
    "creation_time", "last_update_time",
)  # fmt: skip
_experiment_tags = table("experiment_tags", "experiment_id", "key", "value")
_runs = table(
    "runs", "run_uuid", "name", "user_id", "status", "start_time", "end_time", "lifecycle_stage", "artifact_uri",
    "experiment_id", "source_type", "source_name", "entry_point_name", "source_version",
)  # fmt: skip
_INSIDE = (latest_metrics, metrics, params, tags)  # what hangs on a run


@dataclass(frozen=True)
class GitRun:
    """A run of one commit. when: milliseconds since 1970. points: (key, step, time, value). final: what the files say
    now, key → (step, time, value), whatever came last in points."""

    run_id: str
    name: str
    user: str
    when: int
    params: Mapping[str, str]
    points: Sequence[tuple[str, int, int, float]]
    final: Mapping[str, tuple[int, int, float]]
    tags: Mapping[str, str]


@dataclass(frozen=True)
class Present:
    """A run that is there."""

    sha: str
    source: str
    name: str
    only_tip: bool


def present(workspace: str) -> dict[str, Present]:
    """run id → what it was made of."""
    source = _runs.join(_experiments, _experiments.c.experiment_id == _runs.c.experiment_id)
    source = source.outerjoin(tags, and_(tags.c.run_uuid == _runs.c.run_uuid, tags.c.key.in_(_KEPT_TAGS)))
    wanted = (
        select(_runs.c.run_uuid, _runs.c.name, tags.c.key, tags.c.value).select_from(source).where(*_hubs(workspace))
    )
    found: dict[str, dict[str, str]] = {}
    for run_id, name, key, value in database.rows_of(wanted):
        found.setdefault(run_id, {"": name or ""})[key or ""] = value if key else name or ""
    return {
        run_id: Present(each.get(COMMIT_TAG, ""), each.get(marks.SOURCE_TAG, ""), each[""], ONLY_TIP in each)
        for run_id, each in found.items()
    }


def write(workspace: str, runs: Iterable[GitRun]) -> int:
    """Make these runs, or make them again; how many. Safe to run twice."""
    count = 0
    for batch in _batches(runs):
        experiment_id = _experiment(workspace)
        with database.engine().begin() as connection:
            given = tags.c.key.in_(_LASTING), tags.c.key.like(f"{marks.LABEL_TAGS}%")
            _empty(connection, [run.run_id for run in batch], not_(or_(*given)))
            _insert(connection, workspace, experiment_id, batch)
        count += len(batch)
    return count


def remove(workspace: str, run_ids: Iterable[str]) -> int:
    """Remove runs of this workspace that were made from git; how many."""
    mine = sorted(set(run_ids) & present(workspace).keys())
    for start in range(0, len(mine), _BATCH_RUNS):
        with database.engine().begin() as connection:
            _delete(connection, mine[start : start + _BATCH_RUNS])
    return len(mine)


def _batches(runs: Iterable[GitRun]) -> Iterator[list[GitRun]]:
    batch: list[GitRun] = []
    points = 0
    for run in runs:
        if batch and (len(batch) == _BATCH_RUNS or points + len(run.points) > _BATCH_POINTS):
            yield batch
            batch, points = [], 0
        batch.append(run)
        points += len(run.points)
    if batch:
        yield batch


# ---- the experiment ----------------------------------------------------------------------------
def _hubs(workspace: str) -> list[Any]:
    return [
        _experiments.c.workspace == workspace,
        _experiments.c.artifact_location == marks.location_of(workspace),
    ]


def _experiment(workspace: str) -> int:
    """The hub's experiment of a repository, made on first use."""
    if not database.tables_exist():
        from experiments.mlflow import server

        server.load()  # makes them
    wanted = select(_experiments.c.experiment_id).where(*_hubs(workspace))
    found = database.rows_of(wanted)
    if found:
        return int(found[0][0])
    now = int(time.time() * 1000)
    with database.engine().begin() as connection:
        values = {
            "name": _free_name(connection, workspace),
            "workspace": workspace,
            "artifact_location": marks.location_of(workspace),
            "lifecycle_stage": "active",
            "creation_time": now,
            "last_update_time": now,
        }
        made = connection.execute(insert(_experiments).values(values).returning(_experiments.c.experiment_id))
        experiment_id = int(made.scalar_one())
        note = {"experiment_id": experiment_id, "key": "mlflow.note.content", "value": marks.DESCRIPTION}
        connection.execute(insert(_experiment_tags).values(note))
    return experiment_id


def _free_name(connection: Connection, workspace: str) -> str:
    """ "git", unless somebody has an experiment of this name already."""
    names = connection.execute(
        select(_experiments.c.name).where(
            _experiments.c.workspace == workspace, _experiments.c.name.like(f"{marks.EXPERIMENT}%")
        )
    )
    taken, number = set(names.scalars()), 1
    while (name := marks.EXPERIMENT + (f" ({number})" if number > 1 else "")) in taken:
        number += 1
    return name


# ---- rows --------------------------------------------------------------------------------------
def _delete(connection: Connection, run_ids: Sequence[str]) -> None:
    _empty(connection, run_ids)
    connection.execute(delete(_runs).where(_runs.c.run_uuid.in_(run_ids)))


def _empty(connection: Connection, run_ids: Sequence[str], *which: ColumnElement[bool]) -> None:
    """Delete what hangs on these runs. which: the tags that go, when not all do: what people marked stays when a run is
    made again."""
    for inside in _INSIDE:
        conditions = which if inside is tags else ()
        connection.execute(delete(inside).where(inside.c.run_uuid.in_(run_ids), *conditions))


def _insert(connection: Connection, workspace: str, experiment_id: int, runs: Sequence[GitRun]) -> None:
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    new = dialect.insert(_runs)
    changed = {name: new.excluded[name] for name in ("name", "user_id", "start_time", "end_time", "lifecycle_stage")}
    made = new.on_conflict_do_update(index_elements=["run_uuid"], set_=changed)
    connection.execute(made, [_run_row(workspace, experiment_id, run) for run in runs])
    rows: dict[TableClause, list[dict[str, Any]]] = {
        tags: [{"run_uuid": run.run_id, "key": k, "value": v} for run in runs for k, v in run.tags.items()],
        params: [{"run_uuid": run.run_id, "key": k, "value": v} for run in runs for k, v in run.params.items()],
        metrics: [row for run in runs for row in _points(run)],
        latest_metrics: [row for run in runs for row in _latest(run)],
    }
    for target, values in rows.items():
        if values:
            connection.execute(insert(target), values)


def _run_row(workspace: str, experiment_id: int, run: GitRun) -> dict[str, Any]:
    return {
        "run_uuid": run.run_id,
        "name": run.name,
        "user_id": run.user,
        "status": "FINISHED",
        "start_time": run.when,
        "end_time": run.when,
        "lifecycle_stage": "active",
        "artifact_uri": f"{marks.location_of(workspace)}/{run.run_id}/artifacts",
        "experiment_id": experiment_id,
        "source_type": "UNKNOWN",
        "source_name": "",
        "entry_point_name": "",
        "source_version": "",
    }


def _points(run: GitRun) -> list[dict[str, Any]]:
    """Each point once: equal ones are one row of MLflow's."""
    given = [*run.points, *((key, step, when, value) for key, (step, when, value) in run.final.items())]
    rows = [_row(run.run_id, *point) for point in given]
    return list({tuple(row.values()): row for row in rows}.values())


def _latest(run: GitRun) -> list[dict[str, Any]]:
    last: dict[str, tuple[int, int, float]] = {}
    for key, step, when, value in run.points:
        if key not in last or (step, when) >= last[key][:2]:
            last[key] = (step, when, value)
    return [_row(run.run_id, key, *point) for key, point in (last | dict(run.final)).items()]


def _row(run_id: str, key: str, step: int, when: int, value: float) -> dict[str, Any]:
    """As MLflow stores it: NaN as a flag, infinities as the largest doubles."""
    nan = math.isnan(value)
    kept = 0.0 if nan else max(-INFINITY, min(INFINITY, value))
    return {"run_uuid": run_id, "key": key, "step": step, "timestamp": when, "value": kept, "is_nan": nan}
