"""Three-way merge of keyed tables, cell by cell, for pull requests. Runs in the sandbox like every other work here.

Text tables (CSV, TSV) keep the characters of their cells; the result has the format of `ours`. Rows keep the order of
base; new ones follow in the order of their keys, so that either side may be called ours.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from datasets.tables import reading
from datasets.tables.engine import Connection, Report, connect, name
from datasets.tables.names import MERGED
from datasets.tables.pages import cell
from datasets.tables.reading import Table
from datasets.threeway import Merged, merge, merge_rows

MAX_CONFLICTS = 1_000
MAX_CELLS = 40_000_000  # of all three versions: rows are held in memory


def merge_tables(
    inputs: Mapping[str, Path], folder: Path, report: Report, *, filename: str, key: list[str]
) -> dict[str, Any]:
    """{"rows", "conflicts": [{"key", "column", "base", "ours", "theirs"}], "conflicts_total"}; the merged table is
    written to the work folder (names.MERGED) when there is no conflict. inputs: base (may be missing), ours, theirs.

    Raises ValueError: a side that cannot be read, a key that is missing or not unique, columns in conflict.
    """
    con = connect(folder)
    tables = {side: reading.read(con, path, filename, folder, label=side) for side, path in inputs.items()}
    if sum(table.rows * len(table.columns) for table in tables.values()) > MAX_CELLS:
        raise ValueError("These tables are too large to be merged cell by cell.")
    if "base" not in tables:
        tables["base"] = reading.empty_like(con, tables["ours"], folder / "base.parquet")
    sides = [tables[side] for side in ("base", "ours", "theirs")]
    columns = _columns(sides)
    rows = [_rows(con, table, key) for table in sides]
    merged = merge_rows(*rows)
    if not merged.conflicts:
        _write(folder / MERGED, tables["ours"], columns, _ordered(merged, rows[0]), inputs["ours"])
    told = [_told(conflict.where, conflict, key) for conflict in merged.conflicts[:MAX_CONFLICTS]]
    return {"rows": len(merged.value), "conflicts": told, "conflicts_total": len(merged.conflicts)}


def _columns(sides: list[Table]) -> dict[str, str]:
    """Name → type of the merged table. Raises ValueError when a column's type is in conflict."""
    merged = merge(*({c.name: "text" if table.text else c.type for c in table.columns} for table in sides))
    if merged.conflicts:
        names = ", ".join(str(conflict.where) for conflict in merged.conflicts[:5])
        raise ValueError(f"Both sides changed these columns in different ways: {names}.")
    return merged.value


def _rows(con: Connection, table: Table, key: list[str]) -> dict[tuple[Any, ...], dict[str, Any]]:
    names = [column.name for column in table.columns]
    missing = [column for column in key if column not in names]
    if missing or not key:
        raise ValueError(f"There is no column {missing[0]!r} to name the rows." if missing else "A key is needed.")
    found: dict[tuple[Any, ...], dict[str, Any]] = {}
    selected = ", ".join(name(column) for column in names)
    for values in con.rows(f"SELECT {selected} FROM {table.sql}"):
        row = {column: _Cell(value) for column, value in zip(names, values, strict=True)}
        at = tuple(row[column].value for column in key)
        if at in found:
            raise ValueError(f"The key is not unique: {', '.join(str(cell(part)) for part in at)[:100]}.")
        found[at] = row
    return found


class _Cell:
    """A value that may be empty: in a merge, None means that the column is not there."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, _Cell):
            return False
        nan = self.value != self.value and other.value != other.value
        return nan or self.value == other.value

    __hash__ = None  # type: ignore[assignment]  # values may be lists


def _ordered(
    merged: Merged[tuple[Any, ...], dict[str, _Cell]], base: Mapping[tuple[Any, ...], Any]
) -> list[dict[str, _Cell]]:
    new = sorted((at for at in merged.value if at not in base), key=lambda at: [(str(type(v)), v) for v in at])
    return [merged.value[at] for at in (*(at for at in base if at in merged.value), *new)]


def _told(where: Any, conflict: Any, key: list[str]) -> dict[str, Any]:
    whole = not (len(where) == 2 and isinstance(where[0], tuple))
    at, column = (where, None) if whole else where

    def side(value: Any) -> Any:
        if value is None:
            return None
        return {name_: cell(c.value) for name_, c in value.items()} if whole else cell(value.value)

    return {
        "key": dict(zip(key, map(cell, at), strict=True)),
        "column": column,
        "base": side(conflict.base),
        "ours": side(conflict.ours),
        "theirs": side(conflict.theirs),
    }


def _write(made: Path, ours: Table, columns: dict[str, str], rows: list[dict[str, _Cell]], source: Path) -> None:
    values = ([row[column].value if column in row else None for column in columns] for row in rows)
    if ours.text:
        with open(source, "rb") as file:
            ends = "\r\n" if b"\r\n" in file.read(65_536) else "\n"
        delimiter = "\t" if ours.format == "tsv" else ","
        with open(made, "w", encoding="utf-8", newline="") as out:
            writer = csv.writer(out, delimiter=delimiter, lineterminator=ends)
            writer.writerow(columns)
            writer.writerows([["" if value is None else value for value in row] for row in values])
        return
    if ours.format != "parquet":
        raise ValueError(f"Tables kept as {ours.format} are not merged; only CSV, TSV and Parquet are.")
    import pyarrow
    from pyarrow import parquet

    known = parquet.read_schema(ours.path)
    lists = list(zip(*values, strict=True)) or [()] * len(columns)
    arrays = {
        column: pyarrow.array(cells, known.field(column).type if column in known.names else None)
        for column, cells in zip(columns, lists, strict=True)
    }
    parquet.write_table(pyarrow.table(arrays), made)
