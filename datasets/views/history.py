"""The history of one dataset."""

from __future__ import annotations

from django.http import HttpResponseBase, JsonResponse
from django.views.decorators.http import require_safe

from datasets import answers
from datasets.comparison import rowcounts
from datasets.models import DatasetVersion
from datasets.tracked import history
from datasets.tracked.history import Step
from datasets.views import waiting
from datasets.views.diff import readable
from hub.accounts.http import HubRequest
from repos.git import read
from repos.place import Place, split_rev, url
from repos.views.places import rest_of


@require_safe
def page(request: HubRequest, owner: str, name: str, rest: str) -> HttpResponseBase:
    repository = readable(request, owner, name)
    rev, path = split_rev(repository, rest_of(request).partition("/")[2])
    place = Place(repository, rev, path)
    found = history.steps(place, after=request.GET.get("after", ""))
    rows = [(step, _diff_url(place, step)) for step in found.steps]
    versions = [step.version for step in found.steps if step.version is not None]
    job = rowcounts.counting(repository, versions, request.actor.user_id)
    counting = job if job is not None and job.state in answers.WAITING else None
    if request.GET.get("format") == "json":
        steps = [_shape(*row) for row in rows]
        answer = {"path": place.path_shown, "steps": steps, "after": found.after, "counting": counting is not None}
        return JsonResponse(answer)
    values = {"repository": repository, "tab": "data", "place": place, "found": found, "rows": rows}
    values |= {"counting": counting} | waiting.controls(request, repository, counting)
    state, progress = str(counting.state) if counting else "done", "datasets/_history_progress.html"
    return waiting.page(request, "datasets/history.html", state, lambda: values, progress=progress)


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
