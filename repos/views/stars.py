"""The star button: two verbs that lead back to the repository."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from hub.accounts.http import HubRequest
from repos import access, stars
from repos.access import Access, Area


@login_required
@require_POST
def star(request: HubRequest, owner: str, name: str) -> HttpResponse:
    repository = access.repository_for(request.actor, owner, name, need=Access.READ, area=Area.REPO)
    stars.star(repository, request.user)
    return redirect(repository)


@login_required
@require_POST
def unstar(request: HubRequest, owner: str, name: str) -> HttpResponse:
    repository = access.repository_for(request.actor, owner, name, need=Access.READ, area=Area.REPO)
    stars.unstar(repository, request.user)
    return redirect(repository)
