"""Made from, used by: a panel that the pages of things include by its address, and a page with the graph."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from experiments.lineage import graph as graphs
from experiments.lineage import steps
from experiments.lineage.entering import entered
from experiments.lineage.nodes import RUN, Ref
from experiments.lineage.reproducing import reproduce
from experiments.views.lineage_drawing import drawing
from hub.accounts.actor import Actor
from hub.accounts.http import HubRequest
from hub.lib.errors import NotFound
from hub.lib.paging import Page, page_number
from repos import access
from repos.access import Access, Area
from repos.models import Repository
from repos.place import url
from repos.views.places import rest_of

PER_PAGE = 50
TEACH = "dvc repro\ngit add dvc.lock\ngit commit -m 'Run the pipeline'\ndvc push\ngit push"


@require_safe
def page(request: HubRequest, owner: str, name: str, kind: str, id: str) -> HttpResponse:
    """?fragment=1: the panel alone, nothing for what has no lineage."""
    repository = readable(request.actor, owner, name)
    ref = entered(repository, kind, rest_of(request).partition("/")[2])
    user = request.actor.username or "YOUR-NAME"
    if request.GET.get("fragment") == "1":
        return render(request, "experiments/_lineage.html", _panel(repository, ref, user))
    return render(request, "experiments/lineage.html", _page(repository, ref, user, request.GET.get("page", "1")))


def readable(actor: Actor, owner: str, name: str) -> Repository:
    """Lineage tells of code, data and runs: a token needs the scopes of all three."""
    repository = access.repository_for(actor, owner, name, need=Access.READ, area=Area.EXPERIMENTS)
    require_scopes(actor)
    return repository


def require_scopes(actor: Actor) -> None:
    for area in (Area.REPO, Area.DATA):
        access.require_scope(actor, area, write=False)


def found_of(repository: Repository, ref: Ref, **options: int) -> steps.Lineage:
    """Raises NotFound when the thing has gone since its address was read."""
    found = steps.lineage(repository, ref, **options)
    if found is None:
        raise NotFound("There is no such thing here.")
    return found


def _panel(repository: Repository, ref: Ref, user: str) -> dict[str, Any]:
    found = found_of(repository, ref)
    lines = "" if ref.kind == RUN else reproduce(repository, ref, user=user)  # the page of a run has them itself
    return {"found": found, "ways": ways(found), "lines": lines}


def _page(repository: Repository, ref: Ref, user: str, asked: str) -> dict[str, Any]:
    number = page_number(asked)
    found = found_of(repository, ref, page=number, size=PER_PAGE)
    return {
        "repository": repository,
        "tab": "experiments",
        "found": found,
        "ways": ways(found),
        "drawing": drawing(repository, graphs.graph(repository, ref)),
        "lines": reproduce(repository, ref, user=user),
        "page": Page([], number, number < found.pages, found.pages),
        "teach_lines": TEACH,
        "json_url": f"/api/v1/repos{url(repository, f'lineage/{ref.kind}', ref.id)}",
    }


def ways(found: steps.Lineage) -> list[tuple[str, list[steps.Group]]]:
    return [("Made from", found.made_from), ("Used by", found.used_by)]
