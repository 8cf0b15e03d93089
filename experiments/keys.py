"""The names of metrics, params and tags of a repository, searched: there may be 12,000, so they are never all sent."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Select, case, func, literal, select, union_all

from experiments.database import latest_metrics, params, reading, runs, tags
from experiments.runs import scoped

MOST_FOUND = 50
NEWEST_RUNS = 1000  # whose names are offered; older ones can be typed
KINDS: dict[str, Any] = {"metrics": latest_metrics, "params": params, "tags": tags}


def search(workspace: str, text: str, *, limit: int = MOST_FOUND) -> list[str]:
    """Names, as columns and filters write them (metrics.loss), that hold a text.

    Those that begin with it come first, the short before the long. "params.l" looks among params only.
    """
    kind, dot, rest = text.partition(".")
    kinds, wanted = ([kind], rest) if dot and kind in KINDS else (list(KINDS), text)
    newest = scoped(select(runs.c.run_uuid), workspace).order_by(runs.c.start_time.desc()).limit(NEWEST_RUNS).subquery()
    parts = [_keys(kind, newest, wanted.lower()) for kind in kinds]
    with reading() as reader:
        found = union_all(*parts).subquery()
        begins = case((func.substr(func.lower(found.c.key), 1, len(wanted)) == wanted.lower(), 0), else_=1)
        order = [begins, func.length(found.c.key), found.c.key, found.c.place]
        rows = reader.rows(select(found.c.kind, found.c.key).order_by(*order).limit(limit))
    return [f"{kind}.{key}" for kind, key in rows]


def _keys(kind: str, newest: Any, text: str) -> Select[Any]:
    source = KINDS[kind].alias()
    like = f"%{text.replace('!', '!!').replace('%', '!%').replace('_', '!_')}%"
    place = literal(list(KINDS).index(kind)).label("place")
    named = select(literal(kind).label("kind"), source.c.key, place).distinct()
    named = named.join_from(source, newest, newest.c.run_uuid == source.c.run_uuid)
    named = named.where(func.lower(source.c.key).like(like, escape="!"))
    return named.where(source.c.key.not_like("mlflow.%")) if kind == "tags" else named
