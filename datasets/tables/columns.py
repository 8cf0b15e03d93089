"""What a column is: its type as people read it, and how its values are compared."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from datasets.tables.engine import Connection, name

SAMPLE_ROWS, BATCH_COLUMNS = 500, 200
# How many values of a column {c} look like each type. Of those that fit all values the first counts.
_LOOKS = {
    "integer": "count(TRY_CAST({c} AS BIGINT)) - count_if(regexp_matches({c}, '^\\s*[+-]?0\\d|\\.'))",
    "decimal": "count(TRY_CAST({c} AS DOUBLE)) - count_if(regexp_matches({c}, '^\\s*[+-]?0\\d'))",
    "boolean": "count_if(lower({c}) IN ('true', 'false'))",
    "date": "count(TRY_CAST({c} AS DATE)) - count_if(length({c}) > 10)",
    "timestamp": "count(TRY_CAST({c} AS TIMESTAMP))",
}
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
    sample = f"(SELECT * FROM read_parquet(?) LIMIT {SAMPLE_ROWS})"
    likely = _like(con, sample, path, {column: list(_LOOKS) for column, _ in described})
    sure = _like(con, "read_parquet(?)", path, {n: types for n, (_, types) in likely.items() if types})
    types = {n: types[0] for n, (values, types) in sure.items() if values and types}
    return [Column(n, types.get(n, "text"), _text_kind(types.get(n, "text")), text=True) for n in likely]


def _text_kind(type_: str) -> str:
    return {"integer": "integer", "decimal": "number", "date": "time", "timestamp": "time"}.get(type_, type_)


def _like(con: Connection, source: str, path: Path, asked: dict[str, list[str]]) -> dict[str, tuple[int, list[str]]]:
    """Of each column how many values it has, and which of the types asked about all of them look like. Each type costs
    a look at every cell: what a few rows rule out is not asked of the rest."""
    found: dict[str, tuple[int, list[str]]] = {}
    wanted = list(asked.items())
    for start in range(0, len(wanted), BATCH_COLUMNS):
        batch = wanted[start : start + BATCH_COLUMNS]
        questions = [f"count({name(n)}), {', '.join(_LOOKS[t].format(c=name(n)) for t in types)}" for n, types in batch]
        counts = iter(con.rows(f"SELECT {', '.join(questions)} FROM {source}", [str(path)])[0])
        for column, types in batch:
            values = int(str(next(counts)))
            found[column] = values, [t for t in types if int(str(next(counts) or 0)) == values]
    return found
