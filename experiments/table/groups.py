"""Runs in groups: by params, tags, attributes or datasets, with statistics of each metric, paged by the database.

Values that are NaN or too large to be squared are left out of the statistics; `values` says how many were in them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, FromClause, Select, and_, case, desc, func, literal, or_, select
from sqlalchemy.types import Text

from experiments.database import (
    LOGGED,
    datasets,
    experiments,
    inputs,
    latest_metrics,
    reading,
    runs,
    tags,
)
from experiments.filters.names import TAGGED
from experiments.filters.parser import joinable
from experiments.filters.tokens import MAX_CHARACTERS
from experiments.listing import Query, Scope, common_metrics
from experiments.ordering import ALL_RUNS
from experiments.runs import experiments_of
from experiments.table.columns import parsed
from experiments.tracked import marks

PAGE_GROUPS = 50
MOST_NAMES = 3  # to group by
MOST_METRICS = 12  # with statistics
LARGEST = 1e150  # whose square is still a number
ATTRIBUTES = {"status": runs.c.status, "user": runs.c.user_id, "experiment": experiments.c.name}
BY = (
    "status",
    "user",
    "experiment",
    "commit",
    "branch",
    "parent",
    "source",
    "data",
    "datasets.digest",
    "datasets.name",
)


@dataclass(frozen=True)
class Statistics:
    """Of one metric in one group. deviation: of a sample, None of one value."""

    values: int
    mean: float
    least: float
    most: float
    deviation: float | None


@dataclass(frozen=True)
class Group:
    """key: a value for each name that is grouped by, None where the runs have none."""

    key: tuple[str | None, ...]
    runs: int
    metrics: dict[str, Statistics] = field(default_factory=dict)


@dataclass(frozen=True)
class Groups:
    """total: groups on all pages. metrics: keys of those with statistics."""

    by: tuple[str, ...]
    rows: list[Group]
    total: int
    metrics: list[str]
    experiments: list[Any]


def names(asked: str) -> tuple[str, ...]:
    """Of an address's group=a,b: at most MOST_NAMES; what cannot be grouped by is left out."""
    found = [name for name in asked.split(",") if name in BY or name.startswith(("params.", "tags."))]
    return tuple(name for name in dict.fromkeys(found) if parsed([name]) or name in BY)[:MOST_NAMES]


def page(query: Query, by: Sequence[str], number: int) -> Groups:
    """Five statements. query.sort: "runs", one of by, or metrics.…, whose mean it is; else the largest come first."""
    with reading() as reader:
        known = experiments_of(reader, query.workspace)
        scope = Scope(reader, query, [row.experiment_id for row in known])
        found = _groups(scope, by, number)
        total = len(found) if number == 1 and len(found) < PAGE_GROUPS else _count(scope, by)
        keys = _metrics(scope)
        statistics = _statistics(scope, by, [row[:-1] for row in found], keys)
    rows = [Group(tuple(row[:-1]), row[-1], statistics.get(tuple(row[:-1]), {})) for row in found]
    return Groups(tuple(by), rows, total, keys, known)


def _groups(scope: Scope, by: Sequence[str], number: int) -> list[tuple[Any, ...]]:
    inner = _keyed(scope, by, scope.query.sort)
    count = func.count().label("runs")
    keys = [inner.c[f"key_{at}"] for at in range(len(by))]
    wanted = select(*keys, count).group_by(*keys)
    order: ColumnElement[Any] = count
    if scope.query.sort in by:
        order = keys[list(by).index(scope.query.sort)]
    elif "value" in inner.c:
        order = func.avg(inner.c.value)
        wanted = wanted.order_by(case((func.count(inner.c.value) == 0, 1), else_=0))
    descending = scope.query.descending or scope.query.sort == "started"
    nulls_last = [case((key.is_(None), 1), else_=0) for key in keys]
    wanted = wanted.order_by(*nulls_last[: 1 if order is keys[0] else 0], desc(order) if descending else order)
    for at, key in enumerate(keys):
        wanted = wanted.order_by(nulls_last[at], key)
    start = (number - 1) * PAGE_GROUPS
    return [tuple(row) for row in scope.reader.rows(wanted.limit(PAGE_GROUPS).offset(start))]


def _count(scope: Scope, by: Sequence[str]) -> int:
    inner = _keyed(scope, by)
    keys = [inner.c[f"key_{at}"] for at in range(len(by))]
    found = scope.reader.rows(select(func.count()).select_from(select(*keys).distinct().subquery()))
    return int(found[0][0]) if found else 0


def _metrics(scope: Scope) -> list[str]:
    if scope.query.columns is None:
        return common_metrics(scope)
    named = [column.key for column in parsed(scope.query.columns) if column.kind == "metrics"]
    return list(dict.fromkeys(named))[:MOST_METRICS]


