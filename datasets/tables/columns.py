"""What a column is: its type as people read it, and how its values are compared."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from datasets.tables.engine import Connection, name

SAMPLE_ROWS = 5_000
_INTEGERS = {"TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT"}
_TIMES = ("DATE", "TIME", "TIMESTAMP", "INTERVAL")


@dataclass(frozen=True)
class Column:
    """type: DuckDB's, or for text files what all values look like. kind: integer, number, text, time, boolean, other.

    text: the values are kept as the characters of a text file.
    """

    name: str
    type: str
    kind: str
    text: bool = False

    @property
    def is_number(self) -> bool:
        return self.kind in {"integer", "number"}

    def shape(self) -> dict[str, Any]:
        return asdict(self)


def of(described: list[tuple[str, str]]) -> list[Column]:
    """Columns of a typed file; described: (name, DuckDB's type)."""
    return [Column(column, type_.lower(), _kind(type_)) for column, type_ in described]


def _kind(type_: str) -> str:
    if type_ in _INTEGERS:
        return "integer"
    if type_ in {"FLOAT", "DOUBLE"} or type_.startswith("DECIMAL"):
        return "number"
    if type_.startswith(_TIMES) and not type_.endswith("[]"):
        return "time"
    return {"VARCHAR": "text", "BOOLEAN": "boolean"}.get(type_, "other")


def of_text(con: Connection, path: Path, described: list[tuple[str, str]]) -> list[Column]:
    """Columns of a file whose cells are text: a type counts when every cell that is not empty has it.

    "007" is no number: what begins with a zero is a name.
    """
    names = [column for column, _ in described]
    likely = _like(con, f"(SELECT * FROM read_parquet(?) LIMIT {SAMPLE_ROWS})", path, names)
    sure = _like(con, "read_parquet(?)", path, [n for n in names if likely[n] != "text"])
    return [Column(n, sure.get(n, "text"), _text_kind(sure.get(n, "text")), text=True) for n in names]


def _text_kind(type_: str) -> str:
    return {"integer": "integer", "decimal": "number", "date": "time", "timestamp": "time"}.get(type_, type_)


def _like(con: Connection, source: str, path: Path, names: list[str]) -> dict[str, str]:
    """What every value of each column looks like: integer, decimal, boolean, date, timestamp or text."""
    found: dict[str, str] = {}
    for start in range(0, len(names), 200):
        batch = names[start : start + 200]
        asked = ", ".join(_question(n) for n in batch)
        values = con.rows(f"SELECT {asked} FROM {source}", [str(path)])[0]
        for number, column in enumerate(batch):
            found[column] = _answer([int(str(v or 0)) for v in values[number * 6 : number * 6 + 6]])
    return found


def _question(column: str) -> str:
    c = name(column)
    return (
        f"count({c}), count(TRY_CAST({c} AS BIGINT)) - count_if(regexp_matches({c}, '^\\s*[+-]?0\\d|\\.')), "
        f"count(TRY_CAST({c} AS DOUBLE)) - count_if(regexp_matches({c}, '^\\s*[+-]?0\\d')), "
        f"count_if(lower({c}) IN ('true', 'false')), "
        f"count(TRY_CAST({c} AS DATE)) - count_if(length({c}) > 10), count(TRY_CAST({c} AS TIMESTAMP))"
    )


def _answer(counts: list[int]) -> str:
    values, *like = counts
    if not values:
        return "text"
    for type_, count in zip(("integer", "decimal", "boolean", "date", "timestamp"), like, strict=True):
        if count == values:
            return type_
    return "text"
