"""Verbs on models and their versions: each has its own address, asks the gate for WRITE, and leads back to the page."""

from __future__ import annotations

from urllib.parse import quote

from django.contrib import messages
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from experiments import files, runs
from experiments.mlflow.context import workspace_of
from experiments.registry import changes, reading
from experiments.views.models import frame, model_url, number_of
from hub.accounts.http import HubRequest, require_typed
from hub.lib.errors import Unprocessable
from repos import access
from repos.access import Access, Area
from repos.models import Repository


def writable(request: HubRequest, owner: str, name: str) -> Repository:
    return access.repository_for(request.actor, owner, name, need=Access.WRITE, area=Area.EXPERIMENTS)


@require_http_methods(["GET", "HEAD", "POST"])
def register(request: HubRequest, owner: str, name: str, run_id: str) -> HttpResponse:
    """GET: what of a run can be registered. POST: register it under a name."""
    repository = writable(request, owner, name)
    if request.method != "POST":
        return _form(request, repository, run_id, request.GET)
    given = request.POST
    try:
        made = changes.register(request.actor, repository, run_id, text=given.get("text", ""), **_source(given))
    except Unprocessable as error:
        return _form(request, repository, run_id, given, problem=error)
    messages.success(request, f"{made.model[:100]} has version {made.number} now.")
    return redirect(f"{model_url(repository, made.model)}/versions/{made.number}")


@require_POST
def describe(request: HubRequest, owner: str, name: str, model: str, number: int | None = None) -> HttpResponse:
    repository = writable(request, owner, name)
    changes.describe(request.actor, repository, model, number, request.POST.get("text", ""))
    return _back(repository, model, number)


@require_POST
def set_tag(request: HubRequest, owner: str, name: str, model: str, number: int | None = None) -> HttpResponse:
    repository = writable(request, owner, name)
    key, value = (request.POST.get(field, "") for field in ("key", "value"))
    changes.set_tag(request.actor, repository, model, number, key, value)
    return _back(repository, model, number)


@require_POST
def delete_tag(request: HubRequest, owner: str, name: str, model: str, number: int | None = None) -> HttpResponse:
    repository = writable(request, owner, name)
    changes.delete_tag(request.actor, repository, model, number, request.POST.get("key", ""))
    return _back(repository, model, number)


@require_POST
def set_alias(request: HubRequest, owner: str, name: str, model: str) -> HttpResponse:
    repository, number = writable(request, owner, name), number_of(request.POST.get("version", ""))
    alias = request.POST.get("alias", "").strip().removeprefix("@")
    changes.set_alias(request.actor, repository, model, alias, number)
    messages.success(request, f"@{alias} is version {number} now.")
    return _back(repository, model, None)


@require_POST
def delete_alias(request: HubRequest, owner: str, name: str, model: str) -> HttpResponse:
    repository, alias = writable(request, owner, name), request.POST.get("alias", "")
    changes.delete_alias(request.actor, repository, model, alias)
    messages.success(request, f"The alias @{alias} is gone.")
    return _back(repository, model, None)


@require_POST
def set_stage(request: HubRequest, owner: str, name: str, model: str, number: int) -> HttpResponse:
    repository, stage = writable(request, owner, name), request.POST.get("stage", "")
    archive = request.POST.get("archive") == "1"
    changes.set_stage(request.actor, repository, model, number, stage, archive=archive)
    return _back(repository, model, number)


@require_POST
def delete_version(request: HubRequest, owner: str, name: str, model: str, number: int) -> HttpResponse:
    repository = writable(request, owner, name)
    require_typed(request, f"v{number}")
    changes.delete_version(request.actor, repository, model, number)
    messages.success(request, f"Version {number} is deleted.")
    return _back(repository, model, None)


@require_POST
def delete(request: HubRequest, owner: str, name: str, model: str) -> HttpResponse:
    repository = writable(request, owner, name)
    require_typed(request, model.strip())
    changes.delete_model(request.actor, repository, model)
    messages.success(request, f"{model[:100]} is deleted.")
    return redirect("experiments:models", owner, name)


def _back(repository: Repository, model: str, number: int | None) -> HttpResponse:
    return redirect(model_url(repository, model) + (f"/versions/{number}" if number is not None else ""))


def _source(given: QueryDict) -> dict[str, str]:
    """name, and path or model_id: the form's choice is "model:<id>" or "path:<folder>", "" for one typed beside it."""
    kind, _, chosen = given.get("from", "").partition(":")
    named = {"name": given.get("name", "")}
    if kind == "model":
        return {**named, "model_id": chosen}
    return {**named, "path": chosen if kind == "path" else given.get("path", "")}


def _form(
    request: HubRequest,
    repository: Repository,
    run_id: str,
    given: QueryDict,
    *,
    problem: Unprocessable | None = None,
) -> HttpResponse:
    run = runs.bare(workspace_of(repository.pk), run_id)
    listed = files.listing(repository.pk, run.artifact_uri)
    folders = [file.path.rpartition("/")[0] for file in listed if file.path.rpartition("/")[2] == "MLmodel"]
    context = {
        **frame(repository),
        "run": run,
        "logged": reading.logged_of_run(workspace_of(repository.pk), run_id),
        "folders": folders,
        "given": given,
        "problem": problem,
        "names": [model.name for model in reading.models(workspace_of(repository.pk), limit=100)],
        "run_url": f"/{repository.full_name}/experiments/runs/{quote(run_id)}",
    }
    return render(request, "experiments/model_register.html", context, status=422 if problem else 200)
