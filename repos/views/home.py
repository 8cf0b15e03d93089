from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from hub.accounts.http import HubRequest
from repos import access
from repos.access import Access, Area


@require_GET
def home(request: HubRequest, owner: str, name: str) -> HttpResponse:
    repository = access.repository_for(request.actor, owner, name, need=Access.READ, area=Area.REPO)
    return render(request, "repos/home.html", {"repository": repository, "tab": "files"})
