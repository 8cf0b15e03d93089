"""The values of a few columns of many runs, for charts: one statement that reads nothing else.

A column is metrics.…, params.…, tags.…, as the table of runs names them (aggregates are none), or one of ATTRIBUTES.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Float, FromClause, and_, cast, func, select
from sqlalchemy.types import Text

from experiments import numbers
from experiments.charts.picking import Chosen
from experiments.database import LOGGED, Reader, experiments, logged, reading, runs
from experiments.ordering import ALL_RUNS
from experiments.table.columns import parse, written

MOST_RUNS = 10_000  # newest first
MOST_COLUMNS = 24
TEXT_CHARACTERS = 250  # of a text that a chart shows
ATTRIBUTES: dict[str, ColumnElement[Any]] = {
    "start": runs.c.start_time, "duration": cast(runs.c.end_time - runs.c.start_time, Float) / 1000.0,
    "user": runs.c.user_id, "status": runs.c.status, "experiment": experiments.c.name,
}  # fmt: skip
_NUMERIC = {"start", "duration"}
Value = float | str | None


@dataclass(frozen=True)
class Column:
    """values: one per run; None where it has none. numeric: all are numbers (NaN and infinities among them)."""

    name: str
    numeric: bool
    values: list[Value]


@dataclass(frozen=True)
class Values:
    """total: runs that were asked for; at most MOST_RUNS of them, the newest, are here."""

    total: int
    ids: list[str]
    names: list[str]
    workspaces: list[str]
    columns: list[Column]

    def column(self, name: str) -> Column:
        return next(column for column in self.columns if column.name == name)


def is_column(name: str) -> bool:
    column = parse(name)
    return name in ATTRIBUTES or (column is not None and column.kind in LOGGED and not column.aggregate)


def read(asked: Chosen, columns: Sequence[str], *, most: int = MOST_RUNS) -> Values:
    """Two statements at most: runs beyond the most that are read are only counted."""
    names = list(dict.fromkeys(columns))[:MOST_COLUMNS]
    with reading() as reader:
        source, parts = _joined(names)
        wanted = (
            select(runs.c.run_uuid, runs.c.name, experiments.c.workspace, *parts)
            .select_from(source)
            .where(*asked.conditions(reader))
        )
        rows = reader.rows(wanted.order_by(runs.c.start_time.desc(), runs.c.run_uuid).limit(most + 1))
        total = len(rows) if len(rows) <= most else _count(reader, asked)
    rows = rows[:most]
    cells = list(zip(*rows, strict=True)) or [()] * (3 + len(parts))
    found, at = [], 3
    for name in names:
        width = 2 if name.startswith("metrics.") else 1
        found.append(_column(name, cells[at : at + width]))
        at += width
    named = [name or run_id[:8] for run_id, name in zip(*cells[:2], strict=True)]
    return Values(total, list(cells[0]), named, list(cells[2]), found)


def _joined(names: Sequence[str]) -> tuple[FromClause, list[ColumnElement[Any]]]:
    source: FromClause = ALL_RUNS
    parts: list[ColumnElement[Any]] = []
    for number, name in enumerate(names):
        if name in ATTRIBUTES:
            parts.append(ATTRIBUTES[name].label(f"c{number}"))
            continue
        kind, _, key = name.partition(".")
        key = column.key if (column := parse(name)) else key
        table = LOGGED[kind].alias(f"t{number}")
        source = source.outerjoin(table, and_(table.c.run_uuid == runs.c.run_uuid, table.c.key == key))
        if kind == "metrics":
            parts += [table.c.value.label(f"c{number}"), table.c.is_nan.label(f"n{number}")]
        else:
            parts.append(func.substr(cast(table.c.value, Text), 1, TEXT_CHARACTERS).label(f"c{number}"))
    return source, parts


def _column(name: str, cells: Sequence[Sequence[Any]]) -> Column:
    if name.startswith("metrics."):
        pairs = zip(*cells, strict=True)
        return Column(name, True, [None if value is None else logged(value, nan) for value, nan in pairs])
    if name in _NUMERIC:
        return Column(name, True, [None if value is None else float(value) for value in cells[0]])
    read = [numbers.number(text) for text in cells[0]]
    if any(text is not None for text in cells[0]) and all(
        one is not None for one, text in zip(read, cells[0], strict=True) if text is not None
    ):
        return Column(name, True, list(read))
    return Column(name, False, list(cells[0]))


def _count(reader: Reader, asked: Chosen) -> int:
    return int(reader.rows(select(func.count()).select_from(ALL_RUNS).where(*asked.conditions(reader)))[0][0])


def suggested(asked: Chosen, *, params: int = 5, metrics: int = 3) -> list[str]:
    """Columns worth an axis: params that differ among the newest of these runs, then their commonest metrics."""
    with reading() as reader:
        newest = select(runs.c.run_uuid).select_from(ALL_RUNS).where(*asked.conditions(reader))
        newest = newest.order_by(runs.c.start_time.desc()).limit(1000)
        found = []
        for kind, most in (("params", params), ("metrics", metrics)):
            source = LOGGED[kind]
            keys = select(source.c.key).where(source.c.run_uuid.in_(newest)).group_by(source.c.key)
            if kind == "params":
                keys = keys.having(func.count(source.c.value.distinct()) > 1)
            keys = keys.order_by(func.count().desc(), source.c.key).limit(most)
            found += [written(kind, row.key) for row in reader.rows(keys)]
    return found
