"""Which stage needs what another makes: edges as DVC draws them, from an output to every stage that depends on it, on
something inside of it, or on a folder around it."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

MAX_EDGES = 20_000


def graph(stages: Sequence[dict[str, Any]], data: Mapping[str, str]) -> dict[str, Any]:
    """{"sources", "edges", "cycle", "clashes", "cut"} of resolved stages. data: outputs of .dvc files, path → pointer.

    A node is a stage by its number, or after all stages a source, {"path", "pointer"}: data that a stage depends on.
    edges: [from, to]. cycle: numbers of stages that wait for each other. clashes: [path, address, address] made twice.
    cut: there are more edges than MAX_EDGES.
    """
    made: dict[str, int] = {}
    clashes: list[list[str]] = []
    for number, stage in enumerate(stages):
        for out in stage["outs"]:
            if out["path"] and made.setdefault(out["path"], number) != number:
                clashes.append([out["path"], stages[made[out["path"]]]["address"], stage["address"]])
    pointers = sorted(set(data.values()))
    sources = {pointer: len(stages) + number for number, pointer in enumerate(pointers)}
    makers = {path: sources[pointer] for path, pointer in data.items()} | made
    edges, cut = _edges(stages, makers)
    used = sorted({tail for tail, _ in edges if tail >= len(stages)})
    renamed = {old: len(stages) + number for number, old in enumerate(used)}
    paths = {pointer: path for path, pointer in sorted(data.items(), reverse=True)}
    return {
        "sources": [_source(pointers[old - len(stages)], paths) for old in used],
        "edges": [[renamed.get(tail, tail), head] for tail, head in edges],
        "cycle": cycle(len(stages), edges),
        "clashes": clashes,
        "cut": cut,
    }


def _source(pointer: str, paths: dict[str, str]) -> dict[str, str]:
    return {"path": paths[pointer], "pointer": pointer}


def _edges(stages: Sequence[dict[str, Any]], makers: dict[str, int]) -> tuple[list[tuple[int, int]], bool]:
    in_order = sorted(makers)
    found: dict[tuple[int, int], None] = {}
    for number, stage in enumerate(stages):
        for path in (*(d["path"] for d in stage["deps"]), *(p["file"] for p in stage["params"])):
            for maker in _overlapping(path, makers, in_order):
                found[maker, number] = None
                if len(found) > MAX_EDGES:
                    return list(found)[:MAX_EDGES], True
    return list(found), False


def _overlapping(path: str, makers: dict[str, int], in_order: list[str]) -> Iterator[int]:
    """Who makes a path, a folder around it, or something below it."""
    if not path:
        return
    around = path
    while around:
        if around in makers:
            yield makers[around]
        around = around.rpartition("/")[0]
    below = f"{path}/"
    for place in range(bisect_left(in_order, below), len(in_order)):
        if not in_order[place].startswith(below):
            return
        yield makers[in_order[place]]


def cycle(count: int, edges: Sequence[tuple[int, int]]) -> list[int]:
    """The numbers of stages in one circle, in order; [] when there is none."""
    after: dict[int, list[int]] = {}
    for tail, head in edges:
        after.setdefault(tail, []).append(head)
    done: set[int] = set()
    for start in range(count):
        if start in done:
            continue
        path, here = [start], {start}
        walks = [iter(after.get(start, ()))]
        while walks:
            step = next(walks[-1], None)
            if step is None:
                walks.pop()
                last = path.pop()
                here.discard(last)
                done.add(last)
            elif step in here:
                return path[path.index(step) :]
            elif step not in done:
                path.append(step)
                here.add(step)
                walks.append(iter(after.get(step, ())))
    return []
