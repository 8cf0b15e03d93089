"""The values and statistics of many runs as JSON: by column, and each text once, so that 5,000 runs stay small."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from django.http import QueryDict

from experiments import asking, colours
from experiments.charts import address, statistics, values
from experiments.charts.picking import Chosen
from experiments.charts.values import Column, Value
from experiments.shapes import plain
from experiments.table.columns import parse, written
from hub.lib.errors import Invalid
from hub.lib.numbers import whole

MOST_TEXTS = 200  # of one column: the commonest; the others are told apart no more
DIGITS = 17


def table(asked: Chosen, given: QueryDict) -> dict[str, Any]:
    """?columns=a,b: the values of these runs, newest first; ?ids=1: who they are; ?digits=5: rounded."""
    read = values.read(asked, _columns(asked, given))
    digits = _digits(given)
    found: dict[str, Any] = {
        "total": read.total,
        "runs": len(read.ids),
        "columns": [_column(column, digits) for column in read.columns],
    }
    if given.get("ids") == "1":
        found |= {"ids": read.ids, "names": read.names, "hues": [colours.hue(one) for one in read.ids]}
    return found


def importance(asked: Chosen, given: QueryDict) -> dict[str, Any]:
    """?metric=: how much each param matters to it."""
    metric = _metric(given)
    runs, found = statistics.importance(asked, metric)
    return {"metric": metric, "runs": runs, "least": statistics.LEAST_RUNS, "params": [asdict(one) for one in found]}


def boxes(asked: Chosen, given: QueryDict) -> dict[str, Any]:
    """?metric= by ?by=, a column."""
    by, value = _named(given, "by"), written("metrics", _metric(given))
    read = values.read(asked, [by, value])
    found, left_out = statistics.boxes(read, by, value)
    return {
        "by": by,
        "value": value,
        "total": read.total,
        "left_out": left_out,
        "boxes": [asdict(one) for one in found],
    }


def pareto(asked: Chosen, given: QueryDict) -> dict[str, Any]:
    """The runs that are best in two columns, ?x= and ?y=; ?better=max,min says which way is better in each."""
    x, y = _named(given, "x"), _named(given, "y")
    better = given.get("better", "min,min").split(",")
    if len(better) != 2 or not set(better) <= {"max", "min"}:
        raise Invalid("better= must say max or min for x and for y.", details="For example better=max,min.")
    read = values.read(asked, [x, y])
    points = list(zip(read.column(x).values, read.column(y).values, strict=True))
    front = statistics.front(points, more_x=better[0] == "max", more_y=better[1] == "max")
    best = [{"run_id": read.ids[i], "name": read.names[i], "x": points[i][0], "y": points[i][1]} for i in front]
    return {"x": x, "y": y, "better": better, "total": read.total, "front": best}


def _columns(asked: Chosen, given: QueryDict) -> Sequence[str]:
    named = address.axes(given)
    return values.suggested(asked) if named is None else named


def _named(given: QueryDict, name: str) -> str:
    """Raises Invalid."""
    column = asking.plain(given.get(name, ""))
    if not values.is_column(column):
        raise Invalid(
            f"{name}= must name a column, not {column[:60]!r}.",
            details=f"metrics.…, params.…, tags.…, {', '.join(values.ATTRIBUTES)}.",
        )
    return column


def _metric(given: QueryDict) -> str:
    """metric=, by its own name or as a column."""
    named = asking.plain(given.get("metric", ""))
    column = parse(named)
    return (
        column.key if column and column.kind == "metrics" and not column.aggregate else named.removeprefix("metrics.")
    )


def _digits(given: QueryDict) -> int:
    return whole(given.get("digits", ""), least=1, most=DIGITS) or DIGITS


def _column(column: Column, digits: int) -> dict[str, Any]:
    if column.numeric:
        return {"name": column.name, "kind": "number", "values": [_rounded(one, digits) for one in column.values]}
    common = Counter(text for text in column.values if isinstance(text, str)).most_common()
    texts = sorted(str(text) for text, _ in common[:MOST_TEXTS])
    place: dict[Value, int] = {text: i for i, text in enumerate(texts)}
    return {
        "name": column.name,
        "kind": "text",
        "texts": texts,
        "others": max(0, len(common) - MOST_TEXTS),
        "values": [place.get(text) for text in column.values],
    }


def _rounded(value: Value, digits: int) -> float | str | None:
    if not isinstance(value, float) or digits >= DIGITS:
        return plain(value) if isinstance(value, float) else value
    shown = plain(value)
    return float(f"{shown:.{digits}g}") if isinstance(shown, float) else shown
