"""The runs of a page without a look at all runs: 100 of 100,000 are mostly among the first few thousand of their order.

Those are asked first, found by an index (values of a metric) or by one pass over narrow rows; only when fewer of them
pass the filter than the page holds, all runs are asked.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Float, Integer, Select, Subquery, func, literal, literal_column, select

from experiments.database import experiments, latest_metrics, runs
from experiments.ordering import Key, Order

PROBED = 3000  # runs that are asked first
FEW = 3  # times as many as a page holds: where there is no filter, nearly all of them are on it
COUNTED = 10_000  # runs that pass a filter are counted up to here


@dataclass(frozen=True)
class Part:
    """A page's place in an order (see ordering): what comes after `place`, or before it; at most `limit` runs."""

    limit: int
    place: Sequence[Any] | None = None
    backwards: bool = False

    def of(self, chosen: Select[Any], order: Order) -> Select[Any]:
        if self.place is not None:
            chosen = chosen.where(order.beyond(self.place, backwards=self.backwards))
        return chosen.order_by(*order.by(backwards=self.backwards)).limit(self.limit)


def many() -> int:
    """Beyond so many runs it is worth to ask a part of them first."""
    return 2 * PROBED


def by_scan(ordered: Select[Any], order: Order, part: Part) -> Order:
    """The first runs of the order, whether they pass the filter or not. ordered: selects all, with their places."""
    first = part.of(ordered, order).limit(PROBED).subquery("probed")
    keys = (Key(first.c[f"place_{number}"], key.type, key.descending) for number, key in enumerate(order.keys))
    return _order_of(first, tuple(keys))


def by_metric(metric: str, order: Order, part: Part, most: int) -> Order | None:
    """The runs whose value is better than that of the one after `most` others: none of the rest comes before them.

    None where NaN or absent values come next.
    """
    if part.place is not None and part.place[0] != 0:
        return None
    value, descending = latest_metrics.c.value, order.keys[1].descending
    downwards = descending != part.backwards
    logged = [latest_metrics.c.key == metric, latest_metrics.c.is_nan.is_(False)]
    if part.place is not None:
        bound = literal(part.place[1], Float)
        logged.append(value <= bound if downwards else value >= bound)
    way = value.desc() if downwards else value.asc()
    edge = select(value).where(*logged).order_by(way).limit(1).offset(most).scalar_subquery()
    end = func.coalesce(edge, literal(-math.inf if downwards else math.inf, Float))
    logged.append(value > end if downwards else value < end)
    best = select(latest_metrics.c.run_uuid, value).where(*logged).order_by(way).limit(most).subquery("probed")
    rank, newest = Key(literal_column("0", Integer), int), Key(func.coalesce(runs.c.start_time, 0), int, True)
    return _order_of(best, (rank, Key(best.c.value, float, descending), newest, Key(runs.c.run_uuid, str)))


def _order_of(probed: Subquery, keys: tuple[Key, ...]) -> Order:
    source = probed.join(runs, runs.c.run_uuid == probed.c.run_uuid)
    return Order(source.outerjoin(experiments, experiments.c.experiment_id == runs.c.experiment_id), keys)
