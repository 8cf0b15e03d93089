"""/experiments/manage: MLflow's experiments made, renamed, described, deleted, restored; and removed for good."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from experiments import managing, reclaimable, reclaiming
from experiments.mlflow.context import workspace_of
from experiments.views.model_changes import writable
from experiments.views.runs import readable
from hub.accounts.http import HubRequest, require_typed
from hub.jobs import jobs
from hub.lib.errors import Conflict, NotFound, Unprocessable
from hub.lib.paging import Page, page_number, words_of
from repos import access
from repos.access import Access, Area
from repos.models import Repository

PER_PAGE = 50


@require_safe
def page(request: HubRequest, owner: str, name: str) -> HttpResponse:
    repository = readable(request, owner, name)
    return _page(request, repository)


@require_safe
def deleted(request: HubRequest, owner: str, name: str) -> HttpResponse:
    """What was deleted and may come back; administrators remove it for good here."""
    repository = readable(request, owner, name)
    job = reclaiming.job_of(repository)
    if request.headers.get("HX-Request"):
        return _progress(request, repository)
    more: dict[str, Any] = {
        "job": job,
        "working": job is not None and job.state in jobs.OPEN,
        "counts": reclaimable.counts(workspace_of(repository.pk)) if repository.can_admin else None,
    }
    return _page(request, repository, deleted=True, **more)


# ---- verbs -----------------------------------------------------------------------------------------
@require_POST
def create(request: HubRequest, owner: str, name: str) -> HttpResponse:
    repository = writable(request, owner, name)
    try:
        made = managing.create(request.actor, repository, request.POST.get("name", ""), request.POST.get("text", ""))
    except (Conflict, Unprocessable) as error:
        return _page(request, repository, problem=error, status=error.code)
    messages.success(request, f"The experiment {made.name[:100]} is there.")
    return redirect("experiments:manage", owner, name)


@require_POST
def rename(request: HubRequest, owner: str, name: str, experiment_id: int) -> HttpResponse:
    managing.rename(request.actor, writable(request, owner, name), experiment_id, request.POST.get("name", ""))
    return redirect("experiments:manage", owner, name)


@require_POST
def describe(request: HubRequest, owner: str, name: str, experiment_id: int) -> HttpResponse:
    managing.describe(request.actor, writable(request, owner, name), experiment_id, request.POST.get("text", ""))
    return redirect("experiments:manage", owner, name)


@require_POST
def delete(request: HubRequest, owner: str, name: str, experiment_id: int) -> HttpResponse:
    managing.delete(request.actor, writable(request, owner, name), experiment_id)
    messages.success(request, "The experiment is deleted with its runs. Restore it from Deleted.")
    return redirect("experiments:manage", owner, name)


@require_POST
def restore(request: HubRequest, owner: str, name: str, experiment_id: int) -> HttpResponse:
    managing.restore(request.actor, writable(request, owner, name), experiment_id)
    messages.success(request, "The experiment is back, with all its runs.")
    return redirect("experiments:manage", owner, name)


@require_POST
def reclaim(request: HubRequest, owner: str, name: str) -> HttpResponse:
    repository = administered(request, owner, name)
    require_typed(request, repository.full_name)
    reclaiming.ask(repository, request.actor)
    return redirect("experiments:manage_deleted", owner, name)


@require_POST
def stop(request: HubRequest, owner: str, name: str) -> HttpResponse:
    """What has left the repository already goes when it is asked for again."""
    job = reclaiming.job_of(administered(request, owner, name))
    if job is None:
        raise NotFound("There is no such work here.")
    jobs.cancel(job.pk)
    return redirect("experiments:manage_deleted", owner, name)


def administered(request: HubRequest, owner: str, name: str) -> Repository:
    return access.repository_for(request.actor, owner, name, need=Access.ADMIN, area=Area.EXPERIMENTS)


def _page(
    request: HubRequest, repository: Repository, *, deleted: bool = False, status: int = 200, **more: Any
) -> HttpResponse:
    number, text = page_number(request.GET.get("page", "1")), words_of(request.GET.get("q", ""))
    workspace, start = workspace_of(repository.pk), (number - 1) * PER_PAGE
    found = managing.listed(workspace, deleted=deleted, text=text, start=start, limit=PER_PAGE + 1)
    context = {
        "repository": repository,
        "tab": "experiments",
        "deleted": deleted,
        "q": text,
        "page": Page(found[:PER_PAGE], number, len(found) > PER_PAGE),
        "given": request.POST,
        "here": request.path,
        **more,
    }
    return render(request, "experiments/manage.html", context, status=status)


def _progress(request: HubRequest, repository: Repository) -> HttpResponse:
    job = reclaiming.job_of(repository)
    if job is not None and job.state in jobs.OPEN:
        context = {"repository": repository, "job": job, "here": request.path}
        return render(request, "experiments/_reclaiming.html", context)
    return HttpResponse("It has ended.", headers={"HX-Redirect": request.path})
