"""What a table's columns hold, small enough to be kept: quantiles, frequent values, counts. Any two versions are then
compared in milliseconds (datasets.drift).

Of a column: count (of values), nulls, distinct (exact); numbers and times: nans, min, max, mean, std, quantiles (257
values, at the probabilities 0/256 … 256/256; times in seconds since 1970); text and everything else: lengths likewise;
top: the most frequent values as text with their counts, complete when distinct ≤ len(top).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from datasets.tables import reading
from datasets.tables.columns import Column
from datasets.tables.engine import Connection, Report, connect, name
from datasets.tables.names import MAX_TOP_CHARACTERS
from datasets.tables.reading import Table

QUANTILES = 256
TOP, FEW = 50, 5_000  # numbers with more distinct values than FEW have no list of frequent ones
MAX_COLUMNS = 1_000


def sketch(inputs: Mapping[str, Path], folder: Path, report: Report, *, filename: str) -> dict[str, Any]:
    """{"rows", "columns": [...], "left_out": how many columns, "notes"}. Raises ValueError. O(rows) memory of one
    column at a time."""
    con = connect(folder)
    table = reading.read(con, inputs["table"], filename, folder, label="table")
    found = []
    for number, column in enumerate(table.columns[:MAX_COLUMNS]):
        report(number * table.rows, len(table.columns) * table.rows)
        found.append({"name": column.name, "type": column.type, "kind": column.kind} | _column(con, table, column))
    left_out = max(0, len(table.columns) - MAX_COLUMNS)
    return {"rows": table.rows, "columns": found, "left_out": left_out, "notes": table.notes}


def _column(con: Connection, table: Table, column: Column) -> dict[str, Any]:
    if column.is_number or column.kind == "time":
        return _numbers(con, table, column)
    cell = name(column.name)
    values, distinct = con.rows(f"SELECT count({cell}), count(DISTINCT {cell}) FROM {table.sql}")[0]
    count = int(str(values))
    lengths = {}
    if column.kind == "text":
        lengths = {
            "lengths": _spread(_array(con, f"SELECT length({cell}) AS v FROM {table.sql} WHERE {cell} IS NOT NULL"))
        }
    return {
        "count": count,
        "nulls": table.rows - count,
        "distinct": int(str(distinct)),
        "top": _top(con, table, f"CAST({cell} AS VARCHAR)"),
        **lengths,
    }


def _numbers(con: Connection, table: Table, column: Column) -> dict[str, Any]:
    import numpy

    cell = _as_number(column)
    values = _array(con, f"SELECT {cell} AS v FROM {table.sql} WHERE {cell} IS NOT NULL")
    finite = values[numpy.isfinite(values)]
    spread = _spread(finite)
    distinct = spread.pop("distinct")
    top = _top(con, table, f"CAST({name(column.name)} AS VARCHAR)") if 0 < distinct <= FEW else []
    return {
        "count": len(finite),
        "nulls": table.rows - len(values),
        "nans": len(values) - len(finite),
        "distinct": distinct,
        "top": top,
        **spread,
    }


def _as_number(column: Column) -> str:
    cell = name(column.name)
    if column.kind != "time":
        return f"TRY_CAST({cell} AS DOUBLE)"
    if column.type.startswith("time") and not column.type.startswith("timestamp"):
        return f"epoch({cell})"
    return f"epoch(TRY_CAST({cell} AS TIMESTAMP))"


def _array(con: Connection, sql: str) -> Any:
    import numpy

    try:
        found = con.base.execute(sql).fetchnumpy()["v"]
    except Exception as error:  # whatever a column of strangers makes the engine say
        raise ValueError("A column cannot be summed up.") from error
    return numpy.asarray(numpy.ma.compressed(found) if numpy.ma.isMaskedArray(found) else found, dtype="float64")


def _spread(values: Any) -> dict[str, Any]:
    import numpy

    if not len(values):
        return {"distinct": 0, "min": None, "max": None, "mean": None, "std": None, "quantiles": []}
    values = numpy.sort(values)
    places = numpy.linspace(0, len(values) - 1, QUANTILES + 1).round().astype("int64")
    return {
        "distinct": int((values[1:] != values[:-1]).sum()) + 1,
        "min": float(values[0]),
        "max": float(values[-1]),
        "mean": _known(values.mean()),
        "std": _known(values.std()),
        "quantiles": [float(value) for value in values[places]],
    }


def _known(value: Any) -> float | None:
    """None for what overflowed."""
    return float(value) if math.isfinite(value) else None


def _top(con: Connection, table: Table, text: str) -> list[list[Any]]:
    found = con.rows(
        f"SELECT left({text}, {MAX_TOP_CHARACTERS}) AS v, count(*) AS n FROM {table.sql} WHERE {text} IS NOT NULL "
        f"GROUP BY v ORDER BY n DESC, v LIMIT {TOP}"
    )
    return [[str(value), int(str(count))] for value, count in found]
