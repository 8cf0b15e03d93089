"""Verbs on saved views, the baseline, pinned runs and directions; each leads back to the table."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.views.decorators.http import require_POST

from experiments import asking
from experiments.table import saved
from experiments.views.columns import back
from experiments.views.runs import readable
from experiments.views.table_acts import writable
from hub.accounts.http import HubRequest
from hub.lib.errors import Denied, Invalid
from repos.access import Access


@login_required
@require_POST
def save(request: HubRequest, owner: str, name: str) -> HttpResponse:
    """The table as it is by ?name=, shared for writers who say so."""
    shared = request.POST.get("shared") == "1"
    repository = (writable if shared else readable)(request, owner, name)
    query = request.META.get("QUERY_STRING", "")
    view = saved.save(repository, request.user, request.POST.get("name", ""), query, shared=shared)
    messages.success(request, f"The view {view.name} is kept.")
    return back(request, repository)


@login_required
@require_POST
def delete(request: HubRequest, owner: str, name: str, number: int) -> HttpResponse:
    repository = readable(request, owner, name)
    view = saved.view(repository, request.actor, number)
    if view.owner_id != request.user.pk and repository.granted < Access.ADMIN:
        raise Denied("This view is somebody else's.", details="Ask its owner, or an administrator of the repository.")
    view.delete()
    messages.success(request, f"The view {view.name} is gone.")
    return back(request, repository)


@login_required
@require_POST
def make_default(request: HubRequest, owner: str, name: str, number: int) -> HttpResponse:
    repository = writable(request, owner, name)
    saved.make_default(repository, saved.view(repository, request.actor, number))
    return back(request, repository)


@login_required
@require_POST
def no_default(request: HubRequest, owner: str, name: str) -> HttpResponse:
    repository = writable(request, owner, name)
    saved.make_default(repository, None)
    return back(request, repository)


@require_POST
def baseline(request: HubRequest, owner: str, name: str) -> HttpResponse:
    """The ticked run as the baseline of this address."""
    repository = readable(request, owner, name)
    chosen = asking.run_ids(request.POST)
    if len(chosen) != 1:
        raise Invalid("A baseline is one run.", details="Tick exactly one run in the table.")
    return back(request, repository, baseline=chosen[0])


@login_required
@require_POST
def keep_baseline(request: HubRequest, owner: str, name: str) -> HttpResponse:
    """The address's baseline for everybody who names none; none where it names none."""
    repository = writable(request, owner, name)
    found = asking.ids([request.GET.get("baseline", "")])
    saved.keep_baseline(repository, found[0] if found else "")
    return back(request, repository)


@require_POST
def pin(request: HubRequest, owner: str, name: str) -> HttpResponse:
    """The ticked runs above every page of this address."""
    repository = readable(request, owner, name)
    pinned = asking.ids([*request.GET.getlist("pinned"), *request.POST.getlist("run")])
    return back(request, repository, pinned=pinned[: asking.MOST_PINNED])


@login_required
@require_POST
def directions(request: HubRequest, owner: str, name: str) -> HttpResponse:
    """direction.<metric> = min, max or nothing."""
    repository = writable(request, owner, name)
    given = {name.partition(".")[2]: way for name, way in request.POST.items() if name.startswith("direction.")}
    saved.declare(repository, {metric: str(way) for metric, way in given.items()})
    return back(request, repository)
