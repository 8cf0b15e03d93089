"""Runs as JSON and CSV. NaN and infinities are words, as MLflow writes them: JSON has no such numbers."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any, NotRequired, TypedDict

from experiments.comparison import Comparison
from experiments.listing import Page
from experiments.numbers import number
from experiments.runs import Run
from experiments.table import columns
from experiments.table.columns import Column

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
ALWAYS = ["run_id", "name", "status", "user", "start", "duration_seconds", "experiment", "commit", "data", "source"]


class RunObject(TypedDict):
    """start: ISO 8601. NaN and infinities are words."""

    run_id: str
    name: str
    status: str
    user: str
    start: str | None
    duration_seconds: float | None
    experiment: str
    commit: str | None
    source: str
    metrics: dict[str, float | str | None]
    params: dict[str, str]
    tags: dict[str, str]
    aggregates: NotRequired[dict[str, float | str | None]]


class RunsObject(TypedDict):
    """next, previous: what after= and before= take."""

    runs: list[RunObject]
    columns: list[str]
    total: int | None
    more: bool
    next: str | None
    previous: str | None


class ComparisonObject(TypedDict):
    """names: of the columns that are compared. missing, filtered_out: how many of the runs asked for are not shown."""

    runs: list[RunObject]
    baseline: str | None
    names: Any
    cut: Any
    missing: int
    filtered_out: int


def page(found: Page) -> dict[str, Any]:
    return {
        "runs": [run(row) for row in found.rows],
        "columns": found.columns,
        "total": found.total,
        "more": found.more,
        "next": found.next or None,
        "previous": found.previous or None,
    }


def comparison(found: Comparison) -> dict[str, Any]:
    return {
        "runs": [run(row) for row in found.runs],
        "baseline": found.baseline.run_id if found.baseline else None,
        "names": found.names,
        "cut": found.cut,
        "missing": found.picked.missing,
        "filtered_out": found.picked.out,
    }


def run(row: Run) -> dict[str, Any]:
    return {
        **dict(zip(ALWAYS, _plain_attributes(row), strict=True)),
        "metrics": {key: plain(value) for key, value in row.metrics.items()},
        "params": row.params,
        "tags": row.tags,
        **({"aggregates": {name: plain(value) for name, value in row.aggregates.items()}} if row.aggregates else {}),
    }


def plain(value: float | None) -> float | str | None:
    """A number that JSON can hold, or the word for it."""
    if value is None or math.isfinite(value):
        return value
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


def table(rows: Iterable[Run], names: Sequence[str]) -> str:
    """Comma-separated values with a header; no cell is read as a formula by a spreadsheet."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow([safe(name) for name in [*ALWAYS, *names]])
    for row in rows:
        writer.writerow([safe(value) for value in [*_plain_attributes(row), *(cell(row, name) for name in names)]])
    return out.getvalue()


def cell(row: Run, name: str) -> float | str | None:
    """What a run shows in the column of this name."""
    column = columns.parse(name)
    return value_of(column)(row) if column else None


def value_of(column: Column) -> Callable[[Run], float | str | None]:
    """What a run shows in a column, for who asks many; nothing for an attribute."""
    key = column.key
    if column.kind == "attributes":
        return lambda run: None
    if column.aggregate:
        return lambda run: run.aggregates.get(column.name)
    if column.kind == "metrics":
        return lambda run: run.metrics.get(key)
    return (lambda run: run.params.get(key)) if column.kind == "params" else (lambda run: run.tags.get(key))


def safe(value: float | str | None) -> float | str:
    """A text that would begin a formula gets an apostrophe in front; numbers stay what they are."""
    if isinstance(value, str) and value.startswith(_FORMULA) and number(value) is None:
        return f"'{value}"
    return "" if value is None else value


def attributes(row: Run) -> list[Any]:
    """A value for each of ALWAYS; start as a datetime in UTC."""
    named = [row.run_id, row.name, row.status, row.user, row.started, row.duration, row.experiment]
    return [*named, row.commit or None, row.data or None, row.source]


def _plain_attributes(row: Run) -> list[Any]:
    return [each.isoformat() if isinstance(each, datetime) else each for each in attributes(row)]
