"""Columns that sum up the history of a metric: least, greatest, best, and the step of the best.

Each is one narrow question per run and metric, so that an index of (run, key, value) answers it without a scan.
NaN is left out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, and_, func, select

from experiments.database import Reader, logged, metrics, runs
from experiments.directions import lower_is_better
from experiments.table.columns import Column

MOST = 30  # of such columns in one table


def takes_least(column: Column, directions: Mapping[str, str]) -> bool:
    """Whether it is of the least value, not of the greatest. directions: as declared."""
    if column.aggregate in {"min", "max"}:
        return column.aggregate == "min"
    return lower_is_better(column.key, directions)


def value(column: Column, directions: Mapping[str, str]) -> ColumnElement[Any]:
    """Of the run of the statement around it; null where it has none."""
    point = metrics.alias()
    of_run = and_(point.c.run_uuid == runs.c.run_uuid, point.c.key == column.key, point.c.is_nan.is_(False))
    least = takes_least(column, directions)
    if column.aggregate == "best_step":
        best = point.c.value.asc() if least else point.c.value.desc()
        step = select(point.c.step).where(of_run).order_by(best, point.c.step).limit(1)
        return step.correlate(runs).scalar_subquery()
    found = (func.min if least else func.max)(point.c.value)
    return select(found).where(of_run).correlate(runs).scalar_subquery()


def read(
    reader: Reader, ids: Sequence[str], columns: Sequence[Column], directions: Mapping[str, str]
) -> dict[str, dict[str, float]]:
    """run id → name of the column → value, in one statement; none where there are no such columns."""
    wanted = [column for column in columns if column.aggregate][:MOST]
    if not wanted or not ids:
        return {}
    labelled = [value(column, directions).label(f"value_{number}") for number, column in enumerate(wanted)]
    rows = reader.rows(select(runs.c.run_uuid, *labelled).where(runs.c.run_uuid.in_(ids)))
    return {
        row[0]: {
            column.name: logged(found, False)
            for column, found in zip(wanted, row[1:], strict=True)
            if found is not None
        }
        for row in rows
    }
