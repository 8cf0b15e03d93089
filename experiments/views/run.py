"""One run: what it was given, what it measured, what it left."""

from __future__ import annotations

from dataclasses import asdict

from django.http import HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from experiments import asking, commits, files, runs
from experiments import history as curves
from experiments.mlflow.context import workspace_of
from experiments.views.runs import PRIVATE, readable
from hub.accounts.http import HubRequest


@require_GET
def run(request: HubRequest, owner: str, name: str, run_id: str) -> HttpResponse:
    repository = readable(request, owner, name)
    found, latest = runs.run(workspace_of(repository.pk), run_id)
    bound = commits.bind(repository, {run_id: found.commit})
    listing = files.listing(repository.pk, found.artifact_uri)
    shown = {
        "repository": repository,
        "tab": "experiments",
        "run": found,
        "commit": bound.get(run_id, ""),
        "cut": max(len(latest), len(found.params), len(found.tags)) == runs.MOST_VALUES,
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
    runs.bare(workspace_of(readable(request, owner, name).pk), run_id)
    return JsonResponse(asdict(curves.curve(run_id, asking.key(request.GET))), headers=PRIVATE)


@require_GET
def artifact(request: HubRequest, owner: str, name: str, run_id: str) -> HttpResponse:
    """A preview of ?path=: small text and images; everything else is a download."""
    repository = readable(request, owner, name)
    found = runs.bare(workspace_of(repository.pk), run_id)
    preview = files.preview(repository.pk, found.artifact_uri, request.GET.get("path", ""))
    return render(
        request,
        "experiments/artifact.html",
        {"repository": repository, "tab": "experiments", "run": found, "file": preview},
    )
