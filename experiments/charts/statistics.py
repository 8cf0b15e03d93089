"""What the values of many runs say: how much each param matters, quartiles by category, the Pareto front.

Only finite values take part; how many did is always told.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeGuard

from sqlalchemy import func, select

from experiments import numbers
from experiments.charts.picking import Chosen
from experiments.charts.values import Value, Values
from experiments.database import Reader, latest_metrics, params, reading, runs
from experiments.history import DRAWABLE
from experiments.ordering import ALL_RUNS

MOST_RUNS = 5000  # newest first
MOST_PARAMS, MOST_CATEGORIES = 60, 20
LEAST_RUNS = 3  # below that a rank correlation says nothing
SPEARMAN, RATIO = "Spearman's ρ", "correlation ratio η of ranks"


@dataclass(frozen=True)
class Importance:
    """strength: 0 to 1. correlation: signed, for a param of numbers. n: runs that have the param and the metric."""

    param: str
    strength: float
    correlation: float | None
    n: int
    method: str


@dataclass(frozen=True)
class Box:
    """least and greatest: of all values; low and high: the furthest within 1.5 times the quartiles' distance."""

    category: str
    n: int
    least: float
    low: float
    q1: float
    median: float
    q3: float
    high: float
    greatest: float
    mean: float


def importance(asked: Chosen, metric: str) -> tuple[int, list[Importance]]:
    """(runs that have the metric, its params with the strongest first), in three statements.

    A param of numbers by Spearman's rank correlation; one of few texts by the correlation ratio of the metric's ranks.
    """
    with reading() as reader:
        target = _finite(reader, asked, metric)
        texts = _params(reader, list(target)) if len(target) >= LEAST_RUNS else {}
    found = [_importance(key, given, target) for key, given in texts.items()]
    ranked = sorted((one for one in found if one is not None), key=lambda one: (-one.strength, one.param))
    return len(target), ranked


def _finite(reader: Reader, asked: Chosen, metric: str) -> dict[str, float]:
    source = ALL_RUNS.join(latest_metrics, latest_metrics.c.run_uuid == runs.c.run_uuid)
    wanted = select(runs.c.run_uuid, latest_metrics.c.value).select_from(source)
    wanted = wanted.where(
        latest_metrics.c.key == metric,
        latest_metrics.c.is_nan.is_(False),
        func.abs(latest_metrics.c.value) < DRAWABLE,
        *asked.conditions(reader),
    )
    rows = reader.rows(wanted.order_by(runs.c.start_time.desc(), runs.c.run_uuid).limit(MOST_RUNS))
    return {row[0]: float(row[1]) for row in rows}


def _params(reader: Reader, ids: Sequence[str]) -> dict[str, dict[str, str]]:
    """param → run → text, of those that differ."""
    keys = select(params.c.key).where(params.c.run_uuid.in_(ids)).group_by(params.c.key)
    keys = keys.having(func.count(params.c.value.distinct()) > 1).order_by(func.count().desc(), params.c.key)
    named = [row.key for row in reader.rows(keys.limit(MOST_PARAMS))]
    found: dict[str, dict[str, str]] = defaultdict(dict)
    wanted = select(params.c.run_uuid, params.c.key, func.substr(params.c.value, 1, 250))
    for run_id, key, text in reader.rows(wanted.where(params.c.run_uuid.in_(ids), params.c.key.in_(named))):
        found[key][run_id] = text
    return found


def _importance(key: str, given: dict[str, str], target: dict[str, float]) -> Importance | None:
    """None for texts of too many kinds, and where nothing varies."""
    ids = [run_id for run_id in given if run_id in target]
    if len(ids) < LEAST_RUNS:
        return None
    outcome = ranks([target[run_id] for run_id in ids])
    read = [numbers.number(given[run_id]) for run_id in ids]
    if all(one is not None for one in read):
        rho = correlation(ranks([one for one in read if one is not None]), outcome)
        return None if rho is None else Importance(key, abs(rho), rho, len(ids), SPEARMAN)
    categories = [given[run_id] for run_id in ids]
    if len(set(categories)) > min(MOST_CATEGORIES, len(ids) - 1):
        return None
    eta = ratio(categories, outcome)
    return None if eta is None else Importance(key, eta, None, len(ids), RATIO)


