"""Verbs on the runs ticked in the table (run=…); the address of each carries the table's own query, to lead back."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.views.decorators.http import require_POST

from experiments import asking
from experiments.models import RunsAct
from experiments.table import acts
from experiments.views.columns import back
from experiments.views.runs import UNDO
from hub.accounts.http import HubRequest
from repos import access
from repos.access import Access, Area
from repos.models import Repository


def writable(request: HubRequest, owner: str, name: str) -> Repository:
    return access.repository_for(request.actor, owner, name, need=Access.WRITE, area=Area.EXPERIMENTS)


@login_required
@require_POST
def archive(request: HubRequest, owner: str, name: str) -> HttpResponse:
    repository = writable(request, owner, name)
    return _done(request, repository, lambda runs: acts.archive(repository, request.user, runs))


@login_required
@require_POST
def unarchive(request: HubRequest, owner: str, name: str) -> HttpResponse:
    repository = writable(request, owner, name)
    return _done(request, repository, lambda runs: acts.archive(repository, request.user, runs, archived=False))


@login_required
@require_POST
def delete(request: HubRequest, owner: str, name: str) -> HttpResponse:
    repository = writable(request, owner, name)
    return _done(request, repository, lambda runs: acts.delete(repository, request.user, runs))


@login_required
@require_POST
def restore(request: HubRequest, owner: str, name: str) -> HttpResponse:
    repository = writable(request, owner, name)
    return _done(request, repository, lambda runs: acts.restore(repository, request.user, runs))


@login_required
@require_POST
def tag(request: HubRequest, owner: str, name: str) -> HttpResponse:
    repository = writable(request, owner, name)
    key, value = request.POST.get("key", "").strip(), request.POST.get("value", "")
    return _done(request, repository, lambda runs: acts.tag(repository, request.user, runs, key, value))


@login_required
@require_POST
def rename(request: HubRequest, owner: str, name: str) -> HttpResponse:
    repository = writable(request, owner, name)
    given = request.POST.get("name", "")
    return _done(request, repository, lambda runs: acts.rename(repository, request.user, runs, given))


@login_required
@require_POST
def undo(request: HubRequest, owner: str, name: str, number: int) -> HttpResponse:
    repository = writable(request, owner, name)
    messages.success(request, acts.undo(repository, request.user, number))
    return back(request, repository)


def _done(request: HubRequest, repository: Repository, do: Callable[[Sequence[str]], RunsAct]) -> HttpResponse:
    request.session[UNDO] = do(asking.run_ids(request.POST)).pk
    return back(request, repository)
