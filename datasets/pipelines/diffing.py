"""What changed between the pipelines of two revisions, stage by stage."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

ADDED, REMOVED, CHANGED, SAME = "added", "removed", "changed", "same"
STATUSES = (ADDED, REMOVED, CHANGED, SAME)
FLAGS = ("wdir", "frozen", "always_changed", "desc")
_NONE: dict[str, Any] = {"stages": [], "sources": [], "edges": [], "problems": []}


def compare(base: dict[str, Any] | None, head: dict[str, Any] | None) -> dict[str, Any]:
    """{"summary", "stages", "sources", "edges"} of two documents of states.compare; None for no pipeline at all.

    stages: head's in its order, then those removed. Nodes are numbered as in graph.graph: stages, then sources.
    edges: [from, to, status].
    """
    one, other = base or _NONE, head or _NONE
    old = {stage["address"]: stage for stage in one["stages"]}
    new = {stage["address"]: stage for stage in other["stages"]}
    stages = [_stage(old.get(address), stage) for address, stage in new.items()]
    stages += [_stage(stage, None) for address, stage in old.items() if address not in new]
    sources = {source["pointer"]: source for document in (one, other) for source in document["sources"]}
    numbers = {name: number for number, name in enumerate([*(s["address"] for s in stages), *sources])}
    before, after = _edges(one), _edges(other)
    return {
        "summary": {f"stages_{status}": sum(s["status"] == status for s in stages) for status in STATUSES},
        "stages": stages,
        "sources": list(sources.values()),
        "edges": [
            [numbers[tail], numbers[head], _status((tail, head) in before, (tail, head) in after)]
            for tail, head in dict.fromkeys([*after, *before])
        ],
    }


def _edges(document: dict[str, Any]) -> dict[tuple[str, str], None]:
    names = [*(s["address"] for s in document["stages"]), *(s["pointer"] for s in document["sources"])]
    return {(names[tail], names[head]): None for tail, head in document["edges"]}


def _status(before: bool, after: bool) -> str:
    return SAME if before and after else ADDED if after else REMOVED


def _stage(old: dict[str, Any] | None, new: dict[str, Any] | None) -> dict[str, Any]:
    shown = new or old
    assert shown is not None
    found: dict[str, Any] = {key: shown[key] for key in ("address", "name", "group", "file", "resolved")}
    found |= {
        "cmd": None,
        "flags": [],
        "deps": list(_items(old, new, "deps", _path, _dep_same, ("path", "held"))),
        "params": list(_items(old, new, "params", _param, _param_same, ("file", "written", "name", "value"))),
        "outs": list(_items(old, new, "outs", _path, _out_same, ("path", "kind", "cache", "held"))),
    }
    if old is None or new is None or old["cmd"] != new["cmd"]:
        found["cmd"] = {"old": old["cmd"] if old else None, "new": new["cmd"] if new else None}
    if old is None or new is None:
        return found | {"status": ADDED if new else REMOVED}
    found["flags"] = [{"name": f, "old": old[f], "new": new[f]} for f in FLAGS if old[f] != new[f]]
    if old["resolved"] != new["resolved"]:
        found["flags"].append({"name": "resolved", "old": old["resolved"], "new": new["resolved"]})
    changed = found["cmd"] or any(found[key] for key in ("flags", "deps", "params", "outs"))
    return found | {"status": CHANGED if changed else SAME}


def _items(
    old: dict[str, Any] | None,
    new: dict[str, Any] | None,
    what: str,
    key: Callable[[dict[str, Any]], Any],
    same: Callable[[dict[str, Any], dict[str, Any]], bool],
    shown: tuple[str, ...],
) -> Iterator[dict[str, Any]]:
    """{"status", "old", "new"} of each dep, param or out that differs; each side None or what is shown of it."""
    before = {key(item): item for item in (old[what] if old else [])}
    after = {key(item): item for item in (new[what] if new else [])}
    for name in dict.fromkeys([*after, *before]):
        one, other = before.get(name), after.get(name)
        if one is not None and other is not None and same(one, other):
            continue
        status = CHANGED if one is not None and other is not None else ADDED if other is not None else REMOVED
        sides = [{k: item[k] for k in shown if k in item} if item is not None else None for item in (one, other)]
        yield {"status": status, "name": (other or one or {})["written"], "old": sides[0], "new": sides[1]}


def _path(item: dict[str, Any]) -> Any:
    return item["path"] or item["written"]


def _param(item: dict[str, Any]) -> Any:
    return item["written"], item["name"]


def _dep_same(one: dict[str, Any], other: dict[str, Any]) -> bool:
    return bool(one["identity"] == other["identity"])


def _param_same(one: dict[str, Any], other: dict[str, Any]) -> bool:
    absent = object()
    return bool(one.get("value", absent) == other.get("value", absent)) or ("value" not in one and "value" not in other)


def _out_same(one: dict[str, Any], other: dict[str, Any]) -> bool:
    """The same kind of output with the same recorded content."""
    keys = ("kind", "cache", "elsewhere", "lock", "identity")
    return all(one[key] == other[key] for key in keys)
