"""Is a stage up to date? dvc.lock's records against what a revision holds; the words of `dvc status`, per item."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

CURRENT, CHANGED, NEVER, MISSING, UNKNOWN = "up to date", "changed", "never run", "output missing", "unknown"
STATES = (CURRENT, CHANGED, NEVER, MISSING, UNKNOWN)
# Of single deps, outs and params: "" means that there is no record to compare with.
SAME, NEW, GONE, ELSEWHERE, STORED = "same", "new", "gone", "elsewhere", "stored"


def compare(stage: dict[str, Any], held: Mapping[str, Mapping[str, str]], data: Mapping[str, Any]) -> None:
    """Set "state" of every dep, out and param of a resolved stage, and "held" (its kind), "identity" and "why" of what
    the revision holds there. held: of holdings, as dicts. data: paths that are tracked; a cached output is "stored":
    whether its object was pushed is asked when the page is made."""
    ran = stage["lock"] is not None
    for dep in stage["deps"]:
        found = held.get(dep["path"]) if dep["path"] else None
        dep["state"], dep["why"] = _file(dep, found, ran)
        dep["held"], dep["identity"] = (found["kind"], found["identity"]) if found else ("", "")
    for out in stage["outs"]:
        found = held.get(out["path"]) if out["path"] else None
        out["held"], out["identity"] = (found["kind"], found["identity"]) if found else ("", "")
        if ran and out["lock"] and out["path"] in data and out["path"]:
            out["state"], out["why"] = STORED, ""
        elif ran and out["lock"] and out["elsewhere"]:
            out["state"], out["why"] = ELSEWHERE, ""
        else:
            out["state"], out["why"] = _file(out, found, ran)
    for param in stage["params"]:
        param["state"] = _param(param, ran, tracked=param["file"] in data)


def _file(item: dict[str, Any], found: Mapping[str, str] | None, ran: bool) -> tuple[str, str]:
    """(state, why it is unknown)."""
    if not item["path"]:
        return ELSEWHERE, ""
    if found is None:
        return GONE, ""
    if not ran:
        return "", ""
    if item["lock"] is None:
        return NEW, ""
    wanted = item["lock"]["md5"]
    if not wanted:
        return UNKNOWN, "dvc.lock has no md5 of it"
    if not found["md5"]:
        return UNKNOWN, found["unknown"]
    same = wanted == found["md5"] or (item["lock"]["legacy"] and wanted == found["legacy"])
    return (SAME if same else CHANGED), ""


def _param(param: dict[str, Any], ran: bool, *, tracked: bool) -> str:
    if not param["file"] or (not param["read"] and tracked):
        return ELSEWHERE
    if "value" not in param:
        return GONE
    if not ran:
        return ""
    if "lock" not in param:
        return NEW
    return SAME if param["value"] == param["lock"] else CHANGED


def judged(stage: dict[str, Any], pushed: Callable[[str], bool]) -> tuple[str, list[str]]:
    """(one of STATES, sentences that say why). pushed: whether the object of a stored output is in the hub."""
    if not stage["resolved"]:
        return UNKNOWN, ["It cannot be resolved."]
    if stage["lock_unread"]:
        return UNKNOWN, ["dvc.lock cannot be read."]
    lacking = [item["written"] for item in stage["deps"] if item["state"] == GONE]
    if stage["lock"] is None:
        return NEVER, ["dvc.lock has no record of it.", *(f"{path} is not there." for path in lacking)]
    changed = list(_changes(stage))
    if changed:
        return CHANGED, changed
    missing = [o["written"] for o in stage["outs"] if o["state"] == STORED and not pushed(o["path"])]
    missing += [o["written"] for o in stage["outs"] if o["state"] == GONE]
    if missing:
        return MISSING, [f"{path} was never pushed." for path in missing]
    doubts = [i for i in (*stage["deps"], *stage["outs"]) if i["state"] == UNKNOWN]
    return CURRENT, [f"{item['written']} was not compared: {item['why']}." for item in doubts]


def _changes(stage: dict[str, Any]) -> Any:
    if stage["always_changed"]:
        yield "It is marked always_changed."
    elif not stage["deps"] and not stage["params"] and not stage["outs"]:
        yield "It has no dependencies and no outputs, so it runs each time."
    if stage["lock"]["cmd"] != stage["cmd"]:
        yield "Its command changed."
    words = {CHANGED: "changed", NEW: "is new", GONE: "is not there"}
    if not stage["frozen"]:
        for dep in stage["deps"]:
            if dep["state"] in words:
                yield f"{dep['written']} {words[dep['state']]}."
        for param in stage["params"]:
            if param["state"] in words:
                yield f"{param['written']}: {param['name']} {words[param['state']]}."
    for out in stage["outs"]:
        if out["state"] in {CHANGED, NEW}:
            yield f"{out['written']} {words[out['state']]}."
