"""What the templates of the pages of pipelines show, around the drawing and the list of stages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from datasets import answers, teaching
from datasets.pipelines import boxes, diffing, states
from datasets.stages import shapes
from datasets.stages.pages import Judged, Pipeline, PipelineDiff
from datasets.views.diff_context import Choice
from datasets.views.links import Links
from datasets.views.pipeline_drawing import CLASSES, PER_PAGE, Words, drawing, in_list
from datasets.views.pipeline_stages import diff_row, row
from datasets.views.waiting import controls
from hub.accounts.http import HubRequest
from hub.jobs.models import Job
from hub.lib.paging import page_of
from repos import browsing
from repos.models import Repository
from repos.place import Place, url


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
        "rows": [row(place, judged) for judged in page.rows],
        "statuses": _choices(links, "state", "all", states.STATES, [one.state for one in found.stages]),
        "problems": [_problem(place, problem) for problem in found.document["problems"]],
        "drawing": drawing(found.document, _stage_boxes(found.stages, here), place),
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
            in_list(one.stage["address"], number, page),
        )
        for number, one in enumerate(stages)
    ]


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
        "permalink": found.compared.permalink(shapes.DIFF_PAGE),
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
        "rows": [diff_row(found, stage) for stage in page.rows],
        "statuses": _choices(links, "status", "all changes", diffing.STATUSES, [s["status"] for s in stages]),
        "problems": [_problem(base, p) for p in problems["base"]] + [_problem(head, p) for p in problems["head"]],
        "drawing": drawing(found.document, words, head),
        "total": len(stages),
        "nothing": not differing,
    }


def _diff_words(found: PipelineDiff, stage: dict[str, Any], number: int | None, page: int) -> Words:
    """number: among those that differ. What did not change is shown by the pipeline itself."""
    address, status = stage["address"], stage["status"]
    whole = url(found.compared.repository, "pipelines", found.compared.head.name)
    where = f"{whole}#{boxes.anchor(address)}" if number is None else in_list(address, number, page)
    return Words(boxes.label(stage), status, CLASSES[status], f"{address}: {status}", where)


# ---- both --------------------------------------------------------------------------------------
def _common(request: HubRequest, repository: Repository, state: str, job: Job | None) -> dict[str, Any]:
    return controls(request, repository, job) | {
        "repository": repository,
        "tab": "data",
        "why_not": answers.why_not(state, job),
    }


def _choices(links: Links, name: str, everything: str, known: Sequence[str], found: list[str]) -> list[Choice]:
    """Links to the stages of each state or status that is there; "everything" leaves out what did not change."""
    chosen = links.request.GET.get(name, "")
    return [Choice(everything, links(**{name: None}), not chosen, len(found) - found.count(diffing.SAME))] + [
        Choice(one, links(**{name: one}), chosen == one, found.count(one), one) for one in known if one in found
    ]


def _problem(place: Place, problem: dict[str, str]) -> dict[str, str]:
    where = place.at(problem["file"]).blob_url if problem["file"] else ""
    return problem | {"url": where, "rev": place.rev_shown}
