"""The metrics of one run as its page lists them: a page of names with their last values and a small curve each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.safestring import SafeString

from experiments.database import logged
from experiments.details import sparks
from experiments.runs import Metric, moment
from hub.lib.paging import Page, page_of

SYSTEM = "system/"
PAGE_METRICS = 50
FIRST_CURVES, MOST_CURVES = 4, 24


@dataclass(frozen=True)
class Row:
    key: str
    value: float
    step: int
    when: datetime | None
    spark: SafeString


@dataclass(frozen=True)
class Measured:
    """page: of names that hold what is looked for. curves: keys to draw. total: names in all."""

    page: Page[Row]
    curves: list[str]
    total: int


def of_run(
    run_id: str, latest: Sequence[Metric], *, system: bool, name: str, page: str, chosen: Sequence[str]
) -> Measured:
    """The system's metrics, or all others. name: a part of theirs. chosen: whose curves are drawn; () for the first
    that have steps. One statement. Raises Invalid for a page that is none."""
    kind = [metric for metric in latest if metric.key.startswith(SYSTEM) == system]
    matching = [metric for metric in kind if name.lower() in metric.key.lower()]
    found = page_of(matching, page, PAGE_METRICS)
    small = sparks.sparks(run_id, [metric.key for metric in found.rows])
    rows = [_row(metric, small.get(metric.key, [])) for metric in found.rows]
    known = {metric.key for metric in kind}
    curves = [key for key in dict.fromkeys(chosen) if key in known]
    if not chosen:
        curves = [row.key for row in rows if row.spark][:FIRST_CURVES]
    return Measured(Page(rows, found.number, found.more, found.count), curves[:MOST_CURVES], len(kind))


def _row(metric: Any, means: list[float]) -> Row:
    value = logged(metric.value, metric.is_nan)
    return Row(metric.key, value, metric.step, moment(metric.timestamp), sparks.svg(means))
