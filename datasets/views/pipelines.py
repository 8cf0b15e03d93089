"""The pipelines of a revision, and what changed in them between two. Also as JSON."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from datasets import diffs, pipeline_pages, pipeline_shapes
from datasets.diff_shapes import WAITING
from datasets.diffs import Compared
from datasets.views import pipeline_context
from datasets.views.diff import RETRY_SECONDS
from hub.accounts.actor import Actor
from hub.accounts.http import HubRequest
from hub.lib.errors import NotFound
from repos import access, browsing
from repos.access import Access, Area
from repos.git import read
from repos.git.read import Rev
from repos.models import Repository
from repos.place import store_of
from repos.views.places import rest_of


@require_safe
def page(request: HubRequest, owner: str, name: str, rest: str = "") -> HttpResponseBase:
    repository = readable(request.actor, owner, name)
    named = rest_of(request) if rest else ""
    if named.startswith("diff/") and "..." in named:
        return _diff(request, repository, named.removeprefix("diff/"))
    rev = read.resolve(store_of(repository), named) if named else browsing.default_rev(repository)
    found = pipeline_pages.pipeline(repository, rev, user_id=_user_id(request)) if rev else None
    if found is None or request.GET.get("format") != "json":
        context = pipeline_context.of_pipeline(request, repository, found)
        return _answer(request, "datasets/pipelines.html", found.state if found else "none", context)
    return as_json(found.state, pipeline_shapes.pipeline(found))


def readable(actor: Actor, owner: str, name: str) -> Repository:
    """Pipelines tell of code (commands) and of data: a token needs the scope of both."""
    repository = access.repository_for(actor, owner, name, need=Access.READ, area=Area.DATA)
    access.require_scope(actor, Area.REPO, write=False)
    return repository


def _diff(request: HubRequest, repository: Repository, named: str) -> HttpResponseBase:
    asked = two_revs(repository, named)
    found = pipeline_pages.pipeline_diff(asked, user_id=_user_id(request))
    if request.GET.get("format") == "json":
        return as_json(found.state, pipeline_shapes.pipeline_diff(found))
    return _answer(request, "datasets/pipelines_diff.html", found.state, pipeline_context.of_diff(request, found))


def two_revs(repository: Repository, named: str) -> Compared:
    """Raises NotFound, also for a path after the revs: pipelines are of whole revisions."""
    asked = diffs.compared(repository, named)
    if asked.path:
        raise read.unknown(named.partition("...")[2])
    return asked


def rev_of(repository: Repository, named: str) -> Rev:
    """The default branch for "". Raises NotFound."""
    rev = read.resolve(store_of(repository), named) if named else browsing.default_rev(repository)
    if rev is None:
        raise NotFound("This repository has no commits yet.", details="Push a first commit to it.")
    return rev


def as_json(state: str, answer: dict[str, Any]) -> JsonResponse:
    response = JsonResponse(answer, status=pipeline_shapes.status_code(state))
    if state in WAITING:
        response["Retry-After"] = RETRY_SECONDS
    response["Cache-Control"] = "private, no-cache"
    return response


def _answer(request: HubRequest, template: str, state: str, context: dict[str, Any]) -> HttpResponse:
    """A page that waits asks for its progress alone, and is sent here again when the work has ended."""
    if request.headers.get("HX-Request"):
        if state not in WAITING:
            return HttpResponse("It is ready.", headers={"HX-Redirect": request.get_full_path()})
        return render(request, "datasets/_diff_progress.html", context)
    return render(request, template, context, status=422 if state == "failed" else 200)


def _user_id(request: Any) -> int | None:
    user = request.user
    return user.pk if user.is_authenticated else None
