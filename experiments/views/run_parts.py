"""Parts of a run's page that have addresses of their own: folders of artifacts, one artifact, traces."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from experiments import artifact_shown, files, runs
from experiments.details import traces as made
from experiments.mlflow.context import workspace_of
from experiments.runs import Run
from experiments.views.run import about
from experiments.views.runs import readable
from hub.accounts.http import HubRequest
from hub.lib.errors import NotFound
from hub.lib.paging import Page, page_number
from repos.models import Repository


@require_GET
def artifacts(request: HubRequest, owner: str, name: str, run_id: str) -> HttpResponse:
    """The folder ?path= of a run's artifacts, a page of it (?after=). Raises NotFound for an empty one but the root."""
    repository, found = readable_run(request, owner, name, run_id)
    path, after = request.GET.get("path", "").strip("/"), request.GET.get("after", "")
    level = files.level(repository.pk, found.artifact_uri, path, after=after)
    if path and not level.items and not after:
        raise NotFound("There is no such folder of artifacts.")
    template = "experiments/_artifacts.html" if request.htmx else "experiments/artifacts.html"
    return render(request, template, {**about(repository, found), "level": level})


@require_GET
def artifact(request: HubRequest, owner: str, name: str, run_id: str) -> HttpResponse:
    """A preview of ?path=, or its text for ?source=1."""
    repository, found = readable_run(request, owner, name, run_id)
    file = files.artifact(repository.pk, found.artifact_uri, request.GET.get("path", ""))
    as_source = request.GET.get("source") == "1"
    shown = artifact_shown.shown(repository, found.run_id, file, as_source=as_source)
    context = {
        "requirements": artifact_shown.requirements(repository, found.artifact_uri, file),
        "file": file,
        "shown": shown,
        "as_source": as_source,
        "raw_url": artifact_shown.raw_url(repository, found.run_id, file.path),
    }
    return render(request, "experiments/artifact.html", {**about(repository, found), **context})


@require_GET
def traces(request: HubRequest, owner: str, name: str, run_id: str) -> HttpResponse:
    repository, found = readable_run(request, owner, name, run_id)
    number = page_number(request.GET.get("page", "1"))
    rows, more = made.of_run(workspace_of(repository.pk), found, page=number)
    template = "experiments/_traces.html" if request.htmx else "experiments/traces.html"
    return render(request, template, {**about(repository, found), "page": Page(rows, number, more)})


def readable_run(request: HubRequest, owner: str, name: str, run_id: str) -> tuple[Repository, Run]:
    """The run without its values; a deleted one for those who may restore it."""
    repository = readable(request, owner, name)
    return repository, runs.bare(workspace_of(repository.pk), run_id, deleted=repository.can_write)
