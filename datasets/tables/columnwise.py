"""Columns that one side of a merge removed while the other changed cells of them: decided as a whole."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from datasets.tables.keyed import Cell, Key, Row
from datasets.threeway import Conflict

Rows = Mapping[Key, Row]
Aside = dict[str, dict[str, dict[Key, Cell]]]  # column → side → cells


def torn(base: Rows, ours: Rows, theirs: Rows, names: list[list[str]]) -> list[Conflict[Any]]:
    """names: the columns of base, ours and theirs. The sides of a conflict are words, None for who removed it."""
    found = []
    for column in names[0]:
        has = [column in side for side in names[1:]]
        if has[0] == has[1]:
            continue
        changed = _changed(base, ours if has[0] else theirs, column)
        if changed:
            kept = f"kept, with {changed:,} changed cell{'s' if changed > 1 else ''}"
            found.append(Conflict(column, "as it was", kept if has[0] else None, kept if has[1] else None, "column"))
    return found


def _changed(base: Rows, side: Rows, column: str) -> int:
    return sum(1 for key, row in side.items() if key in base and row[column] != base[key][column])


def set_aside(base: Rows, ours: Rows, theirs: Rows, conflicts: list[Conflict[Any]]) -> Aside:
    """Take the columns in conflict out of the rows."""
    sides = {"base": base, "ours": ours, "theirs": theirs}
    return {
        conflict.where: {
            name: {key: row.pop(conflict.where) for key, row in side.items() if conflict.where in row}
            for name, side in sides.items()
        }
        for conflict in conflicts
    }


def put_back(rows: Mapping[Key, Row], conflicts: list[Conflict[Any]], words: list[str], aside: Aside) -> list[str]:
    """The columns that stay, with the cells of the side that was chosen; a row that it does not have keeps base's."""
    stay = []
    for conflict, word in zip(conflicts, words, strict=True):
        if getattr(conflict, word) is None:
            continue
        stay.append(conflict.where)
        cells = aside[conflict.where]
        known = cells["base"] | cells[word]
        for key, row in rows.items():
            if key in known:
                row[conflict.where] = known[key]
    return stay
