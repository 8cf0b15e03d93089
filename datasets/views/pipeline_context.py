"""What the templates of the pages of pipelines show: the drawing, and the list that says the same."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from datasets import diff_shapes, pipeline_shapes, teaching
from datasets.pipeline_pages import Judged, Pipeline, PipelineDiff
from datasets.pipelines import boxes, diffing, states
from datasets.views.diff_context import Choice
from datasets.views.links import Links
from hub.accounts.http import HubRequest
from hub.jobs.models import Job
from hub.lib.paging import page_of
from repos import browsing
from repos.models import Repository
from repos.place import Place, url

PER_PAGE = 200
CLASSES = {
    states.CURRENT: "ok",
    states.CHANGED: "warn",
    states.NEVER: "new",
    states.MISSING: "bad",
    states.UNKNOWN: "unknown",
    diffing.ADDED: "ok",
    diffing.REMOVED: "bad",
    "changed": "warn",
    diffing.SAME: "same",
}
BADGES = {"ok": "badge-ok", "warn": "badge-warn", "bad": "badge-bad"}
SIGNS = {"added": "+", "removed": "−", "changed": "±", "same": ""}


@dataclass(frozen=True)
class Words:
    """In a box: two lines, the class of its look, a title and an address."""

    label: str
    told: str
    look: str
    title: str
    url: str


@dataclass(frozen=True)
class Box:
    """One box of the drawing, in CSS pixels."""

    x: float
    y: float
    width: float
    height: float
    said: Words

    @property
    def text_x(self) -> float:
        return self.x + boxes.PADDING

    @property
    def label_y(self) -> float:
        return self.y + 19

    @property
    def told_y(self) -> float:
        return self.y + 35


@dataclass(frozen=True)
class Drawing:
    width: float
    height: float
    boxes: list[Box]
    lines: list[tuple[str, str]]  # (path, look)


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


# ---- one revision ------------------------------------------------------------------------------
def of_pipeline(request: HubRequest, repository: Repository, found: Pipeline | None) -> dict[str, Any]:
    values = _common(request, repository, found.state if found else "none", found.job if found else None)
    values |= {"found": found, "teach_lines": teaching.STAGE}
    if found is None:
        return values
    place = Place(repository, found.rev)
    links = Links(request)
    values |= {
        "place": place,
        "branches": browsing.branches(repository),
        "tags": browsing.tags(repository),
        "json_url": links(format="json"),
        "permalink": url(repository, "pipelines", found.rev.commit),
        "diff_url": _diff_url(place),
        "doing": "Resolving the stages…",
    }
    if found.state != "done":
        return values
    chosen = request.GET.get("state", "")
    page = page_of(
        [one for one in found.stages if not chosen or one.state == chosen], request.GET.get("page", "1"), PER_PAGE
    )
    here = 0 if chosen else page.number
    return values | {
        "page": page,
        "rows": [_row(place, judged) for judged in page.rows],
        "statuses": _states(links, [one.state for one in found.stages], chosen),
        "problems": [_problem(place, problem) for problem in found.document["problems"]],
        "drawing": _drawing(found.document, _stage_boxes(found.stages, here), place),
        "total": len(found.stages),
        "top": [(top, place.at(top["path"])) for top in found.document["files"] if top["metrics"] or top["plots"]],
        "push_lines": teaching.push_lines(place.rev_shown)
        if any(one.state == states.MISSING for one in found.stages)
        else "",
    }


def _diff_url(place: Place) -> str:
    """From the default branch, or of the last commit where that is what is shown."""
    default = browsing.default_rev(place.repository)
    if default and default.commit != place.commit:
        return url(place.repository, "pipelines/diff", f"{default.name}...{place.rev.name}")
    parents = browsing.commit_at(place).parents
    return url(place.repository, "pipelines/diff", f"{parents[0]}...{place.rev.name}") if parents else ""


def _stage_boxes(stages: Sequence[Judged], page: int) -> list[Words]:
    return [
        Words(
            boxes.label(one.stage),
            one.state,
            CLASSES[one.state],
            f"{one.stage['address']}: {one.state}",
            _in_list(one.stage["address"], number, page),
        )
        for number, one in enumerate(stages)
    ]


def _row(place: Place, judged: Judged) -> Row:
    stage = judged.stage
    marks = [mark for mark in ("frozen", "always_changed") if stage[mark]]
    return Row(
        anchor=_anchor(stage["address"]),
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


def _value(value: Any) -> str:
    """As it stands in a params file."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


