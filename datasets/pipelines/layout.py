"""Where the boxes of a graph stand, and how its lines run: Sugiyama's layers by grandalf, from left to right.

Runs in the sandbox: a hostile graph may take long.
"""

from __future__ import annotations

import json
import sys
from typing import Any

from grandalf.graphs import Edge, Graph, Vertex
from grandalf.layouts import SugiyamaLayout, VertexViewer

GAP_ACROSS, GAP_DOWN, GAP_PARTS, MARGIN = 56.0, 14.0, 24.0, 8.0  # CSS pixels, as all here
ROUNDS = 3
Bend = tuple[float, float, float]  # where a line passes a layer: its left, its right, and how far down


class Route:
    """What grandalf tells of an edge: its points, with places to pass between the first and the last."""

    def __init__(self, tail: int, head: int) -> None:
        self.tail, self.head = tail, head
        self.bends: list[tuple[float, float]] = []

    def setpath(self, points: list[tuple[float, float]]) -> None:
        self.bends = list(points)[1:-1]


def layout(payload: bytes) -> dict[str, Any]:
    """payload: JSON, {"boxes": [[width, height], …], "edges": [[from, to], …]} by number of box.

    Answers {"width", "height", "boxes": [[left, top], …], "lines": ["M…", …]}: SVG paths, in the order of edges.
    """
    asked = json.loads(payload)
    sys.setrecursionlimit(20_000)  # grandalf walks a chain of boxes by calling itself
    return draw(asked["boxes"], [tuple(edge) for edge in asked["edges"]])


def draw(boxes: list[list[float]], edges: list[tuple[int, int]]) -> dict[str, Any]:
    vertices = [Vertex(number) for number in range(len(boxes))]
    for vertex, (width, height) in zip(vertices, boxes, strict=True):
        vertex.view = VertexViewer(w=height, h=width)  # grandalf draws from top to bottom: turned around below
    loops = [(tail, head) for tail, head in edges if tail == head]
    joined = {(tail, head): Edge(vertices[tail], vertices[head]) for tail, head in edges if tail != head}
    graph = Graph(vertices, list(joined.values()), directed=True)
    routes: dict[tuple[int, int], list[Bend]] = {}
    at: dict[int, tuple[float, float]] = {}
    bottom = MARGIN
    for part in sorted(graph.C, key=lambda part: -len(part.sV)):
        bottom = _part(part, at, routes, top=bottom) + GAP_PARTS
    lines = [_line(boxes, at, tail, head, routes.get((tail, head), [])) for tail, head in edges]
    width = max((at[n][0] + boxes[n][0] for n in at), default=0.0) + MARGIN
    height = max([bottom - GAP_PARTS, *(at[n][1] + boxes[n][1] for n in at)]) + MARGIN
    assert len(at) == len(boxes)
    return {
        "width": _round(width),
        "height": _round(height + (GAP_DOWN if loops else 0)),
        "boxes": [[_round(at[n][0]), _round(at[n][1])] for n in range(len(boxes))],
        "lines": lines,
    }


def _part(
    part: Any,
    at: dict[int, tuple[float, float]],
    routes: dict[tuple[int, int], list[Bend]],
    *,
    top: float,
) -> float:
    """Place one connected part below `top`; its bottom."""
    if len(part.sV) == 1:
        only = next(iter(part.sV))
        at[only.data] = (MARGIN, top)
        return top + only.view.w
    sugiyama = SugiyamaLayout(part)
    sugiyama.xspace, sugiyama.yspace = GAP_DOWN, GAP_ACROSS
    for edge in part.sE:
        edge.view = Route(edge.v[0].data, edge.v[1].data)
    roots = [vertex for vertex in part.sV if not vertex.e_in()]
    sugiyama.init_all(roots=roots or None, optimize=True)
    sugiyama.draw(ROUNDS)
    widest: dict[float, float] = {}  # of the boxes in one layer, which begin on one line
    for vertex in part.sV:
        middle = vertex.view.xy[1]
        widest[middle] = max(widest.get(middle, 0.0), vertex.view.h)
    placed = [(v.data, v.view.xy[1] - widest[v.view.xy[1]] / 2, v.view.xy[0] - v.view.w / 2, v.view.w) for v in part.sV]
    left, up = min(x for _, x, _, _ in placed), min(y for _, _, y, _ in placed)
    found = [edge.view for edge in part.sE]
    bends = [bend for route in found for bend in route.bends]
    up = min([up, *(y for y, _ in bends)])
    for number, x, y, _ in placed:
        at[number] = (x - left + MARGIN, y - up + top)
    for route in found:
        bent = [(x - left + MARGIN, y - up + top, widest.get(x, 0.0) / 2) for y, x in route.bends]
        routes[route.tail, route.head] = [(x - half, x + half, y) for x, y, half in bent]
    lowest = max([y + height for _, _, y, height in placed] + [y for y, _ in bends])
    return float(lowest - up + top)


def _line(boxes: list[list[float]], at: dict[int, tuple[float, float]], tail: int, head: int, bends: list[Bend]) -> str:
    """From the right of one box to the left of another, through the places that the layout left free for it."""
    x, y = at[tail][0] + boxes[tail][0], at[tail][1] + boxes[tail][1] / 2
    end = (at[head][0], at[head][0], at[head][1] + boxes[head][1] / 2)
    inside = sorted(bend for bend in bends if x < bend[0] and bend[1] < end[0])
    path = [f"M{_round(x)} {_round(y)}"]
    for left, right, to_y in [*inside, end]:
        bend = max(abs(left - x) / 2, 12.0)
        numbers = (x + bend, y, left - bend, to_y, left, to_y)
        path.append("C" + " ".join(str(_round(n)) for n in numbers))
        if right > left:
            path.append(f"H{_round(right)}")
        x, y = right, to_y
    return "".join(path)


def _round(number: float) -> float | int:
    rounded = round(number, 1)
    return int(rounded) if rounded == int(rounded) else rounded
