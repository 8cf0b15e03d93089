"""A table of texts of runs: a row per name, a column per run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

MOST_ROWS = 500


@dataclass(frozen=True)
class Table:
    """rows: name, and per run its text, None where it has none; whether they differ. hidden: rows that are the same in
    all, and left out. more: rows beyond MOST_ROWS."""

    rows: list[tuple[str, list[str | None], bool]]
    hidden: int = 0
    more: int = 0

    @property
    def empty(self) -> bool:
        return not self.rows and not self.hidden


def table(columns: Sequence[Mapping[str, str]], *, differences: bool) -> Table:
    names = sorted({name for column in columns for name in column})
    rows = []
    for name in names:
        values = [column.get(name) for column in columns]
        rows.append((name, values, len(set(values)) > 1))
    shown = [row for row in rows if row[2] or not differences]
    return Table(shown[:MOST_ROWS], len(rows) - len(shown), max(0, len(shown) - MOST_ROWS))
