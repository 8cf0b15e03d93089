"""Curves of a metric, reduced by the database: it groups a million points into buckets and sends only those.

The caller has made sure that the runs may be read. NaN and infinite values are left out.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from operator import itemgetter
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Executable,
    FromClause,
    Numeric,
    Select,
    cast,
    func,
    literal,
    select,
    text,
    union_all,
)

from experiments.database import NUMBERS, Reader, is_postgresql, metrics, reading, runs

BUCKETS, LEAST_BUCKETS, MOST_BUCKETS = 1000, 50, NUMBERS  # of one curve
ALL_BUCKETS = 20_000  # of all curves of one chart
DRAWABLE = 1e300  # larger values stand for infinity, and their mean would overflow
LARGEST = 2**63 - 1  # of steps and milliseconds
AXES = ("step", "time", "wall")


@dataclass(frozen=True)
class Curve:
    """points: how many were logged. axis: "step", "time" (seconds since its first), "wall" (ms since 1970) or
    "metrics.…", another metric. width: positions of a bucket, as its axis counts (steps, for another metric).

    x, y, low, high have one value per bucket: its first position (the mean of the other metric), mean, least and
    greatest value. One point per position when there were few.
    """

    run_id: str
    key: str
    axis: str
    points: int
    x: list[float]
    y: list[float]
    low: list[float]
    high: list[float]
    width: float = 1


@dataclass(frozen=True)
class Span:
    """What a curve covers: its first and last position, as the table counts them (steps, or milliseconds).
    points: None: its buckets count them."""

    points: int | None
    first: int
    last: int
    zero: int  # what x counts from

    def of(self, rows: Sequence[Any]) -> int:
        """Points of the whole curve. rows: its buckets, see grouped."""
        return sum(row[5] for row in rows) if self.points is None else self.points


def curve(run_id: str, key: str) -> Curve:
    """An unknown key is an empty curve."""
    found = curves([run_id], key)
    return found[0] if found else Curve(run_id, key, "step", 0, [], [], [], [])


def curves(
    run_ids: Sequence[str],
    key: str,
    *,
    axis: str = "",
    between: tuple[float, float] | None = None,
    buckets: int = BUCKETS,
) -> list[Curve]:
    """One curve per run that has the metric, in the order of run_ids, in two statements (one more where no
    steps were counted, one more over a metric and two of a part of it).

    axis: "" is "step", or "time" when no run counted steps; metrics.… is the mean of another metric in the same
    buckets of steps. between: only these positions, as x counts them; of another metric the steps from the first to the
    last at which it was between these values.
    """
    other = axis.partition("metrics.")[2]
    with reading() as reader:
        axis, spans = spans_of(reader, run_ids, key, "step" if other else axis, whole=between is None)
        if between and spans:
            spans = _where(reader, spans, other, between) if other else narrowed(spans, between, unit(axis))
        if not spans:
            return []
        most = fitting(buckets, len(spans))
        widths = {run_id: (span.last - span.first) // most + 1 for run_id, span in spans.items()}
        rows = reader.rows(buckets_of(spans, key, axis, widths, whole=between is None))
        over = reader.rows(buckets_of(spans, other, axis, widths, whole=False)) if other else None
    found: dict[str, list[Any]] = {run_id: [] for run_id in spans}
    for row in sorted(rows, key=itemgetter(1)):
        found[row[0]].append(row)
    place = _steps(axis, spans) if over is None else _means(over, spans, widths)
    shown = f"metrics.{other}" if other else axis
    return [
        _curve(run_id, key, shown, widths[run_id] / unit(axis), spans[run_id].of(found[run_id]), found[run_id], place)
        for run_id in run_ids
        if run_id in spans
    ]


def fitting(buckets: int, curves: int) -> int:
    """Buckets of one of so many curves of a chart."""
    return max(LEAST_BUCKETS, min(buckets, MOST_BUCKETS, ALL_BUCKETS // curves))


def unit(axis: str) -> int:
    """What the positions in the table are divided by."""
    return 1000 if axis == "time" else 1


def aligned(spans: dict[str, Span], buckets: int) -> tuple[dict[str, Span], int]:
    """Every span from the first to the last position of all, and the width that cuts them into the same buckets."""
    first = min(span.first - span.zero for span in spans.values())
    last = max(span.last - span.zero for span in spans.values())
    same = {i: replace(span, first=first + span.zero, last=min(last + span.zero, LARGEST)) for i, span in spans.items()}
    return same, (last - first) // buckets + 1


def spans_of(
    reader: Reader, run_ids: Sequence[str], key: str, axis: str, *, whole: bool
) -> tuple[str, dict[str, Span]]:
    """The axis, where "" leaves it to the runs, and what each curve covers. whole: all of it will be grouped."""
    if whole and axis in {"", "step"}:
        ends_of_steps = {row[0]: Span(None, row[1], row[2], 0) for row in reader.rows(_steps_of(run_ids, key))}
        if axis or any(span.last > span.first for span in ends_of_steps.values()):
            return "step", ends_of_steps
    step, time = metrics.c.step, metrics.c.timestamp
    ends = [func.count(), func.min(step), func.max(step), func.min(time), func.max(time)]
    wanted = select(metrics.c.run_uuid, *ends).where(metrics.c.run_uuid.in_(run_ids), *_of(key), *_drawable())
    rows = reader.rows(wanted.group_by(metrics.c.run_uuid))
    axis = axis or ("step" if any(row[3] > row[2] for row in rows) else "time")
    spans = {}
    for run_id, points, first_step, last_step, first_time, last_time in rows:
        first, last = (first_step, last_step) if axis == "step" else (first_time, last_time)
        spans[run_id] = Span(points, first, last, first_time if axis == "time" else 0)
    return axis, spans


def _steps_of(run_ids: Sequence[str], key: str) -> Select[Any]:
    """(run id, first step, last step) of the runs that have the metric, found at the ends of MLflow's index."""
    step = metrics.c.step
    drawn = [metrics.c.run_uuid == runs.c.run_uuid, metrics.c.key == key, *_drawable()]
    first, last = (
        select(step).where(*drawn).order_by(way).limit(1).correlate(runs).scalar_subquery().label(name)
        for name, way in (("first", step.asc()), ("last", step.desc()))
    )
    found = select(runs.c.run_uuid, first, last).where(runs.c.run_uuid.in_(run_ids)).subquery()
    return select(found.c.run_uuid, found.c.first, found.c.last).where(found.c.first.is_not(None))


