"""The curve of one metric, reduced by the database to at most 1,000 points."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import func, select

from experiments.database import metrics, rows_of

BUCKETS = 1000
DRAWABLE = 1e300  # larger ones stand for infinity, and their mean would overflow


@dataclass(frozen=True)
class Curve:
    """points: how many were logged. axis: "step", or "time" (seconds since the first) when steps were not used.

    x, y, low, high have one value per bucket: its first position, mean, least and greatest value. One point per
    position when there were few; NaN and infinite values are left out.
    """

    key: str
    axis: str
    points: int
    x: list[float]
    y: list[float]
    low: list[float]
    high: list[float]


def curve(run_id: str, key: str) -> Curve:
    """The caller has made sure that the run may be read. An unknown key is an empty curve."""
    step, time = metrics.c.step, metrics.c.timestamp
    this = [metrics.c.run_uuid == run_id, metrics.c.key == key, metrics.c.is_nan.is_(False)]
    this.append(func.abs(metrics.c.value) < DRAWABLE)
    ends = [func.min(step), func.max(step), func.min(time), func.max(time)]
    span = rows_of(select(func.count(), *ends).where(*this))
    if not span or not span[0][0]:
        return Curve(key, "step", 0, [], [], [], [])
    points, first_step, last_step, first_time, last_time = span[0]
    by_step = last_step > first_step
    position, first, last = (step, first_step, last_step) if by_step else (time, first_time, last_time)
    bucket = (position - first) // ((last - first) // BUCKETS + 1)
    value = metrics.c.value
    grouped = rows_of(
        select(func.min(position), func.avg(value), func.min(value), func.max(value))
        .where(*this)
        .group_by(bucket)
        .order_by(func.min(position))
    )
    return Curve(
        key=key,
        axis="step" if by_step else "time",
        points=int(points),
        x=[row[0] if by_step else (row[0] - first_time) / 1000 for row in grouped],
        y=[float(row[1]) for row in grouped],
        low=[float(row[2]) for row in grouped],
        high=[float(row[3]) for row in grouped],
    )
