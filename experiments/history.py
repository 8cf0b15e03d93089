"""Curves of a metric, reduced by the database: it groups a million points into buckets and sends only those.

The caller has made sure that the runs may be read. NaN and infinite values are left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Select, func, literal, select, union_all

from experiments.database import Reader, metrics, reading

BUCKETS = 1000  # of one curve
ALL_BUCKETS = 20_000  # of all curves of one chart
DRAWABLE = 1e300  # larger values stand for infinity, and their mean would overflow
AXES = ("step", "time", "wall")


@dataclass(frozen=True)
class Curve:
    """points: how many were logged. axis: "step", "time" (seconds since its first) or "wall" (ms since 1970).

    x, y, low, high have one value per bucket: its first position, mean, least and greatest value. One point per
    position when there were few.
    """

    run_id: str
    key: str
    axis: str
    points: int
    x: list[float]
    y: list[float]
    low: list[float]
    high: list[float]


@dataclass(frozen=True)
class _Span:
    points: int
    first: int
    last: int
    zero: int  # what x counts from


def curve(run_id: str, key: str) -> Curve:
    """An unknown key is an empty curve."""
    found = curves([run_id], key)
    return found[0] if found else Curve(run_id, key, "step", 0, [], [], [], [])


def curves(
    run_ids: Sequence[str], key: str, *, axis: str = "", between: tuple[float, float] | None = None
) -> list[Curve]:
    """One curve per run that has the metric, in the order of run_ids, in two statements.

    axis: "" is "step", or "time" when no run counted steps. between: only these positions, as x counts them.
    """
    with reading() as reader:
        axis, spans = _spans(reader, run_ids, key, axis)
        spans = _narrowed(spans, between, 1000 if axis == "time" else 1) if between else spans
        if not spans:
            return []
        buckets = max(50, min(BUCKETS, ALL_BUCKETS // len(spans)))
        found: dict[str, list[Any]] = {run_id: [] for run_id in spans}
        for row in reader.rows(_grouped(spans, key, axis, buckets, whole=between is None)):
            found[row[0]].append(row)
    return [_curve(run_id, key, axis, spans[run_id], found[run_id]) for run_id in run_ids if run_id in spans]


def _spans(reader: Reader, run_ids: Sequence[str], key: str, axis: str) -> tuple[str, dict[str, _Span]]:
    step, time = metrics.c.step, metrics.c.timestamp
    ends = [func.count(), func.min(step), func.max(step), func.min(time), func.max(time)]
    wanted = select(metrics.c.run_uuid, *ends).where(metrics.c.run_uuid.in_(run_ids), *_drawable(key))
    rows = reader.rows(wanted.group_by(metrics.c.run_uuid))
    axis = axis or ("step" if any(row[3] > row[2] for row in rows) else "time")
    spans = {}
    for run_id, points, first_step, last_step, first_time, last_time in rows:
        first, last = (first_step, last_step) if axis == "step" else (first_time, last_time)
        spans[run_id] = _Span(points, first, last, first_time if axis == "time" else 0)
    return axis, spans


def _narrowed(spans: dict[str, _Span], between: tuple[float, float], unit: int) -> dict[str, _Span]:
    """Only the part of each curve whose x is between two numbers."""
    found = {}
    for run_id, span in spans.items():
        first = max(span.first, int(between[0] * unit) + span.zero)
        last = min(span.last, int(between[1] * unit) + span.zero)
        if first <= last:
            found[run_id] = _Span(span.points, first, last, span.zero)
    return found


def _grouped(spans: dict[str, _Span], key: str, axis: str, buckets: int, *, whole: bool) -> Select[Any]:
    position = metrics.c.step if axis == "step" else metrics.c.timestamp
    value = metrics.c.value
    parts = [
        select(
            literal(run_id).label("run_uuid"),
            literal(span.first, BigInteger).label("first"),
            literal(span.last, BigInteger).label("last"),
            literal((span.last - span.first) // buckets + 1, BigInteger).label("width"),
        )
        for run_id, span in spans.items()
    ]
    span = union_all(*parts).subquery()
    bucket = (position - span.c.first) // span.c.width
    found = select(metrics.c.run_uuid, func.min(position), func.avg(value), func.min(value), func.max(value))
    found = found.join_from(metrics, span, span.c.run_uuid == metrics.c.run_uuid).where(*_drawable(key))
    if not whole:
        found = found.where(position.between(span.c.first, span.c.last))
    return found.group_by(metrics.c.run_uuid, bucket).order_by(metrics.c.run_uuid, bucket)


def _drawable(key: str) -> list[ColumnElement[bool]]:
    # As a range: for one equal key SQLite would read that metric of every run, by MLflow's primary key, instead of
    # these runs by the index of (run_uuid, key, step).
    return [metrics.c.key.between(key, key), metrics.c.is_nan.is_(False), func.abs(metrics.c.value) < DRAWABLE]


def _curve(run_id: str, key: str, axis: str, span: _Span, rows: list[Any]) -> Curve:
    return Curve(
        run_id=run_id,
        key=key,
        axis=axis,
        points=int(span.points),
        x=[(row[1] - span.zero) / 1000 if axis == "time" else row[1] for row in rows],
        y=[float(row[2]) for row in rows],
        low=[float(row[3]) for row in rows],
        high=[float(row[4]) for row in rows],
    )
