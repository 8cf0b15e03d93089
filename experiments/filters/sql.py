"""The tree of a filter as a condition of SQL over experiments.database.runs, every value a bound parameter.

The caller's statement has runs and experiments in its FROM and keeps to one repository; this never widens it.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from operator import eq, ge, gt, le, lt, ne
from typing import Any as Anything

from sqlalchemy import ColumnElement, Float, and_, cast, exists, false, func, literal, not_, or_, select
from sqlalchemy.types import Text

from experiments import numbers
from experiments.database import (
    INFINITY,
    LOGGED,
    datasets,
    experiments,
    input_tags,
    inputs,
    latest_metrics,
    runs,
    tags,
)
from experiments.filters import patterns
from experiments.filters.names import ATTRIBUTES
from experiments.filters.syntax import Absent, All, Among, Any, Comparison, Name, Node, Not, Value
from experiments.tracked.marks import LOGGED as FROM_CLIENT
from experiments.tracked.marks import SOURCE_TAG

_mark = tags.alias()
_SOURCE = func.coalesce(
    select(_mark.c.value).where(_mark.c.run_uuid == runs.c.run_uuid, _mark.c.key == SOURCE_TAG)
    .correlate(runs).scalar_subquery(), literal(FROM_CLIENT, Text),
)  # fmt: skip
_ATTRIBUTES: dict[str, ColumnElement[Anything]] = {
    "name": runs.c.name, "status": runs.c.status, "user": runs.c.user_id, "id": runs.c.run_uuid,
    "experiment": experiments.c.name, "artifact_uri": runs.c.artifact_uri, "start": runs.c.start_time,
    "end": runs.c.end_time, "duration": runs.c.end_time - runs.c.start_time, "experiment_id": runs.c.experiment_id,
    "source": _SOURCE,
}  # fmt: skip
_CONTEXT = "mlflow.data.context"
_ORDERS: dict[str, Anything] = {"=": eq, "!=": ne, "<": lt, "<=": le, ">": gt, ">=": ge}
Condition = ColumnElement[bool]
Test = Callable[[ColumnElement[Anything]], Condition]


def condition(node: Node, *, postgresql: bool, listed: bool = False) -> Condition:
    """listed: make a list of the runs whose metric passes, which our index gives at once when they are few.

    Else each run is asked for its metric, which is better when few runs are asked or most pass.
    """
    match node:
        case All(items):
            return and_(*(condition(item, postgresql=postgresql, listed=listed) for item in items))
        case Any(items):
            return or_(*(condition(item, postgresql=postgresql, listed=listed) for item in items))
        case Not(item):
            return not_(condition(item, postgresql=postgresql, listed=listed))
        case Absent(name):
            return not_(_present(name, lambda value: value.is_not(None)))
        case Among(name, values, negated):
            tests = [_test(name, "!=" if negated else "=", value, postgresql, listed) for value in values]
            return and_(*tests) if negated else or_(*tests)
        case Comparison(name, operator, value):
            return _test(name, operator, value, postgresql, listed)


def _test(name: Name, operator: str, value: Value, postgresql: bool, listed: bool) -> Condition:
    if name.kind == "metrics":
        return _metric(name.key, operator, float(value), listed)
    if name.kind == "attributes" and ATTRIBUTES[name.key] not in {"text", "status"}:
        column = _ATTRIBUTES[name.key]
        number = float(value) * 1000 if name.key == "duration" else float(value)
        if math.isnan(number):
            return column.is_not(None) if operator == "!=" else false()
        return and_(column.is_not(None), _ordered(cast(column, Float), operator, literal(number, Float)))
    return _present(name, lambda column: _compared(column, operator, value, postgresql))


def _metric(key: str, operator: str, value: float, listed: bool) -> Condition:
    metric = latest_metrics.alias()
    if math.isnan(value):
        test: Condition = metric.c.is_nan.is_(operator == "=")
    else:
        bound = literal(max(-INFINITY, min(INFINITY, value)), Float)
        test = _ordered(metric.c.value, operator, bound)
        test = or_(metric.c.is_nan.is_(True), test) if operator == "!=" else and_(metric.c.is_nan.is_(False), test)
    if listed:
        return runs.c.run_uuid.in_(select(metric.c.run_uuid).where(metric.c.key == key, test))
    return exists().where(metric.c.run_uuid == runs.c.run_uuid, metric.c.key == key, test).select_from(metric)


def _present(name: Name, test: Test) -> Condition:
    """Whether the run has it, and it passes the test."""
    if name.kind == "attributes":
        column = _ATTRIBUTES[name.key]
        return and_(column.is_not(None), test(column))
    if name.kind == "datasets":
        return _dataset(name.key, test)
    source = LOGGED[name.kind].alias()
    same = and_(source.c.run_uuid == runs.c.run_uuid, source.c.key == name.key)
    return exists().where(same, test(source.c.value)).select_from(source)


def _dataset(key: str, test: Test) -> Condition:
    """Whether one of the datasets that the run took in passes."""
    link, given, tag = inputs.alias(), datasets.alias(), input_tags.alias()
    source: Anything = link.join(given, given.c.dataset_uuid == link.c.source_id)
    column: ColumnElement[Anything] = given.c.digest if key == "digest" else given.c.name
    if key == "context":
        source = source.join(tag, and_(tag.c.input_uuid == link.c.input_uuid, tag.c.name == _CONTEXT))
        column = tag.c.value
    same = [link.c.destination_id == runs.c.run_uuid, link.c.destination_type == "RUN"]
    return exists().where(*same, link.c.source_type == "DATASET", test(column)).select_from(source)


def _compared(column: ColumnElement[Anything], operator: str, value: Value, postgresql: bool) -> Condition:
    if isinstance(value, float):
        number = numbers.of_text(column, postgresql=postgresql)
        return and_(number.is_not(None), _ordered(number, operator, literal(value, Float)))
    if operator in {"like", "not like", "ilike", "not ilike"}:
        found = _like(column, value, operator.endswith("ilike"), postgresql)
        return not_(found) if operator.startswith("not") else found
    if operator in {"~", "!~"}:
        found = _matches(column, value, postgresql)
        return not_(found) if operator == "!~" else found
    if operator in {"=", "!="}:
        return _ordered(column, operator, literal(value, Text))
    return _ordered(column.collate("C") if postgresql else column, operator, literal(value, Text))


def _like(column: ColumnElement[Anything], pattern: str, any_case: bool, postgresql: bool) -> Condition:
    r"""% and _ as in SQL, without an escape. SQLite's LIKE ignores case, so GLOB takes the other part."""
    if any_case:
        return func.lower(column).like(pattern.lower(), escape="") if postgresql else column.like(pattern)
    if postgresql:
        return column.like(pattern, escape="")
    glob = "".join({"%": "*", "_": "?", "*": "[*]", "?": "[?]", "[": "[[]"}.get(letter, letter) for letter in pattern)
    return column.op("GLOB", is_comparison=True)(glob)


def _matches(column: ColumnElement[Anything], pattern: str, postgresql: bool) -> Condition:
    if postgresql:
        return column.op("~", is_comparison=True)(patterns.for_postgresql(pattern))
    return func.covey_matches(pattern, column) == 1


def _ordered(left: ColumnElement[Anything], operator: str, right: ColumnElement[Anything]) -> Condition:
    return _ORDERS[operator](left, right)
