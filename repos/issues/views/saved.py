"""Verbs on saved searches; each leads back to the list as its address says it."""

from __future__ import annotations

from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_POST

from hub.accounts.http import HubRequest, refusals_told
from repos.issues import saved
from repos.issues.models import SavedQuery
from repos.issues.views.gate import readable
from repos.models import Repository


@login_required
@require_POST
def save(request: HubRequest, owner: str, name: str) -> HttpResponse:
    """The search q= by ?name=, shared when it says so."""
    repository = readable(request, owner, name)
    kind = SavedQuery.Kind.PULL if request.POST.get("kind") == "pull" else SavedQuery.Kind.ISSUE
    text, shared = request.POST.get("q", ""), request.POST.get("shared") == "1"
    with refusals_told(request):
        row = saved.save(
            request.actor, repository, kind=kind, name=request.POST.get("name", ""), text=text, shared=shared
        )
        messages.success(request, f"The search {row.name} is kept.")
    return _back(repository, kind, text)


@login_required
@require_POST
def up(request: HubRequest, owner: str, name: str, saved_id: int) -> HttpResponse:
    repository = readable(request, owner, name)
    row = saved.query_of(repository, request.actor, saved_id)
    saved.move(request.actor, row, up=True)
    return _back(repository, row.kind, row.query)


@login_required
@require_POST
def down(request: HubRequest, owner: str, name: str, saved_id: int) -> HttpResponse:
    repository = readable(request, owner, name)
    row = saved.query_of(repository, request.actor, saved_id)
    saved.move(request.actor, row, up=False)
    return _back(repository, row.kind, row.query)


@login_required
@require_POST
def remove(request: HubRequest, owner: str, name: str, saved_id: int) -> HttpResponse:
    repository = readable(request, owner, name)
    row = saved.query_of(repository, request.actor, saved_id)
    saved.remove(request.actor, row)
    messages.success(request, f"The search {row.name} is gone.")
    return _back(repository, row.kind, row.query)


def _back(repository: Repository, kind: str, text: str) -> HttpResponse:
    page = "pulls:index" if kind == SavedQuery.Kind.PULL else "issues:index"
    return redirect(f"{reverse(page, args=repository.full_name.split('/'))}?{urlencode({'q': text})}")
