"""Small curves of many metrics of one run, in one statement: the database makes at most 60 buckets of each."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from django.utils.html import format_html
from django.utils.safestring import SafeString
from sqlalchemy import BigInteger, ColumnElement, Float, case, cast, func, select

from experiments.database import Reader, metrics, reading
from experiments.history import DRAWABLE

BUCKETS = 60
WIDTH, HEIGHT, MARGIN = 120, 28, 2


def sparks(run_id: str, keys: Sequence[str]) -> dict[str, list[float]]:
    """key → means of its buckets by step (by time where no steps were counted); without what is not finite."""
    found: dict[str, list[float]] = {}
    if not keys:
        return found
    with reading() as reader:
        for key, _, mean in reader.rows(_grouped(reader, run_id, keys)):
            found.setdefault(key, []).append(float(mean))
    return found


def _grouped(reader: Reader, run_id: str, keys: Sequence[str]) -> Any:
    spans = _spans(run_id, keys)
    by_step = spans.c.last_step > spans.c.first_step
    position = case((by_step, metrics.c.step), else_=metrics.c.timestamp)
    first = case((by_step, spans.c.first_step), else_=spans.c.first_time)
    last = case((by_step, spans.c.last_step), else_=spans.c.last_time)
    # As floating point: steps may be as far apart as integers of 64 bits go.
    share = (cast(position, Float) - cast(first, Float)) / (cast(last, Float) - cast(first, Float) + 1)
    bucket = _floor(reader, share * BUCKETS).label("bucket")
    joined = metrics.join(spans, metrics.c.key.between(spans.c.key, spans.c.key))
    wanted = select(metrics.c.key, bucket, func.avg(metrics.c.value)).select_from(joined)
    return wanted.where(*_drawable(run_id)).group_by(metrics.c.key, bucket).order_by(metrics.c.key, bucket)


def _spans(run_id: str, keys: Sequence[str]) -> Any:
    ends = [
        func.min(metrics.c.step).label("first_step"), func.max(metrics.c.step).label("last_step"),
        func.min(metrics.c.timestamp).label("first_time"), func.max(metrics.c.timestamp).label("last_time"),
    ]  # fmt: skip
    # Not by the bare key: SQLite would take MLflow's primary key, which begins with it, and read every run's metric.
    named = func.coalesce(metrics.c.key, "").in_(keys)
    return select(metrics.c.key, *ends).where(*_drawable(run_id), named).group_by(metrics.c.key).subquery()


def _drawable(run_id: str) -> list[ColumnElement[bool]]:
    return [metrics.c.run_uuid == run_id, metrics.c.is_nan.is_(False), func.abs(metrics.c.value) < DRAWABLE]


def _floor(reader: Reader, share: ColumnElement[Any]) -> ColumnElement[Any]:
    """Of a number that is not negative. SQLite's cast cuts off, PostgreSQL's rounds."""
    return func.floor(share) if reader.postgresql else cast(share, BigInteger)


def svg(means: Sequence[float]) -> SafeString:
    """One line across a small picture; nothing for fewer than two means."""
    if len(means) < 2:
        return SafeString("")
    low, high = min(means), max(means)
    height = high - low if math.isfinite(high - low) and high > low else 1.0
    across, up = (WIDTH - 2 * MARGIN) / (len(means) - 1), HEIGHT - 2 * MARGIN
    points = " ".join(
        f"{MARGIN + number * across:.1f},{HEIGHT - MARGIN - up * (mean / height - low / height):.1f}"
        for number, mean in enumerate(means)
    )
    return format_html(
        '<svg class="spark" viewBox="0 0 {} {}" width="{}" height="{}" role="img" aria-label="from {} to {}">'
        '<polyline points="{}"/></svg>',
        WIDTH, HEIGHT, WIDTH, HEIGHT, f"{means[0]:.4g}", f"{means[-1]:.4g}", points,
    )  # fmt: skip
