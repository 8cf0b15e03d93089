"""Two versions of a table compared: the schema, then rows by key, or as a bag of rows when nothing names a row.

Counts are exact. Every row that differs is written to changes.parquet in the work folder, from which pages are read:
status (added, removed, changed, rewritten), position (in head, else in base), changed (names of the columns whose
value changed), then for every column "old.<name>" and "new.<name>".
"rewritten": no value changed, only how a number is written ("1" → "1.0", text files only).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from datasets.tables import bags, keying, matching, reading
from datasets.tables.engine import Connection, Report, connect, literal, name
from datasets.tables.matching import Pair, Schema
from datasets.tables.names import CHANGES
from datasets.tables.reading import Table

MAX_NOISE_COLUMNS = 500


@dataclass(frozen=True)
class Asked:
    """key: names of columns, [] to guess; unkeyed: compare as a bag of rows. tolerance: see Pair.differs."""

    key: tuple[str, ...] = ()
    unkeyed: bool = False
    tolerance: float = 0.0


def compare(
    inputs: Mapping[str, Path],
    folder: Path,
    report: Report,
    *,
    base_name: str,
    head_name: str,
    key: list[str],
    unkeyed: bool = False,
    tolerance: float = 0.0,
) -> dict[str, Any]:
    """The whole answer as JSON carries it. A side that cannot be read is named under "problems", and what the other
    one holds is told all the same; one that is not among the inputs is an empty table. Raises ValueError for a key
    that is not there."""
    con = connect(folder)
    tables: dict[str, Table] = {}
    problems = []
    names = {"base": base_name, "head": head_name}
    for side, filename in names.items():
        if side not in inputs:
            continue
        try:
            tables[side] = reading.read(con, inputs[side], filename, folder, label=side)
        except ValueError as error:
            problems.append({"side": side, "message": str(error)})
    sides = {side: _side(table) for side, table in tables.items()}
    if problems:
        return {"problems": problems, "sides": sides}
    for side in names.keys() - tables.keys():
        tables[side] = reading.empty_like(con, next(iter(tables.values())), folder / f"{side}.parquet")
    asked = Asked(tuple(key), unkeyed, tolerance)
    return {"problems": [], "sides": sides, **_compare(con, tables["base"], tables["head"], folder, report, asked)}


def _side(table: Table) -> dict[str, Any]:
    return {
        "format": table.format,
        "rows": table.rows,
        "columns": [{"name": column.name, "type": column.type} for column in table.columns],
        "notes": table.notes,
    }


def _compare(con: Connection, base: Table, head: Table, folder: Path, report: Report, asked: Asked) -> dict[str, Any]:
    total = base.rows + head.rows
    report(0, total)
    schema = matching.by_name(base, head)
    schema = matching.with_renames(schema, matching.same_contents(con, base, head, schema), head)
    guessed = not asked.key and not asked.unkeyed
    key = keying.declared(schema, list(asked.key)) if asked.key else []
    if guessed:
        key = keying.guessed(con, base, head, schema)
    if key and schema.removed and schema.added:
        schema = matching.with_renames(schema, matching.alike_by_key(con, base, head, schema, key), head)
    made = folder / CHANGES
    with con.reporting(report, total // 10, total, total):
        found = (
            _by_key(con, base, head, schema, key, made, asked.tolerance)
            if key
            else bags.compare(con, base, head, schema, made)
        )
    shown = [pair.head.name for pair in key]
    return {
        **found,
        "key": {"columns": shown, "guessed": guessed and bool(key), "repeated": found.pop("repeated")},
        "schema": schema.shape(),
        "tolerance": asked.tolerance,
    }


# ---- by key ------------------------------------------------------------------------------------
def _by_key(
    con: Connection, base: Table, head: Table, schema: Schema, key: list[Pair], made: Path, tolerance: float
) -> dict[str, Any]:
    repeats = {
        "base": keying.repeated(con, base, [p.base.name for p in key]),
        "head": keying.repeated(con, head, [p.head.name for p in key]),
    }
    join = _join(base, head, key, numbered=any(repeats.values()))
    others = [pair for pair in schema.pairs if pair not in key]
    different = " OR ".join(pair.written_differently() for pair in others) or "false"
    status = _status(others, tolerance)
    # Sorted in a second step: sorting inside of the join's own query takes half as much again.
    unsorted = made.with_suffix(".unsorted")
    con.run(
        f"COPY (SELECT {status} AS status, coalesce(h.file_row_number, b.file_row_number) AS position, "
        f"{_changed(others, tolerance)} AS changed, {_cells(schema)} FROM {join} "
        f"WHERE b.file_row_number IS NULL OR h.file_row_number IS NULL OR {different}) "
        f"TO {literal(str(unsorted))} (FORMAT parquet)"
    )
    con.run(
        f"COPY (SELECT * FROM read_parquet({literal(str(unsorted))}) ORDER BY position, status) "
        f"TO {literal(str(made))} (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 20480)"
    )
    unsorted.unlink()
    summary = counts(con, made, base, head)
    order = False
    if not any(summary[n] for n in ("rows_added", "rows_removed", "rows_changed")) and not schema.added:
        order = bool(
            con.number(
                f"SELECT count(*) FROM (SELECT 1 FROM {join} WHERE b.file_row_number <> h.file_row_number LIMIT 1)"
            )
        )
    return {
        "summary": summary,
        "only_order_changed": order and not summary["rows_rewritten"] and not schema.removed,
        "cells": _cells_changed(con, made, others),
        "repeated": repeats,
        "pairing": "",
    }


def _join(base: Table, head: Table, key: list[Pair], *, numbered: bool) -> str:
    """base b and head h, one row per key; equal keys are paired in the order in which they come."""
    on = ["{} IS NOT DISTINCT FROM {}".format(*pair.sides()) for pair in key]
    if not numbered:
        return f"{base.numbered} b FULL JOIN {head.numbered} h ON {' AND '.join(on)}"
    sources = []
    for table, columns in ((base, [p.base.name for p in key]), (head, [p.head.name for p in key])):
        keys = ", ".join(name(column) for column in columns)
        nth = f"row_number() OVER (PARTITION BY {keys} ORDER BY file_row_number) AS {name(NTH)}"
        sources.append(f"(SELECT *, {nth} FROM {table.numbered})")
    on.append(f"b.{name(NTH)} = h.{name(NTH)}")
    return f"{sources[0]} b FULL JOIN {sources[1]} h ON {' AND '.join(on)}"


NTH = "covey nth of key"


def _status(pairs: list[Pair], tolerance: float) -> str:
    changed = " OR ".join(pair.differs(tolerance) for pair in pairs) or "false"
    return (
        "CASE WHEN b.file_row_number IS NULL THEN 'added' WHEN h.file_row_number IS NULL THEN 'removed' "
        f"WHEN {changed} THEN 'changed' ELSE 'rewritten' END"
    )


def _changed(pairs: list[Pair], tolerance: float) -> str:
    if not pairs:
        return "[]::VARCHAR[]"
    names = ", ".join(f"CASE WHEN {p.differs(tolerance)} THEN {literal(p.head.name)} END" for p in pairs)
    both = "b.file_row_number IS NULL OR h.file_row_number IS NULL"
    return f"CASE WHEN {both} THEN [] ELSE list_filter([{names}], lambda x: x IS NOT NULL) END"


def _cells(schema: Schema) -> str:
    both = [_as("b", p.base.name, "old.", p.head.name) + ", " + _as("h", p.head.name, "new.") for p in schema.pairs]
    removed = [_as("b", column.name, "old.") for column in schema.removed]
    return ", ".join(both + removed + [_as("h", column.name, "new.") for column in schema.added])


def _as(side: str, column: str, prefix: str, shown: str = "") -> str:
    return f"{side}.{name(column)} AS {name(prefix + (shown or column))}"


def counts(con: Connection, made: Path, base: Table, head: Table) -> dict[str, int]:
    """The summary, from the rows that differ."""
    found = con.rows("SELECT status, count(*), sum(len(changed)) FROM read_parquet(?) GROUP BY status", [str(made)])
    rows = {str(status): int(str(count)) for status, count, _ in found}
    cells = {str(status): int(str(count or 0)) for status, _, count in found}
    same = base.rows - sum(rows.get(status, 0) for status in ("removed", "changed", "rewritten"))
    return {
        "rows_added": rows.get("added", 0),
        "rows_removed": rows.get("removed", 0),
        "rows_changed": rows.get("changed", 0),
        "cells_changed": cells.get("changed", 0),
        "rows_rewritten": rows.get("rewritten", 0),
        "rows_unchanged": same,
        "rows_base": base.rows,
        "rows_head": head.rows,
    }


def _cells_changed(con: Connection, made: Path, pairs: list[Pair]) -> list[dict[str, Any]]:
    """Per column: changed cells, and how many of them are only rounding or white space; most changed first."""
    found = con.rows(
        "SELECT c, count(*) FROM (SELECT unnest(changed) AS c FROM read_parquet(?) WHERE status = 'changed') "
        "GROUP BY c ORDER BY count(*) DESC, c",
        [str(made)],
    )
    cells = {str(column): int(str(count)) for column, count in found}
    noise = _noise(con, made, [pair for pair in pairs if pair.head.name in cells][:MAX_NOISE_COLUMNS])
    return [{"column": column, "changed": count, "noise": noise.get(column, 0)} for column, count in cells.items()]


def _noise(con: Connection, made: Path, pairs: list[Pair]) -> dict[str, int]:
    asked = [(pair, sql) for pair in pairs if (sql := _on_changes(pair))]
    if not asked:
        return {}
    counted = ", ".join(f"count_if(list_contains(changed, {literal(p.head.name)}) AND {sql})" for p, sql in asked)
    values = con.rows(f"SELECT {counted} FROM read_parquet(?) WHERE status = 'changed'", [str(made)])[0]
    return {pair.head.name: int(str(value or 0)) for (pair, _), value in zip(asked, values, strict=True)}


def _on_changes(pair: Pair) -> str | None:
    """The noise of a pair, as SQL over the table of changes."""
    sql = pair.noise()
    if sql is None:
        return None
    old, new = name("old." + pair.head.name), name("new." + pair.head.name)
    return sql.replace(f"b.{name(pair.base.name)}", old).replace(f"h.{name(pair.head.name)}", new)
