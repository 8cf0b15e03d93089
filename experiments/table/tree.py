"""Runs inside runs, as MLflow's clients nest them: a tag of the child names its parent.

A table of the tree lists what has no parent here; a filter keeps the parents of what passes. A run below one that was
deleted stands at the top. (Runs that are each other's parents stand nowhere: the flat table has them.)
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, FromClause, Select, and_, case, exists, func, select

from experiments.database import Reader, runs, tags
from experiments.database import experiments as of_workspace
from experiments.ordering import ALL_RUNS
from experiments.runs import ACTIVE, PARENT_TAG

MOST_OPEN, MOST_CHILDREN = 50, 500  # runs opened at once, and rows that come of it
MOST_DEPTH = 8  # what is deeper is shown as deep as this
Keeping = Callable[[Select[Any], FromClause], Select[Any]]  # keeps a statement to runs that may be seen


@dataclass(frozen=True)
class Nest:
    """Where a run stands. children: those that pass; outside: it is here only for what is below it."""

    depth: int = 0
    children: int = 0
    open: bool = False
    outside: bool = False


def is_there(experiment_ids: Sequence[int]) -> ColumnElement[bool]:
    """Whether any run of these experiments names a parent: without one the tree is the flat table, which is quicker."""
    joined = runs.join(tags, tags.c.run_uuid == runs.c.run_uuid)
    return exists().where(tags.c.key == PARENT_TAG, runs.c.experiment_id.in_(experiment_ids)).select_from(joined)


def top(workspace: str) -> ColumnElement[bool]:
    """Whether a run has no parent among the live runs of the workspace."""
    link, above = tags.alias(), runs.alias()
    here = select(of_workspace.c.experiment_id).where(of_workspace.c.workspace == workspace).correlate(None)
    parent = exists().where(
        link.c.run_uuid == runs.c.run_uuid, link.c.key == PARENT_TAG, above.c.lifecycle_stage == ACTIVE,
        above.c.experiment_id.in_(here), above.c.run_uuid != runs.c.run_uuid,
    )  # fmt: skip
    return ~parent.select_from(link.join(above, above.c.run_uuid == link.c.value))


def above(passing: Keeping) -> ColumnElement[bool]:
    """Whether a run is above one that passes, however far. passing: keeps a statement to those."""
    link = tags.alias()
    source = ALL_RUNS.join(link, and_(link.c.run_uuid == runs.c.run_uuid, link.c.key == PARENT_TAG))
    found = passing(select(link.c.value.label("id")), source).correlate(None).cte(recursive=True)
    further = tags.alias()
    up = select(further.c.value).join_from(found, further, further.c.run_uuid == found.c.id)
    found = found.union(up.where(further.c.key == PARENT_TAG))
    return runs.c.run_uuid.in_(select(found.c.id))


def children(keep: Keeping, of: Sequence[str], wanted: Select[Any], source: FromClause = ALL_RUNS) -> Select[Any]:
    """wanted, of the children of some runs, with their parent as `parent`. source: what wanted is selected from."""
    link = tags.alias()
    joined = source.join(link, and_(link.c.run_uuid == runs.c.run_uuid, link.c.key == PARENT_TAG))
    found = keep(wanted.add_columns(link.c.value.label("parent")), joined)
    return found.where(link.c.value.in_(of), link.c.value != runs.c.run_uuid)


def counts(reader: Reader, keep: Keeping, of: Sequence[str]) -> dict[str, int]:
    """run id → how many children it has; runs without any are left out."""
    if not of:
        return {}
    found = children(keep, of, select(runs.c.run_uuid)).subquery()
    counted = select(found.c.parent, func.count()).group_by(found.c.parent)
    return {parent: number for parent, number in reader.rows(counted)}


def flattened(roots: Sequence[Any], below: Sequence[Any], counted: dict[str, int]) -> tuple[list[Any], dict[str, Nest]]:
    """Roots with their open children under them, as rows and where each stands. below: rows with `parent`."""
    of_parent: dict[str, list[Any]] = defaultdict(list)
    for row in below:
        of_parent[row.parent].append(row)
    nests: dict[str, Nest] = {}

    def walk(rows: Sequence[Any], depth: int) -> Iterator[Any]:
        for row in rows:
            if row.run_uuid in nests:
                continue
            inner = of_parent.get(row.run_uuid, [])
            outside = not getattr(row, "passes", 1)
            nests[row.run_uuid] = Nest(min(depth, MOST_DEPTH), counted.get(row.run_uuid, 0), bool(inner), outside)
            yield row
            yield from walk(inner, depth + 1)

    return list(walk(roots, 0)), nests


def passes(conditions: Sequence[ColumnElement[bool]]) -> ColumnElement[int]:
    """Whether a run is here for its own sake, as a column."""
    return case((and_(*conditions), 1), else_=0).label("passes")