def ranks(values: Sequence[float]) -> list[float]:
    """1 for the least; equal values share the mean of their ranks."""
    order = sorted(range(len(values)), key=values.__getitem__)
    found, at = [0.0] * len(values), 0
    while at < len(order):
        end = at
        while end < len(order) and values[order[end]] == values[order[at]]:
            end += 1
        for index in order[at:end]:
            found[index] = (at + end + 1) / 2
        at = end
    return found


def correlation(left: Sequence[float], right: Sequence[float]) -> float | None:
    """Pearson's; None where one side does not vary."""
    mean_left, mean_right = math.fsum(left) / len(left), math.fsum(right) / len(right)
    both = math.fsum((a - mean_left) * (b - mean_right) for a, b in zip(left, right, strict=True))
    spread = math.fsum((a - mean_left) ** 2 for a in left) * math.fsum((b - mean_right) ** 2 for b in right)
    return max(-1.0, min(1.0, both / math.sqrt(spread))) if spread > 0 else None


def ratio(categories: Sequence[str], values: Sequence[float]) -> float | None:
    """η: the root of the share of the values' variance that lies between the categories; None without variance."""
    mean = math.fsum(values) / len(values)
    whole = math.fsum((value - mean) ** 2 for value in values)
    groups: dict[str, list[float]] = defaultdict(list)
    for category, value in zip(categories, values, strict=True):
        groups[category].append(value)
    between = math.fsum(len(group) * (math.fsum(group) / len(group) - mean) ** 2 for group in groups.values())
    return min(1.0, math.sqrt(between / whole)) if whole > 0 else None


def boxes(read: Values, by: str, value: str) -> tuple[list[Box], int]:
    """(a box for each of the commonest categories, by name; how many categories are left out)."""
    groups: dict[str, list[float]] = defaultdict(list)
    for category, number in zip(read.column(by).values, read.column(value).values, strict=True):
        if finite(number):
            groups[label(category)].append(number)
    common = Counter({name: len(found) for name, found in groups.items()}).most_common(MOST_CATEGORIES)
    return [_box(name, sorted(groups[name])) for name, _ in sorted(common)], len(groups) - len(common)


def finite(value: Value) -> TypeGuard[float]:
    """Whether it can be reckoned with: what is as large as infinity is stored would overflow a sum."""
    return isinstance(value, float) and abs(value) < DRAWABLE


def label(value: Value) -> str:
    """The name of a category; of a number all its digits, so that seeds that differ stay apart."""
    return "(none)" if value is None else f"{value:.15g}" if isinstance(value, float) else value


def _box(category: str, ordered: list[float]) -> Box:
    q1, median, q3 = (quantile(ordered, part) for part in (0.25, 0.5, 0.75))
    reach = 1.5 * (q3 - q1)
    inner = [value for value in ordered if q1 - reach <= value <= q3 + reach]
    mean = math.fsum(ordered) / len(ordered)
    return Box(category, len(ordered), ordered[0], inner[0], q1, median, q3, inner[-1], ordered[-1], mean)


def quantile(ordered: Sequence[float], part: float) -> float:
    """Between the two nearest of sorted values, in proportion."""
    place = part * (len(ordered) - 1)
    below = math.floor(place)
    above = min(below + 1, len(ordered) - 1)
    share = place - below
    return ordered[below] * (1 - share) + ordered[above] * share


def front(points: Sequence[tuple[Any, Any]], *, more_x: bool, more_y: bool) -> list[int]:
    """Indexes of the points that no other beats: at least as good in both, better in one; by x, the best first.

    more_x, more_y: whether more is better. Points with anything but two finite numbers take no part.
    """
    usable = [i for i, point in enumerate(points) if all(finite(value) for value in point)]
    signs = (-1 if more_x else 1, -1 if more_y else 1)
    usable.sort(key=lambda i: (signs[0] * points[i][0], signs[1] * points[i][1], i))
    found: list[int] = []
    for i in usable:
        if not found or signs[1] * points[i][1] < signs[1] * points[found[-1]][1] or points[i] == points[found[-1]]:
            found.append(i)
    return found
