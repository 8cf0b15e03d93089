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
    routes: dict[tuple[int, int], list[tuple[float, float]]] = {}
    at: dict[int, tuple[float, float]] = {}
    bottom = MARGIN
    for part in sorted(graph.C, key=lambda part: -len(part.sV)):
        bottom = _part(part, at, routes, top=bottom) + GAP_PARTS
    lines = [_line(boxes, at, tail, head, routes.get((tail, head), [])) for tail, head in edges]
    width = max((at[n][0] + boxes[n][0] for n in at), default=0.0) + MARGIN
    height = max((at[n][1] + boxes[n][1] for n in at), default=0.0) + MARGIN
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
    routes: dict[tuple[int, int], list[tuple[float, float]]],
    *,
    top: float,
) -> float:
    """Place one connected part below `top`; its bottom."""
    found: dict[tuple[int, int], list[tuple[float, float]]] = {}
    if len(part.sV) == 1:
        only = next(iter(part.sV))
        at[only.data] = (MARGIN, top)
        return top + only.view.w
    sugiyama = SugiyamaLayout(part)
    sugiyama.xspace, sugiyama.yspace = GAP_DOWN, GAP_ACROSS
    sugiyama.route_edge = lambda edge, points: found.update({(edge.v[0].data, edge.v[1].data): list(points)})
    roots = [vertex for vertex in part.sV if not vertex.e_in()]
    sugiyama.init_all(roots=roots or None, optimize=True)
    sugiyama.draw(ROUNDS)
    widest: dict[float, float] = {}  # of the boxes in one layer, which begin on one line
    for vertex in part.sV:
        middle = vertex.view.xy[1]
        widest[middle] = max(widest.get(middle, 0.0), vertex.view.h)
    placed = [(v.data, v.view.xy[1] - widest[v.view.xy[1]] / 2, v.view.xy[0] - v.view.w / 2, v.view.w) for v in part.sV]
    left, up = min(x for _, x, _, _ in placed), min(y for _, _, y, _ in placed)
    bends = [(x, y) for points in found.values() for y, x in points[1:-1]]
    up = min([up, *(y for _, y in bends)])
    for number, x, y, _ in placed:
        at[number] = (x - left + MARGIN, y - up + top)
    for edge, points in found.items():
        routes[edge] = [(x - left + MARGIN, y - up + top) for y, x in points[1:-1]]
    lowest = max([y + height for _, _, y, height in placed] + [y for _, y in bends])
    return float(lowest - up + top)


def _line(
    boxes: list[list[float]], at: dict[int, tuple[float, float]], tail: int, head: int, bends: list[tuple[float, float]]
) -> str:
    """From the right of one box to the left of another, through the places that the layout left free for it."""
    x, y = at[tail][0] + boxes[tail][0], at[tail][1] + boxes[tail][1] / 2
    end = (at[head][0], at[head][1] + boxes[head][1] / 2)
    inside = sorted((point for point in bends if x < point[0] < end[0]), key=lambda point: point[0])
    path = [f"M{_round(x)} {_round(y)}"]
    for to_x, to_y in [*inside, end]:
        bend = max(abs(to_x - x) / 2, 12.0)
        numbers = (x + bend, y, to_x - bend, to_y, to_x, to_y)
        path.append("C" + " ".join(str(_round(n)) for n in numbers))
        x, y = to_x, to_y
    return "".join(path)


def _round(number: float) -> float | int:
    rounded = round(number, 1)
    return int(rounded) if rounded == int(rounded) else rounded
