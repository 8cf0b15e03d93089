"""Rows compared as a bag when nothing names a row: what one version has more often than the other, and which of the
left-over rows are best taken for changed ones.

Rows are counted by a 64-bit hash; of n distinct rows two share one by chance with a probability of n²/2⁶⁵.
"""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from typing import Any

from datasets.tables.engine import Connection, literal
from datasets.tables.matching import Schema
from datasets.tables.reading import Table

MAX_PAIRED_ROWS, MAX_PAIRED_COLUMNS = 2_000, 200  # left-over rows of either side that are still paired
MAX_CANDIDATES = 50
ENOUGH = 0.5  # share of equal cells from which two rows are one that changed


def compare(con: Connection, base: Table, head: Table, schema: Schema, made: Path) -> dict[str, Any]:
    """Write the changes (see diff.py) and count them. Keys of the answer as diff._by_key's."""
    from datasets.tables import diff

    _leftovers(con, base, head, schema)
    removed, added = con.number("SELECT count(*) FROM gone"), con.number("SELECT count(*) FROM fresh")
    pairs: list[tuple[int, int]] = []
    few = max(removed, added) <= MAX_PAIRED_ROWS and len(schema.pairs) <= MAX_PAIRED_COLUMNS
    if removed and added and few and schema.pairs:
        pairs = _paired(con, schema)
    con.run("CREATE TEMP TABLE pairs (old BIGINT, new BIGINT)")
    if pairs:
        con.run(f"INSERT INTO pairs VALUES {', '.join(f'({old}, {new})' for old, new in pairs)}")
    changed = diff._changed(schema.pairs, 0.0)
    con.run(
        "COPY (SELECT CASE WHEN b.file_row_number IS NULL THEN 'added' WHEN h.file_row_number IS NULL THEN 'removed' "
        "ELSE 'changed' END AS status, coalesce(h.file_row_number, b.file_row_number) AS position, "
        f"{changed} AS changed, {diff._cells(schema)} "
        "FROM (SELECT g.*, p.new AS covey_pair FROM gone g LEFT JOIN pairs p ON p.old = g.file_row_number) b "
        "FULL JOIN fresh h ON b.covey_pair = h.file_row_number "
        f"ORDER BY position) TO {literal(str(made))} (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 20480)"
    )
    summary = diff.counts(con, made, base, head)
    same = not removed and not added and not schema.added and not schema.removed
    return {
        "summary": summary,
        "only_order_changed": same and _order_differs(con),
        "cells": diff._cells_changed(con, made, schema.pairs),
        "repeated": {"base": 0, "head": 0},
        "pairing": "" if few or not (removed and added) else "Too many rows differ to say which of them were changed.",
    }


def _leftovers(con: Connection, base: Table, head: Table, schema: Schema) -> None:
    """Tables gone (of base) and fresh (of head): rows that one has more often, of equal ones the last."""
    con.run(f"CREATE TEMP TABLE old_hashes AS {_typed_hashes(base, schema, 0)}")
    con.run(f"CREATE TEMP TABLE new_hashes AS {_typed_hashes(head, schema, 1)}")
    for made, mine, other, table in (
        ("gone", "old_hashes", "new_hashes", base),
        ("fresh", "new_hashes", "old_hashes", head),
    ):
        con.run(
            f"CREATE TEMP TABLE {made} AS WITH more AS (SELECT m.hash, m.n - coalesce(o.n, 0) AS extra, "
            f"coalesce(o.n, 0) AS kept FROM (SELECT hash, count(*) AS n FROM {mine} GROUP BY hash) m LEFT JOIN "
            f"(SELECT hash, count(*) AS n FROM {other} GROUP BY hash) o USING (hash) WHERE m.n > coalesce(o.n, 0)), "
            f"rows AS (SELECT m.row, row_number() OVER (PARTITION BY m.hash ORDER BY m.row) AS nth, kept "
            f"FROM {mine} m JOIN more USING (hash)) "
            f"SELECT t.* FROM {table.numbered} t JOIN rows r ON r.row = t.file_row_number WHERE r.nth > r.kept"
        )


def _typed_hashes(table: Table, schema: Schema, side: int) -> str:
    """Cells are hashed in the common type of both versions, so that equal ones hash alike."""
    cells = [pair.sides("t", "t")[side] for pair in schema.pairs]
    return f"SELECT hash({', '.join(cells) or '1'}) AS hash, t.file_row_number AS row FROM {table.numbered} t"


def _order_differs(con: Connection) -> bool:
    return bool(
        con.number(
            "SELECT count(*) FROM (SELECT 1 FROM old_hashes o JOIN new_hashes n USING (row) "
            "WHERE o.hash <> n.hash LIMIT 1)"
        )
    )


# ---- which rows were changed -------------------------------------------------------------------
def _paired(con: Connection, schema: Schema) -> list[tuple[int, int]]:
    """(row of base, row of head) of left-over rows that are most alike, each used once."""
    old = _rows(con, "gone", [pair.sides("t", "t")[0] for pair in schema.pairs])
    new = _rows(con, "fresh", [pair.sides("t", "t")[1] for pair in schema.pairs])
    where: dict[tuple[int, object], list[int]] = defaultdict(list)
    for number, (_, cells) in enumerate(new):
        for column, cell in enumerate(cells):
            if cell is not None:
                where[column, cell].append(number)
    scored = []
    width = len(schema.pairs)
    for mine, (_, cells) in enumerate(old):
        for other in _candidates(cells, where):
            equal = sum(a == b for a, b in zip(cells, new[other][1], strict=True))
            if equal >= max(1, ENOUGH * width):
                scored.append((-equal, abs(old[mine][0] - new[other][0]), mine, other))
    pairs, used_old, used_new = [], set(), set()
    for _, _, mine, other in sorted(scored):
        if mine not in used_old and other not in used_new:
            used_old.add(mine)
            used_new.add(other)
            pairs.append((old[mine][0], new[other][0]))
    return pairs


def _candidates(cells: tuple[object, ...], where: dict[tuple[int, object], list[int]]) -> list[int]:
    """Rows that share the rarest cells."""
    shared = [where[column, cell] for column, cell in enumerate(cells) if cell is not None and (column, cell) in where]
    found: dict[int, None] = {}
    for rows in sorted(shared, key=len):
        found |= dict.fromkeys(rows[: MAX_CANDIDATES - len(found)])
        if len(found) >= MAX_CANDIDATES:
            break
    return list(found)


def _rows(con: Connection, table: str, cells: list[str]) -> list[tuple[int, tuple[object, ...]]]:
    texts = ", ".join(f"CAST({cell} AS VARCHAR)" for cell in cells)
    return [(int(str(row[0])), tuple(row[1:])) for row in con.rows(f"SELECT t.file_row_number, {texts} FROM {table} t")]