def narrowed(spans: dict[str, Span], between: tuple[float, float], unit: int) -> dict[str, Span]:
    """Only the part of each curve whose x is between two numbers."""
    found = {}
    for run_id, span in spans.items():
        first = max(span.first, int(between[0] * unit) + span.zero)
        last = min(span.last, int(between[1] * unit) + span.zero)
        if first <= last:
            found[run_id] = Span(span.points, first, last, span.zero)
    return found


def _where(reader: Reader, spans: dict[str, Span], other: str, between: tuple[float, float]) -> dict[str, Span]:
    """Only the steps from the first to the last at which another metric was between two values."""
    step = metrics.c.step
    ends = select(metrics.c.run_uuid, func.min(step), func.max(step)).where(
        metrics.c.run_uuid.in_(list(spans)), *_of(other), *_drawable(), metrics.c.value.between(*between)
    )
    rows = {row[0]: (row[1], row[2]) for row in reader.rows(ends.group_by(metrics.c.run_uuid))}
    cut = {
        run_id: replace(span, first=max(span.first, rows[run_id][0]), last=min(span.last, rows[run_id][1]))
        for run_id, span in spans.items()
        if run_id in rows
    }
    return {run_id: span for run_id, span in cut.items() if span.first <= span.last}


def buckets_of(spans: dict[str, Span], key: str, axis: str, widths: int | dict[str, int], *, whole: bool) -> Executable:
    """(run id, first position, mean, least, greatest, points) of each bucket, in no order: PostgreSQL would sort all
    points for one. widths: of the buckets, of all or by run."""
    width_of = dict.fromkeys(spans, widths) if isinstance(widths, int) else widths
    if axis == "step" and not is_postgresql():
        return _sought(spans, key, width_of)
    return _grouped(spans, key, axis, width_of, whole=whole)


