"""JSON lines as Parquet, with the types that the values have; lines that are no object are counted and left out."""

from __future__ import annotations

import json
from pathlib import Path

from datasets.tables import texts
from datasets.tables.engine import Connection, literal

OPTIONS = "format = 'newline_delimited', records = true, sample_size = -1, maximum_object_size = 16777216"


def to_parquet(con: Connection, path: Path, made: Path, clean: Path) -> list[str]:
    """Write the table of a file at made; what the reader of it must know. Raises ValueError."""
    path, notes = texts.as_utf8(path, clean)
    try:
        _copy(con, path, made)
    except ValueError:
        lines = clean.with_suffix(".objects")
        notes += _objects(path, lines)
        _copy(con, lines, made)
    return notes


def _copy(con: Connection, path: Path, made: Path) -> None:
    con.run(f"COPY (SELECT * FROM read_json(?, {OPTIONS})) TO {literal(str(made))} (FORMAT parquet)", [str(path)])


def _objects(path: Path, made: Path) -> list[str]:
    """Only the lines that are JSON objects."""
    broken = kept = 0
    with open(path, encoding="utf-8-sig") as lines, open(made, "w", encoding="utf-8") as out:
        for line in lines:
            if not line.strip():
                continue
            try:
                value = json.loads(line)
            except (ValueError, RecursionError):
                value = None
            if isinstance(value, dict) and line.count("[") + line.count("{") < 100_000:
                kept += 1
                out.write(line if line.endswith("\n") else line + "\n")
            else:
                broken += 1
    if not kept:
        raise ValueError("No line of this file is a JSON object.")
    return [f"Lines that are no JSON objects: {broken:,}; they are left out."] if broken else []
