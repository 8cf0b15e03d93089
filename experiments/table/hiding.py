"""Which runs a table shows at all: archived ones only when they are asked for."""

from __future__ import annotations

from sqlalchemy import ColumnElement, select

from experiments.database import runs, tags
from experiments.filters.syntax import All, Any, Node, Not
from experiments.tracked.marks import ARCHIVED_TAG

LIVE, ARCHIVED, DELETED, EVERY = "", "archived", "deleted", "all"
SHOWN = {LIVE: "Runs", ARCHIVED: "Archived runs", EVERY: "Runs, also archived", DELETED: "Deleted runs"}


def condition(show: str, node: Node | None) -> list[ColumnElement[bool]]:
    """Of the runs in their lifecycle's stage. node: a filter that speaks of archived runs decides itself."""
    if show in {EVERY, DELETED} or (node is not None and show == LIVE and _names_archived(node)):
        return []
    marked = tags.alias()
    archived = select(marked.c.run_uuid).where(marked.c.key == ARCHIVED_TAG)
    return [runs.c.run_uuid.in_(archived) if show == ARCHIVED else runs.c.run_uuid.not_in(archived)]


def _names_archived(node: Node) -> bool:
    if isinstance(node, All | Any):
        return any(_names_archived(item) for item in node.items)
    if isinstance(node, Not):
        return _names_archived(node.item)
    return node.name.kind == "tags" and node.name.key == ARCHIVED_TAG
