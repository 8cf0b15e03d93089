"""Curves of several runs as one band per group (seeds, folds): the mean of the runs and how far they spread.

All runs are cut into the same buckets of positions. In a bucket each run counts once, with the mean of its values;
the band is the mean of the runs ± their standard deviation (of a sample: n - 1; a single run has none).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from experiments import history
from experiments.database import reading


@dataclass(frozen=True)
class Band:
    """x, y, low, high, runs have one value per bucket: its first position, mean, mean - std, mean + std, how many runs
    logged in it. points: all that were logged. width: positions of a bucket."""

    group: str
    key: str
    axis: str
    members: list[str]
    points: int
    width: float
    x: list[float]
    y: list[float]
    low: list[float]
    high: list[float]
    runs: list[int]


def bands(
    groups: Mapping[str, Sequence[str]],
    key: str,
    *,
    axis: str = "",
    between: tuple[float, float] | None = None,
    buckets: int = history.BUCKETS,
) -> list[Band]:
    """groups: name → run ids. Two statements; a group none of whose runs has the metric is left out."""
    ids = [run_id for members in groups.values() for run_id in members]
    with reading() as reader:
        axis, spans = history.spans_of(reader, ids, key, axis, whole=between is None)
        spans = history.narrowed(spans, between, history.unit(axis)) if between else spans
        if not spans:
            return []
        spans, width = history.aligned(spans, history.fitting(buckets, len(spans)))
        rows = reader.rows(history.buckets_of(spans, key, axis, width, whole=between is None))
    cut: dict[str, list[Any]] = {run_id: [] for run_id in spans}
    for row in rows:
        cut[row[0]].append(row)
    means = {
        run_id: {(row[1] - spans[run_id].first) // width: float(row[2]) for row in here} for run_id, here in cut.items()
    }
    start = min(span.first - span.zero for span in spans.values())
    unit = history.unit(axis)
    found = []
    for name, members in groups.items():
        here = [run_id for run_id in members if run_id in spans]
        if here:
            at, spread = _spread([means[run_id] for run_id in here])
            x = [(start + bucket * width) / unit for bucket in at]
            y, low, high, runs = (list(column) for column in zip(*spread, strict=True)) if spread else ([], [], [], [])
            points = sum(spans[run_id].of(cut[run_id]) for run_id in here)
            found.append(Band(name, key, axis, here, points, width / unit, x, y, low, high, runs))
    return found


def _spread(means: Sequence[Mapping[int, float]]) -> tuple[list[int], list[tuple[float, float, float, int]]]:
    """(buckets, (mean, mean - std, mean + std, runs) of each)."""
    at = sorted(set().union(*means))
    found = []
    for bucket in at:
        values = [of_run[bucket] for of_run in means if bucket in of_run]
        mean = math.fsum(values) / len(values)
        std = math.hypot(*(value - mean for value in values)) / math.sqrt(max(1, len(values) - 1))
        found.append((mean, mean - std, mean + std, len(values)))
    return at, found
