"""One run: what it was given, what it measured, what it left."""

from __future__ import annotations

from dataclasses import asdict

from django.http import HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from experiments import commits, files, runs
from experiments import history as curves
from experiments.mlflow.context import workspace_of
from hub.accounts.http import HubRequest
from repos import access
from repos.access import Access, Area
from repos.models import Repository


@require_GET
def run(request: HubRequest, owner: str, name: str, run_id: str) -> HttpResponse:
    repository, found, latest = _found(request, owner, name, run_id)
    bound = commits.bind(repository, {run_id: found.commit})
    listing = files.listing(repository.pk, found.artifact_uri)
    shown = {
        "repository": repository,
        "tab": "experiments",
        "run": found,
        "commit": bound.get(run_id, ""),
        "metrics": [(row, found.metrics[row.key], runs.moment(row.timestamp)) for row in latest],
        "tags": {key: value for key, value in found.tags.items() if not key.startswith("mlflow.")},
        "note": found.tags.get("mlflow.note.content", ""),
        "source": found.tags.get("mlflow.source.name", ""),
        "parent": found.tags.get(runs.PARENT_TAG, ""),
        "files": listing,
    }
    return render(request, "experiments/run.html", shown)


@require_GET
def history(request: HubRequest, owner: str, name: str, run_id: str) -> HttpResponse:
    """The curve of ?key= as JSON, at most 1,000 buckets."""
    _found(request, owner, name, run_id)
    curve = curves.curve(run_id, request.GET.get("key", "")[:250].replace("\0", ""))
    return JsonResponse(asdict(curve), headers={"Cache-Control": "private, no-cache"})


@require_GET
def artifact(request: HubRequest, owner: str, name: str, run_id: str) -> HttpResponse:
    """A preview of ?path=: small text and images; everything else is a download."""
    repository, found, _ = _found(request, owner, name, run_id)
    preview = files.preview(repository.pk, found.artifact_uri, request.GET.get("path", ""))
    return render(
        request,
        "experiments/artifact.html",
        {"repository": repository, "tab": "experiments", "run": found, "file": preview},
    )


def _found(request: HubRequest, owner: str, name: str, run_id: str) -> tuple[Repository, runs.Run, list[runs.Metric]]:
    repository = access.repository_for(request.actor, owner, name, need=Access.READ, area=Area.EXPERIMENTS)
    found, latest = runs.run(workspace_of(repository.pk), run_id)
    return repository, found, latest
