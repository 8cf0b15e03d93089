"""Runs as JSON and CSV. NaN and infinities are words, as MLflow writes them: JSON has no such numbers."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterable, Sequence
from typing import Any

from experiments.comparison import Comparison
from experiments.listing import Page
from experiments.numbers import number
from experiments.runs import Run

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
_ALWAYS = ["run_id", "name", "status", "user", "start", "duration_seconds", "experiment", "commit"]


def page(found: Page) -> dict[str, Any]:
    return {
        "runs": [run(row) for row in found.rows],
        "columns": found.columns,
        "total": found.total,
        "next": found.next or None,
        "previous": found.previous or None,
    }


def comparison(found: Comparison) -> dict[str, Any]:
    return {
        "runs": [run(row) for row in found.runs],
        "baseline": found.baseline.run_id if found.baseline else None,
        "names": found.names,
        "cut": found.cut,
        "missing": found.missing,
    }


def run(row: Run) -> dict[str, Any]:
    return {
        **dict(zip(_ALWAYS, _attributes(row), strict=True)),
        "metrics": {key: plain(value) for key, value in row.metrics.items()},
        "params": row.params,
        "tags": row.tags,
    }


def plain(value: float | None) -> float | str | None:
    """A number that JSON can hold, or the word for it."""
    if value is None or math.isfinite(value):
        return value
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


def table(rows: Iterable[Run], columns: Sequence[str]) -> str:
    """Comma-separated values with a header; no cell is read as a formula by a spreadsheet."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow([safe(name) for name in [*_ALWAYS, *columns]])
    for row in rows:
        writer.writerow([safe(value) for value in [*_attributes(row), *(cell(row, column) for column in columns)]])
    return out.getvalue()


def cell(row: Run, column: str) -> float | str | None:
    kind, _, key = column.partition(".")
    if kind == "metrics":
        return row.metrics.get(key)
    return (row.params if kind == "params" else row.tags).get(key)


def safe(value: float | str | None) -> float | str:
    """A text that would begin a formula gets an apostrophe in front; numbers stay what they are."""
    if isinstance(value, str) and value.startswith(_FORMULA) and number(value) is None:
        return f"'{value}"
    return "" if value is None else value


def _attributes(row: Run) -> list[Any]:
    started = row.started.isoformat() if row.started else None
    return [row.run_id, row.name, row.status, row.user, started, row.duration, row.experiment, row.commit or None]
