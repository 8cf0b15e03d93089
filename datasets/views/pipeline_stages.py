"""The list of stages: what each needs and makes, each thing with the address of its page."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from datasets.pipelines import boxes, diffing, states
from datasets.stages.pages import Judged, PipelineDiff
from datasets.views.pipeline_drawing import CLASSES
from repos.place import Place, url

BADGES = {"ok": "badge-ok", "warn": "badge-warn", "bad": "badge-bad"}


@dataclass(frozen=True)
class Item:
    """A dep, param or out. url "" where there is nothing to open; old, new: values of a param."""

    text: str
    url: str = ""
    told: str = ""
    look: str = ""
    badge: str = ""
    history_url: str = ""
    old: str | None = None
    new: str | None = None


@dataclass(frozen=True)
class Row:
    """A stage in the list. old_cmd: of the base, where it changed."""

    anchor: str
    address: str
    state: str
    badge: str
    file_url: str
    file: str
    cmd: list[str]
    old_cmd: list[str]
    desc: str
    reasons: list[str]
    needs: list[Item]
    makes: list[Item]
    marks: list[str]


# ---- of one revision ---------------------------------------------------------------------------
def row(place: Place, judged: Judged) -> Row:
    stage = judged.stage
    marks = [mark for mark in ("frozen", "always_changed") if stage[mark]]
    return Row(
        anchor=boxes.anchor(stage["address"]),
        address=stage["address"],
        state=judged.state,
        badge=BADGES.get(CLASSES[judged.state], ""),
        file_url=place.at(stage["file"]).blob_url,
        file=stage["file"],
        cmd=stage["cmd"],
        old_cmd=[],
        desc=stage["desc"],
        reasons=judged.reasons,
        needs=[_dep(place, dep) for dep in stage["deps"]] + [_param(place, param) for param in stage["params"]],
        makes=[_out(place, out, judged.pushed) for out in stage["outs"]],
        marks=marks,
    )


_TOLD = {
    states.CHANGED: ("changed", "warn"),
    states.NEW: ("new", "warn"),
    states.GONE: ("not there", "bad"),
    states.UNKNOWN: ("not compared", ""),
    states.ELSEWHERE: ("kept elsewhere", ""),
}


def _dep(place: Place, dep: dict[str, Any]) -> Item:
    told, look = _TOLD.get(dep.get("state", ""), ("", ""))
    return _file_item(place, dep["path"] or dep["written"], dep.get("held", ""), told, look)


def _file_item(place: Place, path: str, kind: str, told: str, look: str, badge: str = "") -> Item:
    at = place.at(path)
    there = {"file": at.blob_url, "data": at.blob_url, "dir": at.tree_url, "datadir": at.tree_url}.get(kind, "")
    history = at.page("datasets/history") if kind.startswith("data") else ""
    return Item(path, there, told, BADGES.get(look, "") if look else "", badge, history)


def _param(place: Place, param: dict[str, Any]) -> Item:
    told, look = _TOLD.get(param.get("state", ""), ("", ""))
    changed = param.get("state") == states.CHANGED
    return Item(
        param["name"],
        place.at(param["file"]).blob_url if param["file"] and param["read"] else "",
        told,
        BADGES.get(look, "") if look else "",
        "param",
        old=_value(param["lock"]) if changed else None,
        new=_value(param["value"]) if "value" in param else None,
    )


def _out(place: Place, out: dict[str, Any], pushed: dict[str, bool]) -> Item:
    expected = out["lock"] is not None or out.get("state") != states.GONE  # of a stage that never ran nothing is
    told, look = _TOLD.get(out.get("state", ""), ("", "")) if expected else ("", "")
    if out.get("state") == states.STORED and not pushed[out["path"]]:
        told, look = "not pushed", "bad"
    kind = "" if out["kind"] == "out" else out["kind"]
    held = out.get("held", "")
    return _file_item(place, out["path"] or out["written"], held, told, look, kind)


# ---- of two ------------------------------------------------------------------------------------
def diff_row(found: PipelineDiff, stage: dict[str, Any]) -> Row:
    asked = found.compared
    removed = stage["status"] == diffing.REMOVED
    place = Place(asked.repository, asked.base if removed else asked.head)
    cmd = stage["cmd"] or {"old": None, "new": None}
    return Row(
        anchor=boxes.anchor(stage["address"]),
        address=stage["address"],
        state=stage["status"],
        badge=BADGES.get(CLASSES[stage["status"]], ""),
        file_url=place.at(stage["file"]).blob_url,
        file=stage["file"],
        cmd=cmd["new"] or [],
        old_cmd=cmd["old"] or [],
        desc="",
        reasons=[f"{f['name']}: {_value(f['old'])} → {_value(f['new'])}" for f in stage["flags"]],
        needs=[_diff_item(found, item) for item in stage["deps"]]
        + [_diff_param(found, item) for item in stage["params"]],
        makes=[_diff_item(found, item) for item in stage["outs"]],
        marks=[],
    )


def _diff_item(found: PipelineDiff, item: dict[str, Any]) -> Item:
    """A dep or an out; its link leads to what changed in it."""
    asked = found.compared
    shown = item["new"] or item["old"]
    kind = shown.get("kind", "out")
    where = ""
    if any(side and side["held"] for side in (item["old"], item["new"])):
        where = url(asked.repository, "datasets/diff", f"{asked.base.name}...{asked.head.name}", shown["path"])
    return Item(item["name"], where, item["status"], BADGES[CLASSES[item["status"]]], "" if kind == "out" else kind)


def _diff_param(found: PipelineDiff, item: dict[str, Any]) -> Item:
    old, new = item["old"] or {}, item["new"] or {}
    shown = new or old
    rev = found.compared.head if new else found.compared.base
    where = Place(found.compared.repository, rev, shown["file"]).blob_url if shown["file"] else ""
    return Item(
        shown["name"],
        where,
        item["status"],
        BADGES[CLASSES[item["status"]]],
        "param",
        old=_value(old["value"]) if "value" in old else None,
        new=_value(new["value"]) if "value" in new else None,
    )


def _value(value: Any) -> str:
    """As it stands in a params file."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
