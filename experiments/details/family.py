"""The run that a run belongs to, and those that belong to it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import and_, select

from experiments.database import Reader, reading, runs, tags
from experiments.ordering import ALL_RUNS
from experiments.runs import PARENT_TAG, Run, scoped

MOST_CHILDREN = 50


@dataclass(frozen=True)
class Relative:
    run_id: str
    name: str
    status: str


@dataclass(frozen=True)
class Family:
    """parent: None when there is none here. children: the newest; more: there are others."""

    parent: Relative | None
    children: list[Relative]
    more: bool


def of_run(workspace: str, run: Run) -> Family:
    """Two statements at most. Deleted runs are left out."""
    named = run.tags.get(PARENT_TAG, "")
    with reading() as reader:
        parent = _read(reader, workspace, runs.c.run_uuid == named, ALL_RUNS, 1) if named else []
        tagged = and_(tags.c.run_uuid == runs.c.run_uuid, tags.c.key == PARENT_TAG)
        of_this = tags.c.value == run.run_id
        children = _read(reader, workspace, of_this, ALL_RUNS.join(tags, tagged), MOST_CHILDREN + 1)
    return Family(parent[0] if parent else None, children[:MOST_CHILDREN], len(children) > MOST_CHILDREN)


def named(workspace: str, run_ids: Sequence[str]) -> list[Relative]:
    """Those of these runs that are here, newest first."""
    if not run_ids:
        return []
    with reading() as reader:
        return _read(reader, workspace, runs.c.run_uuid.in_(run_ids), ALL_RUNS, len(run_ids))


def _read(reader: Reader, workspace: str, where: Any, source: Any, limit: int) -> list[Relative]:
    wanted = scoped(select(runs.c.run_uuid, runs.c.name, runs.c.status), workspace, source).where(where)
    newest = wanted.order_by(runs.c.start_time.desc(), runs.c.run_uuid).limit(limit)
    return [Relative(row.run_uuid, row.name or row.run_uuid[:8], row.status or "") for row in reader.rows(newest)]
