"""Which columns name a row: as declared, or guessed."""

from __future__ import annotations

import re

from datasets.tables.engine import Connection, name
from datasets.tables.matching import Pair, Schema
from datasets.tables.reading import Table

SAMPLE_ROWS = 20_000
OVERLAP = 0.5  # share of the smaller version's keys that the other must have, for a guess to make sense
MAX_COLUMNS_TRIED, MAX_PAIRS_TRIED = 60, 30
KEY_KINDS = {"integer", "text", "time"}
_NAMED = re.compile(
    r"(^|[^a-z])(id|key|uuid|guid|uid|index|code|name|file|filename|path|date|time|timestamp)$", re.IGNORECASE
)


def declared(schema: Schema, wanted: list[str]) -> list[Pair]:
    """The key's columns. Raises ValueError naming what is not there."""
    known = {pair.head.name: pair for pair in schema.pairs} | {pair.base.name: pair for pair in schema.pairs}
    missing = [column for column in wanted if column not in known]
    if missing:
        raise ValueError(f"There is no column {missing[0][:100]!r} in both versions to be the key.")
    return [known[column] for column in wanted]


def guessed(con: Connection, base: Table, head: Table, schema: Schema) -> list[Pair]:
    """Columns unique and never empty in both versions, most of whose values both have; [] when there are none.

    One column, else two; first those that are named like a key.
    """
    if not base.rows or not head.rows:
        return []
    usable = [p for p in schema.pairs if _may_be_key(p)]
    usable.sort(key=lambda pair: not _NAMED.search(pair.head.name))  # stable: then by position
    usable = usable[:MAX_COLUMNS_TRIED]
    distinct = _distinct_in_sample(con, head, usable)
    rows = min(SAMPLE_ROWS, head.rows)
    for pair in usable:
        if distinct[pair.head.name] == rows and _holds(con, base, head, [pair]):
            return [pair]
    tried = 0
    for number, one in enumerate(usable):
        for two in usable[number + 1 :]:
            if distinct[one.head.name] * distinct[two.head.name] < rows or tried >= MAX_PAIRS_TRIED:
                continue
            tried += 1
            if _unique_in_sample(con, head, [one, two]) and _holds(con, base, head, [one, two]):
                return [one, two]
    return []


def repeated(con: Connection, table: Table, columns: list[str]) -> int:
    """How many rows have a key that another row has too."""
    keys = ", ".join(name(column) for column in columns)
    if len(columns) == 1 and _ascends(con, table, columns[0]):
        return 0
    if len(columns) == 1:
        found = con.rows(f"SELECT count(*) - count(DISTINCT {keys}) - count_if({keys} IS NULL) FROM {table.sql}")
        if not found[0][0]:
            return 0
    return con.number(
        f"SELECT coalesce(sum(n), 0) FROM (SELECT count(*) AS n FROM {table.sql} GROUP BY {keys} HAVING n > 1)"
    )


def _ascends(con: Connection, table: Table, column: str) -> bool:
    """Whether each value is greater than the one before it, as keys that count up are: none is repeated then, which
    takes a fifth of what a set of them does. Only the first row has none before it, if all rows are one sequence."""
    if table.column(column).kind not in KEY_KINDS:
        return False
    key = name(column)
    rows = f"(SELECT {key} AS value, lag({key}) OVER () AS before FROM {table.sql})"
    return con.number(f"SELECT count(*) - count_if(value > before) FROM {rows}") <= 1


def _may_be_key(pair: Pair) -> bool:
    if pair.type_changed and not (pair.base.kind == pair.head.kind == "integer"):
        return False
    return pair.head.kind in KEY_KINDS


def _distinct_in_sample(con: Connection, table: Table, pairs: list[Pair]) -> dict[str, int]:
    if not pairs:
        return {}
    asked = ", ".join(f"count(DISTINCT {name(pair.head.name)})" for pair in pairs)
    values = con.rows(f"SELECT {asked} FROM (SELECT * FROM {table.sql} LIMIT {SAMPLE_ROWS})")[0]
    return {pair.head.name: int(str(value)) for pair, value in zip(pairs, values, strict=True)}


def _unique_in_sample(con: Connection, table: Table, pairs: list[Pair]) -> bool:
    keys = ", ".join(name(pair.head.name) for pair in pairs)
    sample = f"(SELECT {keys} FROM {table.sql} LIMIT {SAMPLE_ROWS})"
    return con.number(f"SELECT count(*) FROM (SELECT DISTINCT {keys} FROM {sample})") == min(SAMPLE_ROWS, table.rows)


def _holds(con: Connection, base: Table, head: Table, key: list[Pair]) -> bool:
    """Unique and never empty in both, with enough in common."""
    for table, columns in ((base, [p.base.name for p in key]), (head, [p.head.name for p in key])):
        empty = " OR ".join(f"{name(column)} IS NULL" for column in columns)
        if con.number(f"SELECT count(*) FROM {table.sql} WHERE {empty}") or repeated(con, table, columns):
            return False
    on = " AND ".join("{} = {}".format(*pair.sides()) for pair in key)
    both = con.number(f"SELECT count(*) FROM {base.sql} b JOIN {head.sql} h ON {on}")
    return both >= OVERLAP * min(base.rows, head.rows)
