"""Rows by their keys, as a merge takes them and tells of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from datasets.tables.pages import cell
from datasets.threeway import Conflict, Merged, is_cell

Key = tuple[Any, ...]
MAX_CONFLICTS = 1_000
_NAN = object()


class Cell:
    """A value that may be empty: in a merge, None means that the column is not there. form: what is compared."""

    __slots__ = ("form", "value")

    def __init__(self, value: Any, form: Any = None) -> None:
        self.value = value
        self.form = form if form is not None else _NAN if value != value else value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Cell) and self.form == other.form

    __hash__ = None  # type: ignore[assignment]  # values may be lists


Row = dict[str, Cell]


def by_key(rows: Iterable[Row], key: list[str]) -> dict[Key, Row]:
    """Raises ValueError when the key is missing from a row, holds a list or an object, or is not unique."""
    if not key:
        raise ValueError("A key is needed.")
    found: dict[Key, Row] = {}
    for row in rows:
        missing = [column for column in key if column not in row]
        if missing:
            raise ValueError(f"There is no column {missing[0]!r} to name the rows.")
        at = tuple(row[column].value for column in key)
        if any(isinstance(part, (list, dict)) for part in at):
            raise ValueError(f"A key of lists or objects names no row: {_shown(at)}.")
        if at in found:
            raise ValueError(f"The key is not unique: {_shown(at)}.")
        found[at] = row
    return found


def _shown(at: Key) -> str:
    return ", ".join(str(cell(part)) for part in at)[:100]


def in_order(merged: Merged[Key, Row], base: Mapping[Key, Any]) -> list[tuple[Key, Row]]:
    """The order of base; new rows follow by their keys."""
    new = sorted((at for at in merged.value if at not in base), key=lambda at: [(str(type(v)), v) for v in at])
    return [(at, merged.value[at]) for at in (*(at for at in base if at in merged.value), *new)]


def new_last(base: Iterable[str], names: Iterable[str]) -> list[str]:
    """The names of columns: in the order of base, new ones after them by name, whichever side they come from."""
    known, names = list(base), set(names)
    return [*(name for name in known if name in names), *sorted(names - set(known))]


def outcome(merged: Merged[Key, Row], key: list[str], columns: Sequence[Conflict[Any]] = ()) -> dict[str, Any]:
    """What a merge answers: {"rows", "conflicts": [{"key", "column", "base", "ours", "theirs"}], "conflicts_total"}.
    columns: in conflict as a whole; their key is {}."""
    told = [{"key": {}, "column": c.where, "base": c.base, "ours": c.ours, "theirs": c.theirs} for c in columns]
    told += [_told(conflict, key) for conflict in merged.conflicts[:MAX_CONFLICTS]]
    return {
        "rows": len(merged.value),
        "conflicts": told[:MAX_CONFLICTS],
        "conflicts_total": len(columns) + len(merged.conflicts),
    }


def _told(conflict: Conflict[Any], key: list[str]) -> dict[str, Any]:
    whole = not is_cell(conflict)
    at, column = (conflict.where, None) if whole else conflict.where

    def side(value: Any) -> Any:
        if value is None:
            return None
        return {name: cell(c.value) for name, c in value.items()} if whole else cell(value.value)

    return {
        "key": dict(zip(key, map(cell, at), strict=True)),
        "column": column,
        "base": side(conflict.base),
        "ours": side(conflict.ours),
        "theirs": side(conflict.theirs),
    }
