"""/settings/danger: rename, visibility, transfer, delete. What cannot be undone asks for the name in writing."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from hub.accounts.http import HubRequest, require_typed
from hub.lib.errors import NotFound, Unprocessable
from repos import collaborators, repositories, transfers
from repos.models import Repository, Transfer
from repos.views.settings.gate import administered


@require_safe
def page(request: HubRequest, owner: str, name: str) -> HttpResponse:
    return _page(request, administered(request, owner, name))


@require_POST
def rename(request: HubRequest, owner: str, name: str) -> HttpResponse:
    repository = administered(request, owner, name)
    try:
        repository = repositories.rename(request.actor, repository, request.POST.get("name", "").strip())
    except Unprocessable as error:
        return _page(request, administered(request, owner, name), rename=error)
    messages.success(request, "Renamed. Links to the old name lead here until somebody takes it.")
    return redirect(repository)


@require_POST
def visibility(request: HubRequest, owner: str, name: str) -> HttpResponse:
    repository = administered(request, owner, name)
    wanted = request.POST.get("visibility", "")
    if wanted not in {"public", "private"}:
        raise Unprocessable("A repository is public or private.")
    repositories.update(request.actor, repository, private=wanted == "private")
    messages.success(request, f"This repository is {wanted} now.")
    return redirect("repos:danger", owner, name)


@require_POST
def transfer(request: HubRequest, owner: str, name: str) -> HttpResponse:
    repository = administered(request, owner, name)
    try:
        recipient = collaborators.user_named(request.POST.get("username", "").strip())
        require_typed(request, repository.full_name)
        transfers.offer(request.actor, repository, recipient)
    except (NotFound, Unprocessable) as error:
        return _page(request, repository, transfer=error)
    messages.success(request, f"Offered to {recipient.username}. Nothing changes until they accept.")
    return redirect("repos:danger", owner, name)


@require_POST
def cancel_transfer(request: HubRequest, owner: str, name: str) -> HttpResponse:
    transfers.cancel(request.actor, administered(request, owner, name))
    messages.success(request, "The offer is taken back.")
    return redirect("repos:danger", owner, name)


@require_POST
def delete(request: HubRequest, owner: str, name: str) -> HttpResponse:
    repository = administered(request, owner, name)
    try:
        require_typed(request, repository.full_name)
    except Unprocessable as error:
        return _page(request, repository, delete=error)
    repositories.delete(request.actor, repository)
    messages.success(request, f"{repository.full_name} is deleted.")
    return redirect("home")


def _page(request: HubRequest, repository: Repository, **problems: Exception) -> HttpResponse:
    context = {
        "repository": repository,
        "tab": "settings",
        "section": "danger",
        "offer": Transfer.objects.select_related("recipient").filter(repository=repository).first(),
        "problems": problems,
    }
    return render(request, "repos/settings/danger.html", context, status=422 if problems else 200)
