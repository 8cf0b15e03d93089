"""Lineage as JSON."""

from __future__ import annotations

from typing import NotRequired, TypedDict

from experiments.lineage.graph import Graph
from experiments.lineage.nodes import Node
from experiments.lineage.steps import Group, Lineage


class NodeObject(TypedDict):
    """A thing that others were made from, or made."""

    kind: str
    id: str
    name: str
    note: str
    url: str
    lineage_url: str


class GroupObject(TypedDict):
    """Of one kind. at_least: total was not counted to its end. more: how many are on other pages."""

    kind: str
    total: int
    at_least: bool
    more: int
    nodes: list[NodeObject]


class MoreObject(TypedDict):
    node: int
    way: str
    count: int


class GraphObject(TypedDict):
    """edges, more: by the numbers of nodes."""

    nodes: list[NodeObject]
    edges: list[list[int]]
    more: list[MoreObject]


class LineageObject(TypedDict):
    """reproduce: lines for a shell."""

    node: NodeObject
    made_from: list[GroupObject]
    used_by: list[GroupObject]
    reproduce: NotRequired[list[str]]
    graph: NotRequired[GraphObject]


def lineage(found: Lineage) -> LineageObject:
    return {
        "node": node(found.node),
        "made_from": [_group(group) for group in found.made_from],
        "used_by": [_group(group) for group in found.used_by],
    }


def graph(found: Graph) -> GraphObject:
    """nodes in order; edges and more by their numbers."""
    numbers = {ref: number for number, ref in enumerate(found.nodes)}
    more: list[MoreObject] = [
        {"node": numbers[ref], "way": way, "count": n} for (ref, way), n in found.more.items() if ref in numbers
    ]
    return {
        "nodes": [node(one) for one in found.nodes.values()],
        "edges": [[numbers[tail], numbers[head]] for tail, head in found.edges],
        "more": more,
    }


def node(one: Node) -> NodeObject:
    return {
        "kind": one.ref.kind,
        "id": one.ref.id,
        "name": one.label,
        "note": one.note,
        "url": one.url,
        "lineage_url": one.lineage_url,
    }


def _group(group: Group) -> GroupObject:
    return {
        "kind": group.kind,
        "total": group.total,
        "at_least": group.cut,
        "more": group.more,
        "nodes": [node(one) for one in group.nodes],
    }
