"""Runs in the shapes of DagsHub's API (its OpenAPI description), so that its clients read ours.

DagsHub groups metrics by the file they stand in. MLflow's tables know no files: what stands in several of them has the
file in its name, and the group is where the run comes from, "git" or "mlflow".
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypedDict

from sqlalchemy import ColumnElement, select
from sqlalchemy.sql.expression import TableClause

from experiments import asking
from experiments.database import Reader, latest_metrics, logged, metrics, params, reading, runs, tags
from experiments.listing import Page
from experiments.runs import Run, scoped
from experiments.shapes import plain
from experiments.tracked import marks
from hub.lib.errors import Unprocessable

MOST_VALUES, MOST_POINTS = 50_000, 100_000  # of one answer


class PointObject(TypedDict):
    Value: float | None
    Timestamp: int
    Step: int
    ValueStr: str


class ParamObject(TypedDict):
    ExperimentID: str
    Name: str
    Value: str
    Path: str


class ExperimentObject(TypedDict):
    ID: str
    RepoID: int
    CommitID: str
    TimeUnixMs: int
    Tags: dict[str, str]
    Name: str
    MetricsByPath: dict[str, dict[str, list[PointObject]]]
    HyperParamsByPath: dict[str, list[ParamObject]]
    Labels: list[str]
    Errors: list[Any]
    Source: str
    Group: str


Points = list[PointObject]


def listed(repository_id: int, page: Page, *, may_write: bool) -> dict[str, Any]:
    """ExperimentsResponse: run id → Experiment, with the last value of every metric. Raises Unprocessable."""
    ids = [run.run_id for run in page.rows]
    with reading() as reader:
        measured, given = (_read(reader, ids, source, MOST_VALUES) for source in (latest_metrics, params))
        labels = _read(reader, ids, tags, MOST_VALUES, tags.c.key.like(f"{marks.LABEL_TAGS}%"))
    found = {
        run.run_id: _experiment(run, repository_id, *(rows.get(run.run_id, []) for rows in (measured, given, labels)))
        for run in page.rows
    }
    return {"experiments": found, "isEditor": may_write, "nextPageToken": page.next}


def points(workspace: str, named: Sequence[str]) -> dict[str, dict[str, dict[str, Points]]]:
    """ExperimentMetricsResponse: run id → group → metric → every point. Ids of no run here are left out.

    Raises Unprocessable past MOST_POINTS."""
    here = scoped(select(runs.c.run_uuid), workspace).where(runs.c.run_uuid.in_(asking.ids(named)))
    with reading() as reader:
        logged_here = _read(reader, [row.run_uuid for row in reader.rows(here)], metrics, MOST_POINTS)
    found = {}
    for run_id, rows in logged_here.items():
        curves: dict[str, Points] = {}
        for row in sorted(rows, key=lambda row: (row.key, row.step, row.timestamp)):
            curves.setdefault(row.key, []).append(_point(row))
        found[run_id] = {_group(run_id): curves}
    return found


def _experiment(
    run: Run, repository_id: int, measured: Sequence[Any], given: Sequence[Any], labels: Sequence[Any]
) -> ExperimentObject:
    group = _group(run.run_id)
    named: list[ParamObject] = [
        {"ExperimentID": run.run_id, "Name": row.key, "Value": row.value, "Path": group} for row in given
    ]
    return {
        "ID": run.run_id,
        "RepoID": repository_id,
        "CommitID": run.commit,
        "TimeUnixMs": int(run.started.timestamp() * 1000) if run.started else 0,
        "Tags": run.tags,
        "Name": run.name,
        "MetricsByPath": {group: {row.key: [_point(row)] for row in measured}} if measured else {},
        "HyperParamsByPath": {group: named} if named else {},
        "Labels": sorted(row.key.removeprefix(marks.LABEL_TAGS) for row in labels),
        "Errors": [],
        "Source": group,
        "Group": run.experiment,
    }


def _group(run_id: str) -> str:
    return "git" if marks.is_tracked(run_id) else "mlflow"


def _point(row: Any) -> PointObject:
    """Value is null for what JSON has no number for; ValueStr always says it."""
    value = plain(logged(row.value, row.is_nan))
    number = value if isinstance(value, float) else None
    return {"Value": number, "Timestamp": row.timestamp, "Step": row.step, "ValueStr": str(value)}


def _read(
    reader: Reader, ids: Sequence[str], source: TableClause, most: int, *which: ColumnElement[bool]
) -> dict[str, list[Any]]:
    """run id → rows of these runs, which the caller found in the repository. which: rows are wanted."""
    wanted = select(source).where(source.c.run_uuid.in_(ids), *which).limit(most + 1)
    rows = reader.rows(wanted) if ids else []
    if len(rows) > most:
        message = f"These runs have more than {most:,} values."
        raise Unprocessable(message, details="Ask for fewer at once, or for compare/curves, which sends buckets.")
    found: dict[str, list[Any]] = {}
    for row in rows:
        found.setdefault(row.run_uuid, []).append(row)
    return found
