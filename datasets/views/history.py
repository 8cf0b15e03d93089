"""The history of one dataset."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from datasets import diff_shapes, history, rowcounts
from datasets.history import Step
from datasets.models import DatasetVersion
from datasets.views.diff import readable
from hub.accounts.http import HubRequest
from hub.jobs.models import Job
from repos.git import read
from repos.models import Repository
from repos.place import Place, store_of, url
from repos.views.places import rest_of


@require_safe
def page(request: HubRequest, owner: str, name: str, rest: str) -> HttpResponseBase:
    repository = readable(request, owner, name)
    rev, path = read.split_rev(store_of(repository), rest_of(request).partition("/")[2])
    place = Place(repository, rev, path)
    found = history.steps(place, after=request.GET.get("after", ""))
    rows = [(step, _diff_url(place, step)) for step in found.steps]
    versions = [step.version for step in found.steps if step.version is not None]
    job = rowcounts.counting(repository, versions, request.user.pk if request.user.is_authenticated else None)
    counting = job if job is not None and job.state in diff_shapes.WAITING else None
    if request.GET.get("format") == "json":
        steps = [_shape(*row) for row in rows]
        answer = {"path": place.path_shown, "steps": steps, "after": found.after, "counting": counting is not None}
        return JsonResponse(answer)
    values = {"repository": repository, "tab": "data", "place": place, "found": found, "rows": rows}
    return _page(request, values | _progress(request, repository, counting))


def _page(request: HubRequest, values: dict[str, Any]) -> HttpResponse:
    """While rows are counted, the page asks for the progress alone, and is sent here again when that has ended."""
    if request.headers.get("HX-Request"):
        if values["counting"] is None:
            return HttpResponse("It is ready.", headers={"HX-Redirect": request.get_full_path()})
        return render(request, "datasets/_history_progress.html", values)
    return render(request, "datasets/history.html", values)


def _progress(request: HubRequest, repository: Repository, counting: Job | None) -> dict[str, Any]:
    values: dict[str, Any] = {"counting": counting, "here": request.get_full_path()}
    if counting is not None:
        values["cancel_url"] = diff_shapes.verb(repository, "diff_cancel", counting.pk)
        values["may_stop"] = repository.can_write or (counting.user_id or 0) == (request.user.pk or -1)
    return values


def _diff_url(place: Place, step: Step) -> str:
    if not step.base:
        return ""
    return url(place.repository, "datasets/diff", f"{step.base}...{step.commit.sha}", place.path)


def _shape(step: Step, diff_url: str) -> dict[str, object]:
    return {
        "commit": step.commit.sha,
        "subject": read.shown(step.commit.subject),
        "author": step.commit.author,
        "date": step.commit.committed.isoformat(),
        "before": _version(step.before),
        "version": _version(step.version),
        "diff_url": diff_url,
    }


def _version(version: DatasetVersion | None) -> dict[str, object] | None:
    if version is None:
        return None
    rows = None if version.rows == DatasetVersion.UNCOUNTABLE else version.rows
    return {"identity": version.identity, "size": version.size, "files": version.files, "rows": rows}