def _sought(spans: dict[str, Span], key: str, width_of: dict[str, int]) -> Executable:
    """Each bucket is a part of MLflow's index: SQLite would sort all points to group them, which takes as long again
    as to read them."""
    given: dict[str, Any] = {"key": key, "drawable": DRAWABLE}
    for number, (run_id, span) in enumerate(spans.items()):
        width, most = width_of[run_id], (span.last - span.first) // width_of[run_id]
        middle = span.first + most // 2 * width
        one = {"run": run_id, "last": span.last, "width": width, "most": most, "half": most // 2, "middle": middle}
        given |= {f"{name}{number}": value for name, value in one.items()}
    return text(" UNION ALL ".join(_SOUGHT.replace("#", str(number)) for number in range(len(spans)))).bindparams(
        **given
    )


# Counted from the middle: from the first, steps that are far apart would overflow and become inexact.
_SOUGHT = """
SELECT :run#, min(step), avg(value), min(value), max(value), count(*) FROM covey_numbers CROSS JOIN metrics
WHERE n <= :most# AND run_uuid = :run# AND key = :key
  AND step BETWEEN :middle# + (n - :half#) * :width# AND min(:middle# + (n - :half#) * :width# + :width# - 1, :last#)
  AND is_nan IS 0 AND abs(value) < :drawable
GROUP BY n"""


def _grouped(spans: dict[str, Span], key: str, axis: str, width_of: dict[str, int], *, whole: bool) -> Select[Any]:
    position = metrics.c.step if axis == "step" else metrics.c.timestamp
    value = metrics.c.value
    cuts = {(span.first, span.last, width_of[run_id]) for run_id, span in spans.items()}
    source: FromClause = metrics
    if len(cuts) == 1:  # PostgreSQL knows how many rows that is, of a join it guesses
        cut: list[ColumnElement[int]] = [literal(number, BigInteger) for number in cuts.pop()]
        here = [metrics.c.run_uuid.in_(list(spans))]
    else:
        span = union_all(*(_cut(run_id, spans[run_id], width_of[run_id]) for run_id in spans)).subquery()
        source, here = metrics.join(span, span.c.run_uuid == metrics.c.run_uuid), []
        cut = [span.c.first, span.c.last, span.c.width]
    first, last, width = cut
    bucket = (position - first) // width
    if is_postgresql() and any(span.last - span.first > LARGEST for span in spans.values()):
        bucket = func.div(cast(position, Numeric) - first, width)  # too far apart for whole numbers
    told = [func.min(position), func.avg(value), func.min(value), func.max(value), func.count()]
    found = select(metrics.c.run_uuid, *told).select_from(source).where(*here, *_of(key), *_drawable())
    if not whole:
        found = found.where(position.between(first, last))
    return found.group_by(metrics.c.run_uuid, bucket)


def _cut(run_id: str, span: Span, width: int) -> Select[Any]:
    numbers = {"first": span.first, "last": span.last, "width": width}
    named: list[ColumnElement[Any]] = [literal(number, BigInteger).label(name) for name, number in numbers.items()]
    return select(literal(run_id).label("run_uuid"), *named)


def _of(key: str) -> list[ColumnElement[bool]]:
    # As a range: for one equal key SQLite would read that metric of every run, by MLflow's primary key, instead of
    # these runs by the index of (run_uuid, key, step).
    return [metrics.c.key == key if is_postgresql() else metrics.c.key.between(key, key)]


def _drawable() -> list[ColumnElement[bool]]:
    return [metrics.c.is_nan.is_(False), func.abs(metrics.c.value) < DRAWABLE]


Place = Callable[[str, Any], float | None]


def _steps(axis: str, spans: dict[str, Span]) -> Place:
    return lambda run_id, row: (row[1] - spans[run_id].zero) / 1000 if axis == "time" else row[1]


def _means(rows: Sequence[Any], spans: dict[str, Span], widths: dict[str, int]) -> Place:
    """Where another metric was, on average, in the bucket of a row; None where it was not logged."""
    means = {(row[0], (row[1] - spans[row[0]].first) // widths[row[0]]): float(row[2]) for row in rows}
    return lambda run_id, row: means.get((run_id, (row[1] - spans[run_id].first) // widths[run_id]))


def _curve(run_id: str, key: str, axis: str, width: float, points: int, rows: list[Any], place: Place) -> Curve:
    placed = [(x, row) for row in rows if (x := place(run_id, row)) is not None]
    return Curve(
        run_id=run_id,
        key=key,
        axis=axis,
        points=int(points),
        x=[x for x, _ in placed],
        y=[float(row[2]) for _, row in placed],
        low=[float(row[3]) for _, row in placed],
        high=[float(row[4]) for _, row in placed],
        width=width,
    )
