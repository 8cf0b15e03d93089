"""One page of what a comparison wrote, for the pages of the hub: runs in the sandbox's short calls."""

from __future__ import annotations

import datetime
import decimal
import json
import math
from collections.abc import Sequence
from typing import Any

from datasets.tables.conditions import condition
from datasets.tables.engine import connect, literal, name

MEMORY = "200MB"
MAX_CELL_CHARACTERS = 300
MAX_COLUMNS = 200


def rows(
    payload: bytes,
    *,
    files: list[str],
    statuses: list[str],
    columns: list[str],
    changed: str = "",
    filters: Sequence[dict[str, str]] = (),
    offset: int = 0,
    limit: int = 100,
) -> dict[str, Any]:
    """A page of diff.py's changes: {"total": rows that match, "rows": [{"status", "position", "changed", "cells"}]}.

    columns: names to show, in order; cells: one [old, new] for each, as text, null when the side has none.
    changed: only rows in which this column changed. filters: {"column": its name, "kind", "op", "value"}: only rows
    that fulfilled them all before, or do so now.
    """
    con = connect(memory=MEMORY, threads=1)
    source = f"read_parquet({literal(files[0])})"
    where, parameters = _where(statuses, changed)
    known = {str(row[0]) for row in con.rows(f"DESCRIBE SELECT * FROM {source}")}
    if filters:
        chosen, values = _on_one_side(filters, known)
        where, parameters = f"{where} AND {chosen}", [*parameters, *values]
    total = con.number(f"SELECT count(*) FROM {source} WHERE {where}", parameters)
    shown = columns[:MAX_COLUMNS]
    cells = [f"{name(side + c)}" if side + c in known else "NULL" for c in shown for side in ("old.", "new.")]
    found = con.rows(
        f"SELECT status, position, changed{''.join(', ' + cell for cell in cells)} FROM {source} WHERE {where} "
        f"LIMIT {int(limit)} OFFSET {int(offset)}",
        parameters,
    )
    return {
        "total": total,
        "rows": [
            {
                "status": row[0],
                "position": row[1],
                "changed": row[2],
                "cells": [[cell(row[3 + 2 * n]), cell(row[4 + 2 * n])] for n in range(len(shown))],
            }
            for row in found
        ],
    }


def _where(statuses: list[str], changed: str) -> tuple[str, list[object]]:
    where, parameters = "list_contains(?::VARCHAR[], status)", [statuses]
    if changed:
        return where + " AND list_contains(changed, ?)", [statuses, changed]
    return where, list(parameters)


def _on_one_side(filters: Sequence[dict[str, str]], known: set[str]) -> tuple[str, list[object]]:
    sides, parameters = [], list[object]()
    for side in ("old.", "new."):
        parts = []
        for wanted in filters:
            cell = name(side + wanted["column"]) if side + wanted["column"] in known else "NULL"
            part, values = condition(cell, {**wanted, "text": True})
            parts.append(part)
            parameters += values
        sides.append(f"({' AND '.join(parts)})")
    return f"({' OR '.join(sides)})", parameters


def files(
    payload: bytes,
    *,
    files: list[str],
    statuses: list[str],
    text: str = "",
    unfold: bool = False,
    offset: int = 0,
    limit: int = 100,
) -> dict[str, Any]:
    """A page of entries.py's changes: {"total", "rows": [{"status", "path", "old_path", "old_hash", "hash"}]}.

    text: only paths that hold it, in any case. unfold: also the files of folders that moved as a whole.
    """
    con = connect(memory=MEMORY, threads=1)
    source = f"read_parquet({literal(files[0])})"
    where = "list_contains(?::VARCHAR[], status)"
    parameters: list[object] = [statuses]
    if text:
        where += " AND (contains(lower(path), ?) OR contains(lower(coalesce(old_path, '')), ?))"
        parameters += [text.lower(), text.lower()]
    if not unfold:
        where += " AND moved_from IS NULL"
    total = con.number(f"SELECT count(*) FROM {source} WHERE {where}", parameters)
    names = ("status", "path", "old_path", "old_hash", "hash")
    found = con.rows(
        f"SELECT {', '.join(names)} FROM {source} WHERE {where} LIMIT {int(limit)} OFFSET {int(offset)}", parameters
    )
    return {"total": total, "rows": [dict(zip(names, row, strict=True)) for row in found]}


def cell(value: Any) -> str | None:
    """A value as people read it; null stays null."""
    if value is None or isinstance(value, str):
        text = value
    elif isinstance(value, bool):
        text = "true" if value else "false"
    elif isinstance(value, float):
        text = repr(value) if math.isfinite(value) else {"nan": "NaN", "inf": "Infinity"}.get(str(value), "-Infinity")
    elif isinstance(value, (bytes, bytearray)):
        text = f"{len(value):,} bytes"
    elif isinstance(value, (int, decimal.Decimal, datetime.date, datetime.time, datetime.timedelta)):
        text = str(value)
    else:
        text = json.dumps(value, ensure_ascii=False, default=str)
    return text if text is None or len(text) <= MAX_CELL_CHARACTERS else text[:MAX_CELL_CHARACTERS] + "…"