def _statistics(
    scope: Scope, by: Sequence[str], shown: Sequence[tuple[Any, ...]], metrics: Sequence[str]
) -> dict[tuple[Any, ...], dict[str, Statistics]]:
    if not shown or not metrics:
        return {}
    inner = _keyed(scope, by)
    keys = [inner.c[f"key_{at}"] for at in range(len(by))]
    value, deviation = latest_metrics.c.value, func.stddev_samp if scope.reader.postgresql else func.covey_deviation
    summed = (func.count(), func.avg(value), func.min(value), func.max(value), deviation(value))
    wanted = select(*keys, latest_metrics.c.key, *summed)
    wanted = wanted.join_from(inner, latest_metrics, latest_metrics.c.run_uuid == inner.c.run_uuid)
    wanted = wanted.where(latest_metrics.c.key.in_(metrics), *_usable(latest_metrics), _one_of(keys, shown))
    found: dict[tuple[Any, ...], dict[str, Statistics]] = {}
    for row in scope.reader.rows(wanted.group_by(*keys, latest_metrics.c.key)):
        key, metric, (count, mean, least, most, spread) = tuple(row[: len(by)]), row[len(by)], row[len(by) + 1 :]
        found.setdefault(key, {})[metric] = Statistics(count, float(mean), float(least), float(most), spread)
    return found


def _one_of(keys: Sequence[ColumnElement[Any]], shown: Sequence[tuple[Any, ...]]) -> ColumnElement[bool]:
    """Also where a key is null, which equals nothing."""
    same = [
        and_(*(key.is_(None) if value is None else key == value for key, value in zip(keys, group, strict=True)))
        for group in shown
    ]
    return or_(*same)


def _keyed(scope: Scope, by: Sequence[str], sort: str = "") -> Any:
    """The runs that pass, with key_0, key_1 … and the value they are sorted by, if that is a metric."""
    source: FromClause = ALL_RUNS
    keys: list[ColumnElement[Any]] = []
    for at, name in enumerate(by):
        source, column = _key(source, name)
        keys.append(column.label(f"key_{at}"))
    sorted_by = [column for column in parsed([sort]) if column.kind == "metrics" and not column.aggregate]
    if sorted_by:
        metric = latest_metrics.alias()
        same = and_(metric.c.run_uuid == runs.c.run_uuid, metric.c.key == sorted_by[0].key, *_usable(metric))
        source = source.outerjoin(metric, same)
        keys.append(metric.c.value.label("value"))
    wanted: Select[Any] = select(runs.c.run_uuid, *keys)
    return scope.passing(wanted, source).subquery()


def _key(source: FromClause, name: str) -> tuple[FromClause, ColumnElement[Any]]:
    if name in ATTRIBUTES:
        return source, ATTRIBUTES[name]
    if name.startswith("datasets."):
        given = inputs.join(datasets, datasets.c.dataset_uuid == inputs.c.source_id)
        of_run = and_(inputs.c.destination_id == runs.c.run_uuid, inputs.c.destination_type == "RUN")
        least = select(func.min(datasets.c[name.partition(".")[2]])).select_from(given)
        return source, least.where(of_run, inputs.c.source_type == "DATASET").correlate(runs).scalar_subquery()
    kind, _, key = name.partition(".")
    table = LOGGED[kind] if key else tags
    key = key or (marks.SOURCE_TAG if name == "source" else TAGGED[name])
    values = table.alias()
    source = source.outerjoin(values, and_(values.c.run_uuid == runs.c.run_uuid, values.c.key == key))
    return source, func.coalesce(values.c.value, literal(marks.LOGGED, Text)) if name == "source" else values.c.value


def _usable(metric: Any) -> list[ColumnElement[bool]]:
    return [metric.c.is_nan.is_(False), func.abs(metric.c.value) < LARGEST]


def filter_of(by: Sequence[str], group: Group, text: str) -> str | None:
    """A filter of a group's runs among those that pass `text`; None where no filter can say it."""
    said = [_said(name, value) for name, value in zip(by, group.key, strict=True)]
    if None in said:
        return None
    before = joinable(text)
    whole = " and ".join([f"({before})", *map(str, said)] if before else map(str, said))
    return whole if len(whole) <= MAX_CHARACTERS else None


def _said(name: str, value: str | None) -> str | None:
    kind, dot, key = name.partition(".")
    if "`" in key:
        return None
    written = f"{kind}.`{key}`" if dot and kind != "datasets" else name
    if value is None:
        return f"{written} is null"
    return f'{written} = "{value.replace(chr(34), chr(34) * 2)}"'
