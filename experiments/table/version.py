"""Whether anything changed in the runs of a repository since somebody looked: a few numbers that its writes move."""

from __future__ import annotations

import hashlib
import time
from functools import lru_cache
from typing import Any

from django.core.cache import cache
from sqlalchemy import ColumnElement, case, func, select

from experiments import snapshot
from experiments.database import latest_metrics, reading, runs
from experiments.mlflow.context import workspace_of
from experiments.ordering import ALL_RUNS
from experiments.runs import scoped

RUNNING = "RUNNING"
KEPT_SECONDS = 3600  # when it is forgotten, every table takes its parts once more, and finds the same


def changed(repository_id: int) -> None:
    """Somebody changed names, tags or params, which move no time in MLflow's rows."""
    cache.set(_key(repository_id), time.time_ns(), KEPT_SECONDS)


def version(repository_id: int) -> str:
    told = [cache.get(_key(repository_id)), *_told(workspace_of(repository_id), snapshot.current())]
    return hashlib.sha256(repr(told).encode()).hexdigest()[:16]


@lru_cache(maxsize=256)
def _told(workspace: str, _: str) -> list[tuple[str, ...]]:
    """Two statements: runs that came, ended or went, and the last points of those that are going on."""
    running = func.sum(case((runs.c.status == RUNNING, 1), else_=0))
    told: list[ColumnElement[Any]] = [func.count(), func.max(runs.c.start_time), func.max(runs.c.end_time), running]
    last = latest_metrics.c
    points: list[ColumnElement[Any]] = [func.max(last.timestamp), func.count(last.run_uuid), func.sum(last.step)]
    joined = ALL_RUNS.join(latest_metrics, last.run_uuid == runs.c.run_uuid)
    with reading() as reader:
        found = list(reader.rows(scoped(select(*told), workspace)))
        found += reader.rows(scoped(select(*points), workspace, joined).where(runs.c.status == RUNNING))
    return [tuple(map(str, row)) for row in found]


def _key(repository_id: int) -> str:
    return f"runs-changed:{repository_id}"
