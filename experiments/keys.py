"""The names of metrics, params and tags of a repository, searched: there may be 12,000, so they are never all sent."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Select, case, func, literal, select, union_all

from experiments.database import LOGGED, holds, reading, runs
from experiments.runs import scoped
from experiments.table.columns import written

MOST_FOUND = 50
NEWEST_RUNS = 1000  # whose names are offered; older ones can be typed


def search(workspace: str, text: str, *, limit: int = MOST_FOUND) -> list[str]:
    """Names, as columns and filters write them (metrics.loss), that hold a text.

    Those that begin with it come first, the short before the long. "params.l" looks among params only.
    """
    kind, dot, rest = text.partition(".")
    kinds, wanted = ([kind], rest) if dot and kind in LOGGED else (list(LOGGED), text)
    newest = scoped(select(runs.c.run_uuid), workspace).order_by(runs.c.start_time.desc()).limit(NEWEST_RUNS).subquery()
    parts = [_keys(kind, newest, wanted) for kind in kinds]
    with reading() as reader:
        found = union_all(*parts).subquery()
        begins = case((func.substr(func.lower(found.c.key), 1, len(wanted)) == wanted.lower(), 0), else_=1)
        order = [begins, func.length(found.c.key), found.c.key, found.c.place]
        rows = reader.rows(select(found.c.kind, found.c.key).order_by(*order).limit(limit))
    return [written(kind, key) for kind, key in rows]


def _keys(kind: str, newest: Any, text: str) -> Select[Any]:
    source = LOGGED[kind]
    place = literal(list(LOGGED).index(kind)).label("place")
    named = select(literal(kind).label("kind"), source.c.key, place).distinct()
    named = named.join_from(source, newest, newest.c.run_uuid == source.c.run_uuid)
    return named.where(*holding(kind, source.c.key, text))


def holding(kind: str, key: ColumnElement[Any], text: str) -> list[ColumnElement[bool]]:
    """Names that hold a text, in whatever case; tags of MLflow's own are none."""
    found = [holds(key, text)] if text else []
    return [*found, key.not_like("mlflow.%")] if kind == "tags" else found
