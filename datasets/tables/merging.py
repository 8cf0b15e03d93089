"""Three-way merge of keyed tables, cell by cell, for pull requests. Runs in the sandbox like every other work here.

Text tables (CSV, TSV) keep the characters of their cells, JSON lines the values of theirs; the result has the format
of `ours`, packed or not. Rows keep the order of base; new ones follow in the order of their keys, so that either side
may be called ours.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from datasets.tables import columnwise, compressed, deciding, jsonmerging, keyed, reading, typed, writing
from datasets.tables.deciding import Undecided
from datasets.tables.engine import Connection, Report, connect, name
from datasets.tables.keyed import Cell, Row
from datasets.tables.names import MERGED
from datasets.tables.reading import Table
from datasets.threeway import Conflict, merge, merge_rows

MAX_CELLS = 40_000_000  # of all three versions: rows are held in memory


def merge_tables(
    inputs: Mapping[str, Path], folder: Path, report: Report, *, filename: str, key: list[str]
) -> dict[str, Any]:
    """keyed.outcome(); the merged table is written to the work folder (names.MERGED) when there is no conflict, and
    else what is in conflict (names.PLACES). inputs: base (may be missing), ours, theirs; choices (deciding.choices)
    decide what is in conflict. With a choice that decides nothing: {"undecided": its number, "why"}.

    Raises ValueError: a side that cannot be read, a key that is missing or not unique, columns in conflict.
    """
    sides = {side: path for side, path in inputs.items() if side in deciding.SIDES}
    choices = deciding.choices(inputs["choices"]) if "choices" in inputs else None
    plain = compressed.unpacked(inputs["ours"], folder / "ours.first")
    made = folder / (MERGED if plain == inputs["ours"] else "merged.plain")
    try:
        if reading.kind(plain, filename) == "jsonl":
            answer = jsonmerging.merge_lines(sides, folder, made, key, choices)
        else:
            answer = _merge(sides, folder, made, plain, filename, key, choices)
    except Undecided as error:
        return {"undecided": error.number, "why": str(error)}
    if made.exists() and made.name != MERGED:
        compressed.pack(made, folder / MERGED, like=inputs["ours"])
    return answer


def _merge(
    inputs: Mapping[str, Path],
    folder: Path,
    made: Path,
    plain: Path,
    filename: str,
    key: list[str],
    choices: dict[str, Any] | None,
) -> dict[str, Any]:
    con = connect(folder)
    tables = {side: reading.read(con, path, filename, folder, label=side) for side, path in inputs.items()}
    if sum(table.rows * len(table.columns) for table in tables.values()) > MAX_CELLS:
        raise ValueError("These tables are too large to be merged cell by cell.")
    if "base" not in tables:
        tables["base"] = reading.empty_like(con, tables["ours"], folder / "base.parquet")
    sides = [tables[side] for side in deciding.SIDES]
    columns = _columns(sides)
    base, ours, theirs = (keyed.by_key(_rows(con, table, key), key) for table in sides)
    torn = columnwise.torn(base, ours, theirs, [[c.name for c in table.columns] for table in sides])
    aside = columnwise.set_aside(base, ours, theirs, torn)
    merged = merge_rows(base, ours, theirs)
    everything = [*torn, *merged.conflicts]

    def type_of(column: str, conflict: Conflict[Any]) -> str:
        described = {typed.type_of(c) for table in sides for c in table.columns if c.name == column}
        return described.pop() if len(described) == 1 else typed.TEXT if tables["ours"].text else ""

    if everything and choices is None:
        deciding.write(folder, everything, key, type_of)
        return keyed.outcome(merged, key, torn)
    words = deciding.words(choices or {}, everything)
    merged = deciding.rows(
        merged,
        words[len(torn) :],
        key,
        type_of,
        lambda *given: _cell(con, tables["ours"].text, *given),
        first=len(torn),
    )
    back = columnwise.put_back(merged.value, torn, [word for word, _ in words[: len(torn)]], aside)
    columns = keyed.new_last((c.name for c in tables["base"].columns), {*columns, *back})
    rows = ([row[c].value if c in row else None for c in columns] for _, row in keyed.in_order(merged, base))
    writing.write(made, tables["ours"], columns, rows, source=plain)
    return keyed.outcome(merged, key)


def _cell(con: Connection, as_text: bool, text: str, type_: str) -> Cell:
    """as_text: of a text file, whose cells keep their characters. Raises ValueError."""
    found = typed.value(con, text, type_)
    return Cell(text or None) if as_text else Cell(found)


def _columns(sides: list[Table]) -> list[str]:
    """The names of the merged table's columns. Raises ValueError when a column's type is in conflict."""
    merged = merge(*({c.name: "text" if table.text else c.type for c in table.columns} for table in sides))
    if merged.conflicts:
        names = ", ".join(str(conflict.where) for conflict in merged.conflicts[:5])
        raise ValueError(f"Both sides changed these columns in different ways: {names}.")
    return keyed.new_last((column.name for column in sides[0].columns), merged.value)


def _rows(con: Connection, table: Table, key: list[str]) -> Iterator[Row]:
    names = [column.name for column in table.columns]
    missing = [column for column in key if column not in names]
    if missing:  # told also of a table without rows
        raise ValueError(f"There is no column {missing[0]!r} to name the rows.")
    for values in con.rows(f"SELECT {', '.join(map(name, names))} FROM {table.sql}"):
        yield {column: Cell(value) for column, value in zip(names, values, strict=True)}
