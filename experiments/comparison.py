"""Runs side by side: attributes, metrics, params and tags by name, what differs, and how far from a baseline."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import and_, case, func, or_, select

from experiments import keys
from experiments.charts.picking import Picked
from experiments.database import LOGGED, Reader, latest_metrics, reading
from experiments.runs import Run, filled
from experiments.table.columns import written

MOST_NAMES = 200  # of metrics, params and tags each; the rest is found by name
MOST_CELLS = 20_000  # of one table: 500 runs show 40 names
MOST_CHARTS = 24
FEW_RUNS = 50  # beyond them fewer charts are drawn at first


@dataclass(frozen=True)
class Question:
    """name: only names that hold it. differences: only what is not the same in all. charts: None: choose for me."""

    picked: Picked
    baseline: str = ""
    differences: bool = False
    name: str = ""
    charts: tuple[str, ...] | None = None


@dataclass(frozen=True)
class Comparison:
    """runs: as they were picked. names: kind → names, cut: kinds with more of them.

    charts: metrics to draw; drawable: those that have more than one step.
    """

    runs: list[Run]
    picked: Picked
    baseline: Run | None
    names: dict[str, list[str]]
    cut: list[str]
    charts: list[str]
    drawable: list[str]


def compare(asked: Question) -> Comparison:
    """Five statements."""
    ids, most = asked.picked.ids, most_names(len(asked.picked.rows))
    with reading() as reader:
        names, cut = {}, []
        for kind in LOGGED:
            found_names = _names(reader, kind, ids, asked, most)
            names[kind] = found_names[:most]
            cut += [kind] if len(found_names) > most else []
        columns = [written(kind, key) for kind, some in names.items() for key in some]
        found = filled(reader, asked.picked.rows, columns)
        drawable = _drawable(reader, ids)
    baseline = next((run for run in found if run.run_id == asked.baseline), None)
    charts = list(asked.charts) if asked.charts is not None else drawable[: 6 if len(ids) <= FEW_RUNS else 2]
    return Comparison(found, asked.picked, baseline, names, cut, charts[:MOST_CHARTS], drawable)


def most_names(count: int) -> int:
    """Rows of a table with so many runs beside each other."""
    return max(20, min(MOST_NAMES, MOST_CELLS // max(1, count)))


def _names(reader: Reader, kind: str, ids: list[str], asked: Question, limit: int) -> list[str]:
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
    return [row.key for row in reader.rows(wanted.order_by(source.c.key).limit(limit + 1))]


def _drawable(reader: Reader, ids: list[str]) -> list[str]:
    """Metrics that went beyond their first step in one of the runs, the most common first."""
    source = latest_metrics
    wanted = select(source.c.key).where(source.c.run_uuid.in_(ids)).group_by(source.c.key)
    wanted = wanted.having(func.max(source.c.step) > 0).order_by(func.count().desc(), source.c.key)
    return [row.key for row in reader.rows(wanted.limit(MOST_NAMES))]
