"""The order of runs, and where a page of it begins and ends (keyset): new runs never move what one has seen.

A run's place is a tuple: rank (0 has a value, 1 is NaN or no number, 2 has none), value, start, id. Texts are ordered
by their first characters, so that a place fits into an address.
"""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Float, FromClause, and_, case, cast, func, literal, literal_column, or_
from sqlalchemy.types import Text

from experiments import numbers
from experiments.database import experiments, latest_metrics, params, runs, tags
from experiments.filters.names import TAGGED
from experiments.table import aggregates, columns
from experiments.tracked.marks import SOURCE_TAG
from hub.lib.errors import Invalid

TEXT_CHARACTERS = 100
# An outer join: where nothing of the experiment is asked, neither database reads it.
ALL_RUNS = runs.outerjoin(experiments, experiments.c.experiment_id == runs.c.experiment_id)
_TIMES = {"started": runs.c.start_time, "ended": runs.c.end_time, "duration": runs.c.end_time - runs.c.start_time}
_TEXTS = {
    "name": func.lower(runs.c.name), "user": runs.c.user_id, "status": runs.c.status,
    "experiment": func.lower(experiments.c.name), "id": runs.c.run_uuid,
}  # fmt: skip
_TAGS = {**TAGGED, "source": SOURCE_TAG}
SORTABLE = frozenset({*_TIMES, *_TEXTS, "commit", "data", "source"})


@dataclass(frozen=True)
class Key:
    """One part of a place; never null. type: what its values are in Python."""

    column: ColumnElement[Any]
    type: type
    descending: bool = False


@dataclass(frozen=True)
class Order:
    """source: the runs with what they are ordered by."""

    source: FromClause
    keys: tuple[Key, ...]

    def columns(self) -> list[ColumnElement[Any]]:
        """What to select besides, so that place_of() can read it."""
        return [key.column.label(f"place_{number}") for number, key in enumerate(self.keys)]

    def by(self, *, backwards: bool = False) -> list[ColumnElement[Any]]:
        """By the names of columns(), so that nothing is computed twice."""
        turned = [key.descending != backwards for key in self.keys]
        names: list[ColumnElement[Any]] = [literal_column(f"place_{number}") for number in range(len(self.keys))]
        return [name.desc() if turn else name.asc() for name, turn in zip(names, turned, strict=True)]

    def beyond(self, place: Sequence[Any], *, backwards: bool = False) -> ColumnElement[bool]:
        """Whether a run comes after a place, or before it."""
        found: ColumnElement[bool] | None = None
        for key, value in reversed(list(zip(self.keys, place, strict=True))):
            bound = literal(value, Float if key.type is float else None)
            further = key.column < bound if key.descending != backwards else key.column > bound
            found = further if found is None else or_(further, and_(key.column == bound, found))
        assert found is not None
        return found

    def place_of(self, row: Any) -> str:
        """Where a row is, as an address carries it."""
        values = [getattr(row, f"place_{number}") for number in range(len(self.keys))]
        return base64.urlsafe_b64encode(json.dumps(values, ensure_ascii=False).encode()).decode().rstrip("=")

    def read_place(self, text: str) -> list[Any]:
        """Raises Invalid for what place_of() did not write."""
        try:
            values = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        except (ValueError, RecursionError) as error:
            raise _no_place() from error
        if not isinstance(values, list) or len(values) != len(self.keys):
            raise _no_place()
        return [_checked(key, value) for key, value in zip(self.keys, values, strict=True)]


def order(sort: str, *, descending: bool, postgresql: bool, directions: Mapping[str, str] | None = None) -> Order:
    """sort: one of SORTABLE, or metrics.…, params.… or tags.…; anything else is "started".

    directions: which way metrics get better, for metrics.…:best.
    """
    asked = columns.parse(sort)
    kind, key = (asked.kind, asked.key) if asked else (sort, "")
    source: FromClause = ALL_RUNS
    if asked and asked.aggregate:
        found = aggregates.value(asked, directions or {})
        rank = case((found.is_(None), 2), else_=0)
        first = [Key(rank, int), Key(cast(func.coalesce(found, 0.0), Float), float, descending)]
    elif kind == "metrics":
        source, value = _joined(latest_metrics, key), latest_metrics.c.value
        rank = case((latest_metrics.c.key.is_(None), 2), (latest_metrics.c.is_nan, 1), else_=0)
        # Of a NaN MLflow stores 0: among themselves they are alike.
        first = [Key(rank, int), Key(func.coalesce(value, 0.0), float, descending)]
    elif kind in {"params", "tags"} or sort in _TAGS:
        table = params if kind == "params" else tags
        source = _joined(table, _TAGS.get(sort, key))
        number = numbers.of_text(table.c.value, postgresql=postgresql)
        rank = case((table.c.key.is_(None), 2), (number.is_not(None), 0), else_=1)
        first = [Key(rank, int), Key(func.coalesce(number, 0.0), float, descending)]
        first.append(_text(table.c.value, descending, postgresql))
    elif sort in _TEXTS:
        column = _TEXTS[sort]
        first = [Key(case((column.is_(None), 2), else_=0), int), _text(column, descending, postgresql)]
    else:
        column = _TIMES.get(sort, runs.c.start_time)
        first = [Key(case((column.is_(None), 2), else_=0), int), Key(func.coalesce(column, 0), int, descending)]
    newest, by_id = Key(func.coalesce(runs.c.start_time, 0), int, True), Key(runs.c.run_uuid, str)
    return Order(source, (*first, newest, by_id))


def _joined(source: Any, key: str) -> FromClause:
    return ALL_RUNS.outerjoin(source, and_(source.c.run_uuid == runs.c.run_uuid, source.c.key == key))


def _text(column: ColumnElement[Any], descending: bool, postgresql: bool) -> Key:
    beginning: ColumnElement[Any] = func.substr(func.coalesce(cast(column, Text), ""), 1, TEXT_CHARACTERS)
    return Key(beginning.collate("C") if postgresql else beginning, str, descending)


def _checked(key: Key, value: Any) -> Any:
    if key.type is float and type(value) is int:
        value = float(value) if abs(value) < 2**53 else None
    if type(value) is not key.type:
        raise _no_place()
    if (isinstance(value, float) and not math.isfinite(value)) or (isinstance(value, int) and abs(value) >= 2**63):
        raise _no_place()
    if isinstance(value, str) and ("\0" in value or any("\ud800" <= letter <= "\udfff" for letter in value)):
        raise _no_place()
    return value


def _no_place() -> Invalid:
    return Invalid("The address names no place in this table.", details="Open the table without after= and before=.")
