"""The first page."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from hub.accounts.http import HubRequest
from repos.models import Repository


@require_GET
def home(request: HubRequest) -> HttpResponse:
    repositories = Repository.objects.visible_to(request.actor).select_related("owner").order_by("-updated")[:50]
    return render(request, "hub/home.html", {"repositories": repositories})
