"""The graph around one thing: everything it was made from, and everything made from it, to a bounded depth and size."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from experiments.lineage.nodes import Node, Ref, described
from experiments.lineage.relations import DOWN, UP, Relation
from repos.models import Repository

DEPTH, MOST_NODES, PER_NODE = 4, 200, 12


@dataclass
class Graph:
    """edges: (what was used, what was made from it). more: what each thing leads to that is left out, {"up", "down"}:
    how many."""

    start: Ref
    nodes: dict[Ref, Node] = field(default_factory=dict)
    edges: list[tuple[Ref, Ref]] = field(default_factory=list)
    more: dict[tuple[Ref, str], int] = field(default_factory=dict)


def graph(repository: Repository, start: Ref, *, depth: int = DEPTH) -> Graph:
    """At most MOST_NODES things, at most PER_NODE more for each, at most `depth` steps away. A fixed number of queries
    per step."""
    found = Graph(start)
    refs: dict[Ref, None] = {start: None}
    edges: dict[tuple[Ref, Ref], None] = {}
    for way, relations in (("up", UP), ("down", DOWN)):
        here, walked = [start], {start}
        for _ in range(depth):
            here = _step(repository, found, here, way, relations, refs, edges)
            here = [ref for ref in dict.fromkeys(here) if ref not in walked]
            walked.update(here)
    found.nodes = described(repository, refs)
    found.edges = [(tail, head) for tail, head in edges if tail in found.nodes and head in found.nodes]
    return found


def _step(
    repository: Repository,
    found: Graph,
    here: Sequence[Ref],
    way: str,
    relations: dict[str, Sequence[Relation]],
    refs: dict[Ref, None],
    edges: dict[tuple[Ref, Ref], None],
) -> list[Ref]:
    """Take one step from all of these; where it led to."""
    reached: list[Ref] = []
    for ref, others in _neighbours(repository, here, relations).items():
        for number, other in enumerate(others):
            if other not in refs and (number >= PER_NODE or len(refs) >= MOST_NODES):
                found.more[ref, way] = found.more.get((ref, way), 0) + 1
                continue
            refs[other] = None
            edges[(other, ref) if way == "up" else (ref, other)] = None
            reached.append(other)
    return reached


def _neighbours(
    repository: Repository, here: Iterable[Ref], relations: dict[str, Sequence[Relation]]
) -> dict[Ref, dict[Ref, None]]:
    by_kind: dict[str, list[str]] = {}
    found: dict[Ref, dict[Ref, None]] = {}
    for ref in here:
        by_kind.setdefault(ref.kind, []).append(ref.id)
        found[ref] = {}
    for kind, ids in by_kind.items():
        for relation in relations[kind]:
            for id, other in relation(repository, ids):
                found[Ref(kind, id)][other] = None
    return found
