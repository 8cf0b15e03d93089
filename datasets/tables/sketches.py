"""What a table's columns hold, small enough to be kept: quantiles, frequent values, counts. Any two versions are then
compared in milliseconds (datasets.comparison.drift).

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
MAX_COLUMNS, MAX_NESTING = 1_000, 8


def sketch(inputs: Mapping[str, Path], folder: Path, report: Report, *, filename: str) -> dict[str, Any]:
    """{"rows", "columns": [...], "left_out": how many columns, "notes"}. Raises ValueError. O(rows) memory of one
    column at a time."""
    con = connect(folder)
    table = reading.read(con, inputs["table"], filename, folder, label="table")
    found = []
    wanted = [column for column in table.columns if not _is_deep(column)][:MAX_COLUMNS]
    for number, column in enumerate(wanted):
        report(number * table.rows, len(wanted) * table.rows)
        found.append({"name": column.name, "type": column.type, "kind": column.kind} | _column(con, table, column))
    left_out = len(table.columns) - len(wanted)
    return {"rows": table.rows, "columns": found, "left_out": left_out, "notes": table.notes}


def count(inputs: Mapping[str, Path], folder: Path, report: Report, *, filename: str) -> dict[str, int]:
    """{"rows"}. Raises ValueError."""
    return {"rows": reading.read(connect(folder), inputs["table"], filename, folder, label="table").rows}


def _is_deep(column: Column) -> bool:
    """Lists in lists in lists: each level takes DuckDB twice the time, even to count them."""
    return sum(column.type.count(word) for word in ("[]", "struct(", "map(")) > MAX_NESTING


def _column(con: Connection, table: Table, column: Column) -> dict[str, Any]:
    if column.is_number or column.kind == "time":
        return _numbers(con, table, column)
    _hold(con, table, column)
    counts = con.rows("SELECT coalesce(sum(n), 0), count(*) FROM held")[0]
    count, distinct = (int(str(number)) for number in counts)
    return {
        "count": count,
        "nulls": table.rows - count,
        "distinct": distinct,
        "top": _top(con),
        **({"lengths": _lengths(con)} if column.kind == "text" else {}),
    }


def _hold(con: Connection, table: Table, column: Column) -> None:
    """Every value once, as text: what is frequent, and how long, is read from these."""
    cell = name(column.name)
    con.run(
        f"CREATE OR REPLACE TEMP TABLE held AS SELECT CAST({cell} AS VARCHAR) AS v, count(*) AS n FROM {table.sql} "
        f"WHERE {cell} IS NOT NULL GROUP BY {cell}"
    )


def _lengths(con: Connection) -> dict[str, Any]:
    """The spread of the lengths of what is held."""
    import numpy

    found = con.rows("SELECT length(v) AS l, sum(n) FROM held GROUP BY l ORDER BY l")
    lengths, times = ([int(str(row[n])) for row in found] for n in (0, 1))
    return _spread(numpy.asarray(lengths, dtype="float64"), numpy.asarray(times, dtype="int64"))


def _numbers(con: Connection, table: Table, column: Column) -> dict[str, Any]:
    import numpy

    cell = _as_number(column)
    values = _array(con, f"SELECT {cell} AS v FROM {table.sql} WHERE {cell} IS NOT NULL")
    finite = values[numpy.isfinite(values)]
    finite.sort()
    spread = _spread(finite)
    distinct = spread.pop("distinct")
    few = 0 < distinct <= FEW
    if few:
        _hold(con, table, column)
    return {
        "count": len(finite),
        "nulls": table.rows - len(values),
        "nans": len(values) - len(finite),
        "distinct": distinct,
        "top": _top(con) if few else [],
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


def _spread(values: Any, times: Any = None) -> dict[str, Any]:
    """Of values in order; times: how often each is there, once by default."""
    import numpy

    if not len(values):
        return {"distinct": 0, "min": None, "max": None, "mean": None, "std": None, "quantiles": []}
    total = len(values) if times is None else int(times.sum())
    places = numpy.linspace(0, total - 1, QUANTILES + 1).round().astype("int64")
    if times is not None:
        places = numpy.searchsorted(numpy.cumsum(times), places, side="right")
    mean = numpy.average(values, weights=times)
    return {
        "distinct": int(numpy.count_nonzero(values[1:] != values[:-1])) + 1,
        "min": float(values[0]),
        "max": float(values[-1]),
        "mean": _known(mean),
        "std": _known(math.sqrt(numpy.average((values - mean) ** 2, weights=times))),
        "quantiles": [float(value) for value in values[places]],
    }


def _known(value: Any) -> float | None:
    """None for what overflowed."""
    return float(value) if math.isfinite(value) else None


def _top(con: Connection) -> list[list[Any]]:
    """The most frequent of what is held."""
    found = con.rows(
        f"SELECT left(v, {MAX_TOP_CHARACTERS}) AS shown, sum(n) AS times FROM held WHERE v IS NOT NULL GROUP BY v "
        f"ORDER BY times DESC, shown LIMIT {TOP}"
    )
    return [[str(value), int(str(number))] for value, number in found]
