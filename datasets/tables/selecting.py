"""Rows of a Parquet file that lies here, filtered and sorted with DuckDB: runs in the sandbox only.

Columns are named by their number and values are parameters: no text of a person becomes SQL.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from datasets.tables.conditions import condition, typed
from datasets.tables.engine import Connection, Report, connect, literal, name
from datasets.tables.names import TABLE
from datasets.tables.viewing import shown

MEMORY = "400MB"
ROW = "file_row_number"  # counts from 0


def page(
    payload: bytes,
    *,
    files: list[str],
    columns: list[int],
    filters: list[dict[str, Any]],
    sorts: list[dict[str, Any]],
    offset: int,
    limit: int,
) -> dict[str, Any]:
    """{"total": rows that match, "numbers": [row of the file, from 0 …], "rows": [[text or null of each column] …]}.

    filters: {"column", "kind", "text", "op", "value"}, all of which must hold; sorts: {"column", "kind", "text",
    "down"}, the first first. kind and text: as datasets.tables.columns says of the column.
    """
    con = connect(memory=MEMORY, threads=1)
    source, names = _source(con, files[0])
    where, values = _where(names, filters)
    total = con.number(f"SELECT count(*) FROM {source} WHERE {where}", values)
    cells = "".join(f", {name(names[number])}" for number in columns)
    found = con.rows(
        f"SELECT {ROW}{cells} FROM {source} WHERE {where} ORDER BY {_order(names, sorts)} "
        f"LIMIT {int(limit)} OFFSET {int(offset)}",
        values,
    )
    return {
        "total": total,
        "numbers": [row[0] for row in found],
        "rows": [[shown(value) for value in row[1:]] for row in found],
    }


def select(
    inputs: Mapping[str, Path],
    folder: Path,
    report: Report,
    *,
    filters: list[dict[str, Any]],
    sorts: list[dict[str, Any]],
    most: int,
) -> dict[str, Any]:
    """The same of a large file: the numbers of the first `most` rows in folder/table.parquet, with all their cells.
    {"total", "kept"}."""
    con = connect(folder)
    source, names = _source(con, str(inputs["table"]))
    where, values = _where(names, filters)
    rows = con.number(f"SELECT count(*) FROM {source}")
    total = con.number(f"SELECT count(*) FROM {source} WHERE {where}", values)
    with con.reporting(report, 0, rows, rows):
        con.run(
            f"COPY (SELECT * FROM {source} WHERE {where} ORDER BY {_order(names, sorts)} LIMIT {int(most)}) "
            f"TO {literal(str(folder / TABLE))} (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 20480)",
            values,
        )
    return {"total": total, "kept": min(total, most)}


def _source(con: Connection, path: str) -> tuple[str, list[str]]:
    """(SQL of the table with the rows' numbers, the columns' names as DuckDB has them, in the file's order)."""
    described = con.rows(f"DESCRIBE SELECT * FROM read_parquet({literal(path)})")
    return f"read_parquet({literal(path)}, {ROW} = true)", [str(row[0]) for row in described]


def _where(names: list[str], filters: list[dict[str, Any]]) -> tuple[str, list[object]]:
    parts, values = ["true"], []
    for wanted in filters:
        part, given = condition(name(names[wanted["column"]]), wanted)
        parts.append(part)
        values += given
    return " AND ".join(parts), values


def _order(names: list[str], sorts: list[dict[str, Any]]) -> str:
    """Empty cells last, equal ones as they come in the file."""
    parts = []
    for wanted in sorts:
        cell = typed(name(names[wanted["column"]]), wanted)
        parts.append(f"{cell} {'DESC' if wanted['down'] else 'ASC'} NULLS LAST")
    return ", ".join([*parts, ROW])
