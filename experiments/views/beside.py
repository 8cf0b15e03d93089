"""Panels at the end of a comparison: what its runs left and came from. ?run= and ?baseline= as there."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from datasets.views.diff_context import line_of
from experiments.beside import documents, origins, packages, pictures, sides
from experiments.beside.sides import Side
from experiments.charts import address
from experiments.views.runs import readable
from hub.accounts.actor import Area
from hub.accounts.http import HubRequest
from hub.lib.errors import NotFound
from hub.lib.numbers import whole
from repos import access, difftable


@require_GET
def pictures_panel(request: HubRequest, owner: str, name: str) -> HttpResponse:
    """Pictures of the same name in a row, with a slider of their steps; ?step= is where it stands."""
    context = _context(request, owner, name)
    found, more = pictures.pictures(context["sides"])
    steps = sorted({step for picture in found for step in picture.steps})
    asked = whole(request.GET.get("step", ""))
    step = asked if asked is not None else steps[-1] if steps else 0
    return _answer(
        request, "_beside_pictures", {**context, "pictures": found, "more": more, "steps": steps, "step": step}
    )


@require_GET
def documents_panel(request: HubRequest, owner: str, name: str) -> HttpResponse:
    """Files that several runs have under one path, each with the way to its difference."""
    context = _context(request, owner, name)
    return _answer(request, "_beside_documents", {**context, "documents": documents.common(context["sides"])})


@require_GET
def document(request: HubRequest, owner: str, name: str) -> HttpResponse:
    """What differs in the file ?path= from the base to the run ?head=. Raises NotFound."""
    context = _context(request, owner, name)
    base, path = context["base"], request.GET.get("path", "")
    head = next((side for side in context["sides"] if side.run.run_id == request.GET.get("head", "")), None)
    if base is None or head is None or not path:
        raise NotFound("There is no such run in this comparison.")
    found = documents.changes(base, head, path)
    shown = {**context, "head": head, "path": path, "found": found}
    if found.kind == "text":
        shown["lines"] = difftable.html(found.result["lines"], split=False)
    elif found.kind == "table":
        shown["rows"] = [line_of(row, lambda _: "") for row in found.result["rows"]]
    return _answer(request, "_beside_document", shown)


@require_GET
def environment(request: HubRequest, owner: str, name: str) -> HttpResponse:
    context = _context(request, owner, name)
    found = packages.packages(context["sides"], differences=context["differences"])
    return _answer(request, "_beside_environment", {**context, "table": found})


@require_GET
def origin(request: HubRequest, owner: str, name: str) -> HttpResponse:
    """Code and data: a token needs the scopes of both."""
    context = _context(request, owner, name)
    for area in (Area.REPO, Area.DATA):
        access.require_scope(request.actor, area, write=False)
    others = [side for side in context["sides"] if side is not context["base"]]
    code = origins.code(context["base"], others) if context["base"] else []
    table = origins.data(context["sides"], differences=context["differences"])
    return _answer(request, "_beside_origin", {**context, "code": code, "table": table})


def _context(request: HubRequest, owner: str, name: str) -> dict[str, Any]:
    """The runs of the address; the address without what a panel adds to it."""
    repository = readable(request, owner, name)
    picked = address.runs_of(request.actor, repository, request.GET, least=1)
    chosen: list[Side] = sides.sides(picked)
    named = [(key, value) for key in ("run", "selection", "baseline") for value in request.GET.getlist(key)]
    return {
        "repository": repository,
        "tab": "experiments",
        "sides": chosen,
        "base": sides.base_of(chosen, request.GET.get("baseline", "")),
        "left_out": len(picked.rows) - len(chosen),
        "differences": request.GET.get("all") != "1",
        "query": urlencode(named),
        "named": named,
    }


def _answer(request: HubRequest, part: str, context: dict[str, Any]) -> HttpResponse:
    """The part alone for a page that loads it, else in a page of its own."""
    template = f"experiments/{part}.html"
    if request.htmx:
        return render(request, template, context)
    return render(request, "experiments/beside.html", {**context, "part": template})
