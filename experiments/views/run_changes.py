"""What people change on the page of a run: its note; deleting and restoring it."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from experiments import runs
from experiments.mlflow import run_editing
from experiments.mlflow.context import workspace_of
from hub.accounts.http import HubRequest
from repos import access
from repos.access import Access, Area
from repos.models import Repository


@login_required
@require_POST
def note(request: HubRequest, owner: str, name: str, run_id: str) -> HttpResponse:
    repository = _changeable(request, owner, name, run_id)
    text = request.POST.get("content", "").replace("\r\n", "\n")
    run_editing.set_note(repository, request.user, run_id, text)
    messages.success(request, "The note is kept." if text.strip() else "The note is removed.")
    return redirect("experiments:run", owner, name, run_id)


@login_required
@require_POST
def delete(request: HubRequest, owner: str, name: str, run_id: str) -> HttpResponse:
    repository = _changeable(request, owner, name, run_id)
    run_editing.delete(repository, request.user, run_id)
    messages.success(request, "The run is deleted. It can be restored here.")
    return redirect("experiments:run", owner, name, run_id)


@login_required
@require_POST
def restore(request: HubRequest, owner: str, name: str, run_id: str) -> HttpResponse:
    repository = _changeable(request, owner, name, run_id)
    run_editing.restore(repository, request.user, run_id)
    messages.success(request, "The run is here again.")
    return redirect("experiments:run", owner, name, run_id)


def _changeable(request: HubRequest, owner: str, name: str, run_id: str) -> Repository:
    """The repository, when the run is one of its own."""
    repository = access.repository_for(request.actor, owner, name, need=Access.WRITE, area=Area.EXPERIMENTS)
    runs.bare(workspace_of(repository.pk), run_id, deleted=True)
    return repository
