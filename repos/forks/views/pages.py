"""Fork a repository, the list of its forks, and how a fork stands."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from hub.accounts.http import HubRequest
from hub.lib.errors import Busy
from hub.lib.paging import page_of
from repos.forks import copying, listing, making, syncing, upstream
from repos.forks.views.gate import readable


@require_safe
def index(request: HubRequest, owner: str, name: str) -> HttpResponse:
    repository = readable(request, owner, name)
    rows = listing.forks_of(request.actor, repository).prefetch_related("topics")
    page = page_of(rows, request.GET.get("page", "1"), listing.SHOWN)
    return render(request, "forks/index.html", {"repository": repository, "tab": "files", "page": page})


@login_required
@require_safe
def new(request: HubRequest, owner: str, name: str) -> HttpResponse:
    repository = readable(request, owner, name)
    own = making.own_fork(request.user, repository)
    context = {"repository": repository, "tab": "files", "own": own, "name": repository.name}
    return render(request, "forks/new.html", {**context, "description": repository.description})


@require_safe
def progress(request: HubRequest, owner: str, name: str) -> HttpResponse:
    """The fragment that shows how far the copying is; once it is done, the way to the fork's page."""
    repository = readable(request, owner, name)
    copy = copying.job_of(repository)
    if copy is None:
        return HttpResponse("It is ready.", headers={"HX-Redirect": repository.get_absolute_url()})
    return render(request, "forks/_copying.html", {"repository": repository, "copy": copy})


@require_safe
def standing(request: HubRequest, owner: str, name: str) -> HttpResponse:
    """The line on a fork's front page: how far a sync is, or how many commits it is ahead and behind. Nothing for
    others. ?sync=: the one that was watched, whose end is told."""
    repository = readable(request, owner, name)
    job = syncing.at_work(repository)
    if job is not None:
        return render(request, "forks/_syncing.html", {"repository": repository, "job": job})
    context: dict[str, object] = {"repository": repository}
    context["ended"] = syncing.ended(request.actor, repository, request.GET.get("sync", ""))
    try:
        context["standing"] = upstream.standing(request.actor, repository)
    except Busy as error:
        context["unknown"] = error
    return render(request, "forks/_standing.html", context)