# ---- two revisions -----------------------------------------------------------------------------
def of_diff(request: HubRequest, found: PipelineDiff) -> dict[str, Any]:
    asked, links = found.compared, Links(request)
    repository = asked.repository
    base, head = Place(repository, asked.base), Place(repository, asked.head)
    values = _common(request, repository, found.state, found.job)
    values |= {
        "found": found,
        "base_place": base,
        "head_place": head,
        "base_url": url(repository, "pipelines", asked.base.name),
        "head_url": url(repository, "pipelines", asked.head.name),
        "swap": url(repository, "pipelines/diff", f"{asked.head.name}...{asked.base.name}"),
        "data_url": url(repository, "datasets/diff", f"{asked.base.name}...{asked.head.name}"),
        "json_url": links(format="json"),
        "permalink": pipeline_shapes.permalink(found),
        "doing": "Comparing the stages…",
        "teach_lines": teaching.STAGE,
    }
    if found.state != "done":
        return values
    stages = found.document["stages"]
    chosen = request.GET.get("status", "")
    differing = [stage for stage in stages if stage["status"] != diffing.SAME]
    rows = [stage for stage in stages if stage["status"] == chosen] if chosen else differing
    page = page_of(rows, request.GET.get("page", "1"), PER_PAGE)
    numbers = {stage["address"]: number for number, stage in enumerate(differing)}
    words = [_diff_words(found, stage, numbers.get(stage["address"]), 0 if chosen else page.number) for stage in stages]
    problems = found.document["problems"]
    return values | {
        "page": page,
        "rows": [_diff_row(found, stage) for stage in page.rows],
        "statuses": _statuses(links, [s["status"] for s in stages], chosen),
        "problems": [_problem(base, p) for p in problems["base"]] + [_problem(head, p) for p in problems["head"]],
        "drawing": _drawing(found.document, words, head),
        "total": len(stages),
        "nothing": not differing,
    }


def _diff_words(found: PipelineDiff, stage: dict[str, Any], number: int | None, page: int) -> Words:
    """number: among those that differ. What did not change is shown by the pipeline itself."""
    address, status = stage["address"], stage["status"]
    whole = url(found.compared.repository, "pipelines", found.compared.head.name)
    where = f"{whole}#{_anchor(address)}" if number is None else _in_list(address, number, page)
    return Words(boxes.label(stage), status, CLASSES[status], f"{address}: {status}", where)


def _diff_row(found: PipelineDiff, stage: dict[str, Any]) -> Row:
    asked = found.compared
    removed = stage["status"] == diffing.REMOVED
    place = Place(asked.repository, asked.base if removed else asked.head)
    cmd = stage["cmd"] or {"old": None, "new": None}
    return Row(
        anchor=_anchor(stage["address"]),
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


# ---- both --------------------------------------------------------------------------------------
def _common(request: HubRequest, repository: Repository, state: str, job: Job | None) -> dict[str, Any]:
    values: dict[str, Any] = {
        "repository": repository,
        "tab": "data",
        "here": request.get_full_path(),
        "why_not": [pipeline_shapes.why_not(state, job)] if state in {"failed", "cancelled"} else [],
    }
    if job is not None:
        values |= {
            "cancel_url": diff_shapes.verb(repository, "diff_cancel", job.pk),
            "again_url": diff_shapes.verb(repository, "diff_again", job.pk),
            "may_stop": repository.can_write or (job.user_id or 0) == (request.user.pk or -1),
        }
    return values


def _states(links: Links, found: list[str], chosen: str) -> list[Choice]:
    return [Choice("all", links(state=None), not chosen, len(found))] + [
        Choice(state, links(state=state), chosen == state, found.count(state), state)
        for state in states.STATES
        if state in found
    ]


def _statuses(links: Links, found: list[str], chosen: str) -> list[Choice]:
    differing = len(found) - found.count(diffing.SAME)
    return [Choice("all changes", links(status=None), not chosen, differing)] + [
        Choice(status, links(status=status), chosen == status, found.count(status), status)
        for status in diffing.STATUSES
        if status in found
    ]


def _problem(place: Place, problem: dict[str, str]) -> dict[str, str]:
    where = place.at(problem["file"]).blob_url if problem["file"] else ""
    return problem | {"url": where, "rev": place.rev_shown}


def _drawing(document: dict[str, Any], words: list[Words], place: Place) -> Drawing | None:
    drawn = document["drawing"]
    if drawn is None:
        return None
    for source in document["sources"]:
        title = f"{source['path']}, tracked by {source['pointer']}"
        address = place.at(source["path"]).blob_url
        words.append(Words(boxes.source_label(source), "data", "data", title, address))
    made = []
    for (x, y), said in zip(drawn["boxes"], words, strict=True):
        width, height = boxes.size(said.label)
        made.append(Box(x, y, width, height, said))
    looks = [CLASSES[edge[2]] if len(edge) > 2 else "" for edge in document["edges"]]
    return Drawing(drawn["width"], drawn["height"], made, list(zip(drawn["lines"], looks, strict=True)))


def _anchor(address: str) -> str:
    """Names of stages may hold any character."""
    return f"stage-{hashlib.sha256(address.encode()).hexdigest()[:12]}"


def _in_list(address: str, number: int, page: int) -> str:
    """Where the list says more of its stage of this number. page: the one that is shown; 0 for one with a filter."""
    there = number // PER_PAGE + 1
    return f"#{_anchor(address)}" if there == page else f"?page={there}#{_anchor(address)}"
