"""The drawing: every box has its own place, and lines lead from the right of one to the left of another."""

from __future__ import annotations

import json
import re
from itertools import combinations

from hypothesis import given, settings
from hypothesis import strategies as st

from datasets.pipelines import boxes
from datasets.pipelines.graph import cycle, graph
from datasets.pipelines.layout import draw, layout

Edges = list[tuple[int, int]]
EDGES = st.lists(st.tuples(st.integers(0, 11), st.integers(0, 11)), max_size=30, unique=True)


def overlap(one: list[float], other: list[float]) -> bool:
    return all(one[i] < other[i] + other[i + 2] and other[i] < one[i] + one[i + 2] for i in (0, 1))


@settings(max_examples=60, deadline=None)
@given(edges=EDGES, widths=st.lists(st.integers(100, 300), min_size=12, max_size=12))
def test_any_graph_is_drawn_without_overlaps(edges: Edges, widths: list[int]) -> None:
    sizes = [[float(width), boxes.HEIGHT] for width in widths]
    drawn = draw(sizes, edges)
    placed = [[*at, *size] for at, size in zip(drawn["boxes"], sizes, strict=True)]
    assert not any(overlap(one, other) for one, other in combinations(placed, 2))
    assert len(drawn["lines"]) == len(edges)
    for x, y, width, height in placed:
        assert min(x, y) >= 0
        assert x + width <= drawn["width"]
        assert y + height <= drawn["height"]
    for (tail, head), line in zip(edges, drawn["lines"], strict=True):
        numbers = [float(number) for number in re.findall(r"-?[\d.]+", line)]
        assert abs(numbers[0] - placed[tail][0] - placed[tail][2]) < 0.2
        assert abs(numbers[-2] - placed[head][0]) < 0.2


def test_a_chain_goes_from_left_to_right_and_a_long_line_passes_beside_it():
    drawn = layout(json.dumps({"boxes": [[100, 44]] * 3, "edges": [[0, 1], [1, 2], [0, 2]]}).encode())
    lefts = [x for x, _ in drawn["boxes"]]
    assert lefts == sorted(lefts)
    middle = drawn["boxes"][1]
    passing = re.search(r"C[-\d. ]* ([-\d.]+)H", drawn["lines"][2])
    assert passing
    assert not middle[1] <= float(passing.group(1)) <= middle[1] + 44


def test_a_deep_chain_is_drawn():
    found = {"boxes": [[100, 44]] * 500, "edges": [[n, n + 1] for n in range(499)]}
    assert len(layout(json.dumps(found).encode())["boxes"]) == 500


def test_circles_are_found():
    assert cycle(3, [(0, 1), (1, 2)]) == []
    assert sorted(cycle(4, [(0, 1), (1, 2), (2, 1), (2, 3)])) == [1, 2]
    assert cycle(1, [(0, 0)]) == [0]
    assert cycle(5_000, [(n, n + 1) for n in range(4_999)]) == []


def test_edges_follow_paths_and_folders():
    def stage(deps: list[str], outs: list[str]) -> dict[str, object]:
        paths = {"deps": [{"path": dep} for dep in deps], "outs": [{"path": out} for out in outs]}
        return {**paths, "params": [], "address": "x"}

    found = graph(
        [stage(["raw"], ["data"]), stage(["data/a/b"], ["out/x"]), stage(["out", "data2"], []), stage(["out/x"], [])],
        {"raw/one": "raw/one.dvc", "raw/two": "raw/two.dvc", "other": "other.dvc"},
    )
    assert sorted(found["edges"]) == [[0, 1], [1, 2], [1, 3], [4, 0], [5, 0]]
    assert [source["pointer"] for source in found["sources"]] == ["raw/one.dvc", "raw/two.dvc"]


@given(text=st.text(max_size=200))
def test_labels_fit_into_their_boxes(text: str) -> None:
    label = boxes.shortened(text)
    assert boxes.size(label)[0] <= boxes.size("x" * boxes.LONGEST)[0]
    assert label.isprintable()
