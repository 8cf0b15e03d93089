"""Lineage as JSON."""

from __future__ import annotations

from typing import Any

from experiments.lineage.graph import Graph
from experiments.lineage.nodes import Node, Ref
from experiments.lineage.steps import Group, Lineage


def lineage(found: Lineage) -> dict[str, Any]:
    return {
        "node": node(found.node),
        "made_from": [_group(group) for group in found.made_from],
        "used_by": [_group(group) for group in found.used_by],
    }


def graph(found: Graph) -> dict[str, Any]:
    """nodes in order; edges and more by their numbers."""
    numbers = {ref: number for number, ref in enumerate(found.nodes)}
    more = [{"node": numbers[ref], "way": way, "count": n} for (ref, way), n in found.more.items() if ref in numbers]
    return {
        "nodes": [node(one) for one in found.nodes.values()],
        "edges": [[numbers[tail], numbers[head]] for tail, head in found.edges],
        "more": more,
    }


def node(one: Node) -> dict[str, str]:
    return {**_ref(one.ref), "name": one.label, "note": one.note, "url": one.url, "lineage_url": one.lineage_url}


def _ref(ref: Ref) -> dict[str, str]:
    return {"kind": ref.kind, "id": ref.id}


def _group(group: Group) -> dict[str, Any]:
    return {
        "kind": group.kind,
        "total": group.total,
        "at_least": group.cut,
        "more": group.more,
        "nodes": [node(one) for one in group.nodes],
    }
