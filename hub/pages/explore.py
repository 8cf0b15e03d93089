"""/explore: every repository one may read; /starred: those one has marked."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from hub.accounts.http import HubRequest
from hub.pages.listing import listing
from repos.models import Repository, Star


@require_safe
def explore(request: HubRequest) -> HttpResponse:
    found = listing(Repository.objects.visible_to(request.actor), request.GET)
    return render(request, "hub/explore.html", {"listing": found})


@login_required
@require_safe
def starred(request: HubRequest) -> HttpResponse:
    marked = Star.objects.filter(user=request.user).values("repository_id")
    found = listing(Repository.objects.visible_to(request.actor).filter(pk__in=marked), request.GET)
    return render(request, "hub/explore.html", {"listing": found, "starred": True})
