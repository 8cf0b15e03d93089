"""The table of runs. Its whole state is in the URL: filter, order, place, columns, groups, baseline."""

from __future__ import annotations

from dataclasses import replace

from django.http import HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from experiments import asking, keys, listing, snapshot
from experiments.filters.errors import FilterError
from experiments.mlflow.context import workspace_of
from experiments.models import RunsAct
from experiments.table import acts, files, groups, hiding, saved, shown, state
from experiments.table import version as versions
from hub.accounts.http import HubRequest
from hub.lib.paging import page_number
from repos import access
from repos.access import Access, Area
from repos.models import Repository

PRIVATE = {"Cache-Control": "private, no-cache"}
UNDO = "runs-undo"  # in the session: the act that the next page offers to undo
PAGE = "experiments/runs.html"


@require_GET
def runs(request: HubRequest, owner: str, name: str) -> HttpResponse:
    repository = readable(request, owner, name)
    if view := request.GET.get("view", ""):
        return _named(request, repository, view)
    agreed = state.settings_of(repository)
    given = state.effective(request.GET, request.actor, agreed)
    frame = {**shown.frame(agreed, request.actor, given), "undo": _undo(request, repository)}
    try:
        query = asking.query(workspace_of(repository.pk), given, directions=agreed.directions, baseline=agreed.baseline)
        if wanted := request.GET.get("format", ""):
            return files.answer(repository, query, wanted, headers=PRIVATE)
        if by := groups.names(given.get("group", "")):
            number = page_number(given.get("page", "1"))
            found = groups.page(query, by, number)
            return render(request, PAGE, frame | shown.grouped(agreed, given, query, found, number))
    except FilterError as error:
        return render(request, PAGE, frame | shown.refused(given, error), status=400)
    nested = given.get("flat") != "1" and query.show == hiding.LIVE
    page = listing.kept(replace(query, nested=nested), snapshot.current())
    return render(request, PAGE, frame | shown.table(agreed, given, query, page))


@require_GET
def names(request: HubRequest, owner: str, name: str) -> HttpResponse:
    """Names of metrics, params and tags that hold ?name=, as JSON."""
    repository = readable(request, owner, name)
    return JsonResponse({"names": keys.search(workspace_of(repository.pk), asking.name(request.GET))}, headers=PRIVATE)


@require_GET
def version(request: HubRequest, owner: str, name: str) -> HttpResponse:
    """What changes when runs do; 204 while it is still ?seen=."""
    found = versions.version(readable(request, owner, name).pk)
    if found == request.GET.get("seen"):
        return HttpResponse(status=204, headers=PRIVATE)
    return JsonResponse({"version": found}, headers=PRIVATE)


def readable(request: HubRequest, owner: str, name: str) -> Repository:
    return access.repository_for(request.actor, owner, name, need=Access.READ, area=Area.EXPERIMENTS)


def _named(request: HubRequest, repository: Repository, number: str) -> HttpResponse:
    """To the address that a view is the name of."""
    view = saved.view(repository, request.actor, page_number(number, most=10**9))
    return HttpResponseRedirect(f"{request.path}?{view.query or 'q='}")


def _undo(request: HubRequest, repository: Repository) -> tuple[RunsAct, str] | None:
    """What this person has just done, to be undone; said once."""
    if request.actor.user is None or UNDO not in request.session:
        return None
    act = acts.last(repository, request.actor.user, request.session.pop(UNDO))
    return (act, acts.said(act)) if act else None
