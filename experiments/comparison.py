"""Runs side by side: attributes, metrics, params and tags by name, what differs, and how far from a baseline."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import and_, case, func, or_, select

from experiments import keys
from experiments.database import LOGGED, Reader, latest_metrics, reading, runs
from experiments.runs import Run, filled, scoped, select_runs
from hub.lib.errors import Invalid, NotFound

LEAST_RUNS, MOST_RUNS = 2, 100
MOST_NAMES = 200  # of metrics, params and tags each; the rest is found by name
MOST_CHARTS, FIRST_CHARTS = 24, 6


@dataclass(frozen=True)
class Question:
    """name: only names that hold it. differences: only what is not the same in all. charts: None: choose for me."""

    workspace: str
    run_ids: tuple[str, ...]
    baseline: str = ""
    differences: bool = False
    name: str = ""
    charts: tuple[str, ...] | None = None


@dataclass(frozen=True)
class Comparison:
    """runs: as asked, without those that are not here (missing). names: kind → names, cut: kinds with more of them.

    charts: metrics to draw; drawable: those that have more than one step.
    """

    runs: list[Run]
    missing: int
    baseline: Run | None
    names: dict[str, list[str]]
    cut: list[str]
    charts: list[str]
    drawable: list[str]


def compare(asked: Question) -> Comparison:
    """Six statements. Raises Invalid for too few or too many runs, NotFound when none of them is here."""
    ids = _checked(asked.run_ids)
    with reading() as reader:
        rows = {row.run_uuid: row for row in reader.rows(_wanted(asked.workspace, ids))}
        if not rows:
            raise NotFound("There are no such runs here.")
        found_ids = [run_id for run_id in ids if run_id in rows]
        names, cut = {}, []
        for kind in LOGGED:
            found_names = _names(reader, kind, found_ids, asked)
            names[kind] = found_names[:MOST_NAMES]
            cut += [kind] if len(found_names) > MOST_NAMES else []
        columns = [f"{kind}.{key}" for kind, some in names.items() for key in some]
        found = filled(reader, [rows[run_id] for run_id in found_ids], columns)
        drawable = _drawable(reader, found_ids)
    baseline = next((run for run in found if run.run_id == asked.baseline), None)
    charts = list(asked.charts) if asked.charts is not None else drawable[:FIRST_CHARTS]
    return Comparison(found, len(ids) - len(found), baseline, names, cut, charts[:MOST_CHARTS], drawable)


def readable_ids(workspace: str, run_ids: Sequence[str]) -> dict[str, str]:
    """run id → name of those of these runs that are here, in their order. Raises Invalid for too many."""
    if len(run_ids) > MOST_RUNS:
        raise _wrong_number(len(run_ids))
    with reading() as reader:
        found = {row.run_uuid: row.name or row.run_uuid[:8] for row in reader.rows(_wanted(workspace, run_ids))}
    return {run_id: found[run_id] for run_id in run_ids if run_id in found}


def _wanted(workspace: str, ids: Sequence[str]) -> Any:
    return scoped(select_runs(), workspace).where(runs.c.run_uuid.in_(ids))


def _checked(run_ids: Sequence[str]) -> list[str]:
    ids = list(dict.fromkeys(run_ids))
    if not LEAST_RUNS <= len(ids) <= MOST_RUNS:
        raise _wrong_number(len(ids))
    return ids


def _wrong_number(count: int) -> Invalid:
    problem = f"{LEAST_RUNS} to {MOST_RUNS} runs can be compared; this address names {count}."
    return Invalid(problem, details="Tick the runs in the table of experiments, then choose Compare.")


def _names(reader: Reader, kind: str, ids: list[str], asked: Question) -> list[str]:
    source = LOGGED[kind]
    wanted = select(source.c.key).where(source.c.run_uuid.in_(ids)).group_by(source.c.key)
    wanted = wanted.where(*keys.holding(kind, source.c.key, asked.name))
    if asked.differences:
        least, most = func.min(source.c.value), func.max(source.c.value)
        different = or_(func.count() < len(ids), least != most)
        if kind == "metrics":
            nans = func.sum(case((source.c.is_nan, 1), else_=0))
            different = or_(different, and_(nans > 0, nans < len(ids)))
        wanted = wanted.having(different)
    return [row.key for row in reader.rows(wanted.order_by(source.c.key).limit(MOST_NAMES + 1))]


def _drawable(reader: Reader, ids: list[str]) -> list[str]:
    """Metrics that went beyond their first step in one of the runs, the most common first."""
    source = latest_metrics
    wanted = select(source.c.key).where(source.c.run_uuid.in_(ids)).group_by(source.c.key)
    wanted = wanted.having(func.max(source.c.step) > 0).order_by(func.count().desc(), source.c.key)
    return [row.key for row in reader.rows(wanted.limit(MOST_NAMES))]
