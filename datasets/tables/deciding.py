"""What of a merge of keyed tables people must decide, and the rows that come of it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from datasets.tables import places
from datasets.tables.keyed import Cell, Key, Row
from datasets.tables.names import PLACES
from datasets.tables.pages import cell
from datasets.threeway import Conflict, Merged, is_cell, resolved_rows

MOST_FIELDS = 30  # of a row that is shown
SIDES = ("base", "ours", "theirs")
TypeOf = Callable[[str, Conflict[Any]], str]
Typed = Callable[[str, str], Cell]


class Undecided(ValueError):
    """A place that nobody has decided, or a text that cannot be its value. number: which."""

    def __init__(self, number: int, message: str) -> None:
        super().__init__(message)
        self.number = number


def write(folder: Path, conflicts: list[Conflict[Any]], key: list[str], type_of: TypeOf) -> None:
    """Keep the places in the work folder (names.PLACES). Raises ValueError when there are too many."""
    places.write(folder / PLACES, _places(conflicts, key, type_of))


def _places(conflicts: list[Conflict[Any]], key: list[str], type_of: TypeOf) -> Iterator[dict[str, Any]]:
    for conflict in conflicts:
        if conflict.reason == "column":
            yield {"kind": "column", "where": f"the column {conflict.where}"} | _sides(conflict, str)
        elif is_cell(conflict):
            at, column = conflict.where
            where = {"where": f"{_row(at, key)}, {column}", "type": type_of(column, conflict)}
            yield {"kind": "cell"} | where | _sides(conflict, _shown)
        else:
            shown = partial(_fields, differ=_differ(conflict))
            yield {"kind": "row", "where": _row(conflict.where, key)} | _sides(conflict, shown)


def _row(at: Key, key: list[str]) -> str:
    return ", ".join(f"{column} {cell(part)}" for column, part in zip(key, at, strict=True))


def _sides(conflict: Conflict[Any], shown: Callable[[Any], Any]) -> dict[str, Any]:
    values = {side: getattr(conflict, side) for side in SIDES}
    return {side: None if value is None else shown(value) for side, value in values.items()}


def _shown(value: Cell) -> Any:
    text = cell(value.value)
    return {"empty": True} if text is None else text


def _differ(conflict: Conflict[Any]) -> list[str]:
    """The columns of a row that one side changed, while the other removed it."""
    base, now = conflict.base or {}, conflict.ours or conflict.theirs or {}
    return [column for column in now if now[column] != base.get(column)]


def _fields(row: Row, differ: list[str]) -> dict[str, Any]:
    """The first columns of a row; those that differ come first."""
    names = [*(column for column in differ if column in row), *(column for column in row if column not in differ)]
    fields = [[column, cell(row[column].value)] for column in names[:MOST_FIELDS]]
    return {"fields": fields, "differ": differ[:MOST_FIELDS], "more": max(0, len(row) - MOST_FIELDS)}


def choices(path: Path) -> dict[str, Any]:
    """{"rest", "places": {number: [word, text]}} as the hub wrote it."""
    found: dict[str, Any] = json.loads(path.read_bytes())
    return found


def words(found: Mapping[str, Any], conflicts: list[Conflict[Any]]) -> list[tuple[str, str]]:
    """(word, text) for each conflict, in order. Raises Undecided."""
    made = []
    for number, conflict in enumerate(conflicts):
        word, text = found["places"].get(str(number)) or (found["rest"], "")
        may = {*SIDES, "value"} if is_cell(conflict) else set(SIDES)
        if word not in may:
            raise Undecided(
                number, "This place is not decided." if not word else f"'{word[:20]}' decides nothing here."
            )
        made.append((word, text))
    return made


def rows(
    merged: Merged[Key, Row], made: list[tuple[str, str]], key: list[str], type_of: TypeOf, typed: Typed, *, first: int
) -> Merged[Key, Row]:
    """The merge with every conflict decided. first: the number of the first of these places. Raises Undecided."""
    chosen: list[Any] = []
    for number, (conflict, (word, text)) in enumerate(zip(merged.conflicts, made, strict=True), first):
        if word in SIDES:
            chosen.append(getattr(conflict, word))
            continue
        try:
            chosen.append(typed(text, type_of(conflict.where[1], conflict)))
        except ValueError as error:
            raise Undecided(number, f"{_row(conflict.where[0], key)}: {error}") from error
    return Merged(resolved_rows(merged, chosen), [])
