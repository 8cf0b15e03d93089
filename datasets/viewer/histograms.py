"""What a column of one table holds, as bars that can be clicked: each is the filter that chooses its rows."""

from __future__ import annotations

import datetime
from dataclasses import dataclass, field
from typing import Any

from datasets.comparison import drift
from datasets.tables.names import MAX_TOP_CHARACTERS

FEW = MOST_BARS = 20
HEIGHT = 24


@dataclass(frozen=True)
class Bar:
    """share: of the column's values, 0 to 1. filters: (op, value) that together choose its rows; () for none."""

    label: str
    share: float
    count: int
    filters: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Histogram:
    """statistics: (name, value) pairs. ordered: the bars are ranges of numbers or times, in order."""

    bars: list[Bar]
    statistics: list[tuple[str, Any]]
    ordered: bool
    most: float = 1.0
    boxes: list[tuple[int, float, float]] = field(default_factory=list)


def histogram(sketch: dict[str, Any], *, rows: int) -> Histogram:
    """sketch: of one column (datasets.tables.sketches)."""
    kind, distinct, count = sketch["kind"], sketch["distinct"], sketch["count"]
    ranges = kind in {"integer", "number", "time"} and not (kind == "integer" and 0 < distinct <= FEW)
    bars = _ranges(sketch) if ranges else _values(sketch)
    if not ranges and distinct > MOST_BARS and all(bar.count == 1 for bar in bars):
        bars = []  # names and sentences: no value says anything of the others
    known: list[tuple[str, Any]] = [("Values", count), ("Empty", sketch["nulls"]), ("Distinct", distinct)]
    if sketch.get("nans"):
        known.append(("Not a number", sketch["nans"]))
    if kind in {"integer", "number", "time"} and count:
        known += [(name.capitalize(), _written(sketch[name], kind)) for name in ("min", "max")]
        known += [("Median", _written(sketch["quantiles"][len(sketch["quantiles"]) // 2], kind))]
        known += [("Mean", _written(sketch["mean"], kind))]
        known += [("Standard deviation", sketch["std"])] if kind != "time" else []
    if lengths := sketch.get("lengths"):
        known += [("Shortest", lengths["min"]), ("Longest", lengths["max"])] if lengths["min"] is not None else []
    most = max((bar.share for bar in bars), default=0.0) or 1.0
    boxes = [(n, HEIGHT * (1 - bar.share / most), HEIGHT * bar.share / most) for n, bar in enumerate(bars)]
    return Histogram(bars, known, ranges, most, boxes)


def _ranges(sketch: dict[str, Any]) -> list[Bar]:
    kind, count = sketch["kind"], sketch["count"]
    edges, shares = drift.histogram(sketch)
    bars = []
    for number, share in enumerate(shares):
        low, high = edges[number], edges[number + 1]
        last = number == len(shares) - 1
        filters = (("ge" if number == 0 else "gt", bound(low, kind)), ("le", bound(high, kind)))
        label = f"{_short(low, kind)} – {_short(high, kind)}" if high > low else _short(low, kind)
        # The lowest and the highest may be rounded on their way through the sketch; beyond them there is nothing.
        chosen = filters[1 if number == 0 else 0 : 1 if last else 2]
        bars.append(Bar(label, share, round(share * count), chosen or filters))
    return bars


def _values(sketch: dict[str, Any]) -> list[Bar]:
    count = max(1, sketch["count"])
    bars = []
    for value, times in sketch["top"][:MOST_BARS]:
        op = "starts" if len(value) >= MAX_TOP_CHARACTERS else "eq"
        filters = ((op, value),) if sketch["kind"] != "other" else ()
        bars.append(Bar(value, times / count, times, filters))
    return bars


def bound(number: float, kind: str) -> str:
    """As a filter takes it."""
    if kind == "time":
        return _moment(number)
    return str(int(number)) if number == int(number) and abs(number) < 2**53 else repr(number)


def _short(number: float, kind: str) -> str:
    """For people; the filter behind it is exact."""
    return _moment(number)[:19] if kind == "time" else f"{number:,.4g}" if abs(number) < 1e5 else f"{number:.4g}"


def _written(number: float | None, kind: str) -> float | str | None:
    return _moment(number) if kind == "time" and number is not None else number


def _moment(seconds: float) -> str:
    try:
        moment = datetime.datetime(1970, 1, 1) + datetime.timedelta(seconds=seconds)
    except OverflowError:
        return f"{seconds:g} s"
    day = moment.time() == datetime.time()
    return moment.date().isoformat() if day else moment.isoformat(" ")
