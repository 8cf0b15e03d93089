"""The values of some metrics, params and tags of the runs of a page, in one statement.

PostgreSQL sends each run's as one JSON object: thousands of rows take Python longer to receive than them to be found.
SQLite's JSON cuts numbers off after 15 digits, so there it is a row for each value.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Float,
    Select,
    any_,
    case,
    cast,
    func,
    literal,
    null,
    select,
    type_coerce,
    union_all,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.types import NullType, Text

from experiments.database import LOGGED, Reader, latest_metrics, logged

FEW = 200  # metrics of a run: all of them are read rather than each looked for
FEW_COLUMNS = 10  # are looked for in any case
Values = tuple[dict[str, float], dict[str, str], dict[str, str]]  # metrics, params and tags by their keys


def read(reader: Reader, ids: Sequence[str], wanted: Mapping[str, Sequence[str]]) -> dict[str, Values]:
    """run id → its values. wanted: kind (see LOGGED) → keys."""
    found: dict[str, Values] = {run_id: ({}, {}, {}) for run_id in ids}
    kinds = {kind: list(keys) for kind, keys in wanted.items() if keys}
    if not ids or not kinds:
        return found
    if reader.postgresql:
        objects = (_objects(kind, list(ids), keys) for kind, keys in kinds.items())
        for run_id, kind, pairs in reader.tuples(union_all(*objects)):
            if kind == "metrics":
                found[run_id][0].update((key, logged(float(value), False)) for key, value in json.loads(pairs).items())
            else:
                found[run_id][1 if kind == "params" else 2].update(json.loads(pairs))
        return found
    by_run = max(map(len, kinds.values())) > FEW_COLUMNS and _is_narrow(reader, ids[0])
    rows = (_rows(kind, ids, keys, by_run=by_run) for kind, keys in kinds.items())
    for run_id, kind, key, value in reader.tuples(union_all(*rows)):
        if kind == "metrics":
            found[run_id][0][key] = math.nan if value is None else logged(value, False)
        else:
            found[run_id][1 if kind == "params" else 2][key] = value
    return found


def _objects(kind: str, ids: list[str], keys: list[str]) -> Select[Any]:
    """(run id, kind, {key: value} as JSON). Each list is one parameter, whatever its length: so is the statement."""
    source = LOGGED[kind]
    value: ColumnElement[Any] = source.c.value
    if kind == "metrics":
        value = case((source.c.is_nan, literal(float("nan"), Float(53))), else_=value)
    pairs = cast(func.json_object_agg(source.c.key, value), Text)
    here = [source.c[name] == any_(literal(those, ARRAY(Text))) for name, those in (("run_uuid", ids), ("key", keys))]
    return select(source.c.run_uuid, literal(kind), pairs).where(*here).group_by(source.c.run_uuid)


def _rows(kind: str, ids: Sequence[str], keys: Sequence[str], *, by_run: bool) -> Select[Any]:
    """(run id, kind, key, value: a number, None for NaN, or a text). by_run: read all of a run by its index, not each
    key by MLflow's."""
    source = LOGGED[kind]
    value: ColumnElement[Any] = type_coerce(source.c.value, NullType)
    if kind == "metrics":
        value = case((source.c.is_nan, null()), else_=value)
    key = source.c.key.op("||")("") if by_run or kind == "tags" else source.c.key  # an expression is in no index
    wanted = select(source.c.run_uuid, literal(kind), source.c.key, value)
    return wanted.where(source.c.run_uuid.in_(ids), key.in_(keys))


def _is_narrow(reader: Reader, run_id: str) -> bool:
    """Whether a run has few metrics; those beside it will be alike, and take longer where they are not."""
    some = select(literal(1)).select_from(latest_metrics).where(latest_metrics.c.run_uuid == run_id).limit(FEW + 1)
    return bool(reader.rows(select(func.count()).select_from(some.subquery()))[0][0] <= FEW)
