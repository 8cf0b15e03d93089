"""One version of a registered model: where it came from, what it takes and gives, its files, how to use it."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from experiments import commits, runs
from experiments.mlflow.context import workspace_of
from experiments.registry import changes, files, reading
from experiments.registry.reading import Model, Version
from experiments.views.models import frame, model_url, mount, snippet, told
from experiments.views.runs import readable
from hub.accounts.http import HubRequest
from hub.lib.errors import NotFound
from repos.models import Repository

MOST_METRICS = 100  # of its run; the run's page has them all


@require_safe
def version(request: HubRequest, owner: str, name: str, model: str, number: int) -> HttpResponse:
    repository = readable(request, owner, name)
    found = reading.version(workspace_of(repository.pk), model, number)
    whole = reading.model(workspace_of(repository.pk), model)
    return render(request, "experiments/model_version.html", _shown(repository, whole, found))


def _shown(repository: Repository, model: Model, version: Version) -> dict[str, Any]:
    contents = files.contents(repository.pk, version, mount=mount(repository))
    card = contents.card
    if card is None and version.description:
        card = files.description(repository, version.description)
    return {
        **frame(repository, model.name),
        "place": f"{model_url(repository, model.name)}/versions/{version.number}",
        **origin(repository, version),
        "model": model,
        "version": version,
        "said_path": f"{model.name}/{version.number}",
        "contents": contents,
        "card": card,
        "front": contents.front,
        "snippet": snippet(repository, model, version),
        "stages": changes.STAGES,
        "history": told(changes.history(repository, model.name, version.number), model.name),
        "mlflow_url": f"{mount(repository)}#/models",
    }


def origin(repository: Repository, version: Version) -> dict[str, Any]:
    """The run it came from and the commit that run names, where they are here."""
    if not version.run_id:
        return {"run": None}
    try:
        run, _ = runs.run(workspace_of(repository.pk), version.run_id)
    except NotFound:
        return {"run": None}
    bound = commits.bind(repository, {run.run_id: run.commit})
    return {
        "run": run,
        "commit": bound.get(run.run_id, ""),
        "metrics": list(run.metrics.items())[:MOST_METRICS],
        "params": list(run.params.items())[:MOST_METRICS],
    }
