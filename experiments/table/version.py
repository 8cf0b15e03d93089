"""Whether anything changed in the runs of a repository since somebody looked: a few numbers that its writes move."""

from __future__ import annotations

import hashlib
from typing import Any

from sqlalchemy import ColumnElement, case, func, select

from experiments.database import latest_metrics, reading, runs
from experiments.ordering import ALL_RUNS
from experiments.runs import scoped

RUNNING = "RUNNING"


def version(workspace: str) -> str:
    """Two statements: runs that came, ended or went, and the last points of those that are going on.

    Tags and names, which people change by hand, are not in it.
    """
    running = func.sum(case((runs.c.status == RUNNING, 1), else_=0))
    told: list[ColumnElement[Any]] = [func.count(), func.max(runs.c.start_time), func.max(runs.c.end_time), running]
    last = latest_metrics.c
    points: list[ColumnElement[Any]] = [func.max(last.timestamp), func.count(last.run_uuid), func.sum(last.step)]
    joined = ALL_RUNS.join(latest_metrics, last.run_uuid == runs.c.run_uuid)
    with reading() as reader:
        found = list(reader.rows(scoped(select(*told), workspace)))
        found += reader.rows(scoped(select(*points), workspace, joined).where(runs.c.status == RUNNING))
    return hashlib.sha256(repr([tuple(map(str, row)) for row in found]).encode()).hexdigest()[:16]
