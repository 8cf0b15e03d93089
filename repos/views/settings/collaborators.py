"""/settings/collaborators: who else may read, write or administer."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from hub.accounts.http import HubRequest
from hub.lib.errors import NotFound, Unprocessable
from hub.lib.paging import page_of
from repos import collaborators
from repos.models import Repository
from repos.views.settings.gate import administered

PAGE_ROWS = 50


@require_safe
def page(request: HubRequest, owner: str, name: str) -> HttpResponse:
    return _page(request, administered(request, owner, name))


@require_POST
def add(request: HubRequest, owner: str, name: str) -> HttpResponse:
    repository = administered(request, owner, name)
    try:
        rung = collaborators.rung_named(request.POST.get("access", ""))
        user = collaborators.user_named(request.POST.get("username", "").strip())
        collaborators.put(request.actor, repository, user, rung)
    except (NotFound, Unprocessable) as error:
        return _page(request, repository, problem=f"{error.message} {error.details}".strip(), status=422)
    messages.success(request, f"{user.username} now has {rung.name.lower()} access.")
    return redirect("repos:collaborators", owner, name)


@require_POST
def change(request: HubRequest, owner: str, name: str, username: str) -> HttpResponse:
    repository = administered(request, owner, name)
    rung = collaborators.rung_named(request.POST.get("access", ""))
    user = collaborators.user_named(username)
    collaborators.put(request.actor, repository, user, rung)
    messages.success(request, f"{user.username} now has {rung.name.lower()} access.")
    return redirect("repos:collaborators", owner, name)


@require_POST
def remove(request: HubRequest, owner: str, name: str, username: str) -> HttpResponse:
    repository = administered(request, owner, name)
    collaborators.remove(request.actor, repository, collaborators.user_named(username))
    messages.success(request, f"{username} has no access any more.")
    return redirect("repos:collaborators", owner, name)


def _page(request: HubRequest, repository: Repository, *, problem: str = "", status: int = 200) -> HttpResponse:
    rows = repository.memberships.select_related("user").order_by("user__username")
    context = {
        "repository": repository,
        "tab": "settings",
        "section": "collaborators",
        "page": page_of(rows, request.GET.get("page", "1"), PAGE_ROWS),
        "rungs": list(collaborators.RUNGS.items()),
        "problem": problem,
    }
    return render(request, "repos/settings/collaborators.html", context, status=status)
