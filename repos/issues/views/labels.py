"""The page of labels, and what changes them."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.db.models import Count, Q
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from hub.accounts.http import HubRequest, refusals_told
from repos.issues import labels
from repos.issues.models import Issue
from repos.issues.rights import rights_of
from repos.issues.views.gate import readable, writable
from repos.issues.views.lists import search


@require_safe
def page(request: HubRequest, owner: str, name: str) -> HttpResponse:
    repository = readable(request, owner, name)
    used = Count("issues", filter=Q(issues__state=Issue.State.OPEN))
    rows = labels.listed(repository).annotate(open_count=used)
    shown = [(label, search(f'is:open label:"{label.name}"')) for label in rows]
    context = {"repository": repository, "tab": "issues", "rows": shown, "rights": rights_of(request.actor, repository)}
    return render(request, "issues/labels.html", context)


@login_required
@require_POST
def create(request: HubRequest, owner: str, name: str) -> HttpResponse:
    repository = writable(request, owner, name)
    with refusals_told(request):
        labels.create(request.actor, repository, **_fields(request))
    return redirect("issues:labels", owner, name)


@login_required
@require_POST
def suggest(request: HubRequest, owner: str, name: str) -> HttpResponse:
    labels.suggest(request.actor, writable(request, owner, name))
    return redirect("issues:labels", owner, name)


@login_required
@require_POST
def change(request: HubRequest, owner: str, name: str, label_id: int) -> HttpResponse:
    label = labels.label_of(writable(request, owner, name), label_id)
    with refusals_told(request):
        labels.change(request.actor, label, **_fields(request))
    return redirect("issues:labels", owner, name)


@login_required
@require_POST
def remove(request: HubRequest, owner: str, name: str, label_id: int) -> HttpResponse:
    labels.remove(request.actor, labels.label_of(writable(request, owner, name), label_id))
    return redirect("issues:labels", owner, name)


def _fields(request: HubRequest) -> dict[str, str]:
    return {field: request.POST.get(field, "") for field in ("name", "colour", "description")}
