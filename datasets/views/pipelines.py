"""The pipelines of a revision, and what changed in them between two. Also as JSON."""

from __future__ import annotations

from django.http import HttpResponseBase
from django.views.decorators.http import require_safe

from datasets.comparison import diffs
from datasets.comparison.diffs import Compared
from datasets.stages import pages, shapes
from datasets.views import pipeline_context, waiting
from hub.accounts.actor import Actor
from hub.accounts.http import HubRequest
from hub.lib.errors import NotFound
from repos import access, browsing
from repos.access import Access, Area
from repos.git import read
from repos.git.read import Rev
from repos.models import Repository
from repos.place import resolve
from repos.views.places import rest_of


@require_safe
def page(request: HubRequest, owner: str, name: str, rest: str = "") -> HttpResponseBase:
    repository = readable(request.actor, owner, name)
    named = rest_of(request) if rest else ""
    if named.startswith("diff/") and "..." in named:
        return _diff(request, repository, named.removeprefix("diff/"))
    rev = resolve(repository, named) if named else browsing.default_rev(repository)
    found = pages.pipeline(repository, rev, user_id=request.actor.user_id) if rev else None
    if found is None or request.GET.get("format") != "json":
        return waiting.page(
            request,
            "datasets/pipelines.html",
            found.state if found else "none",
            lambda: pipeline_context.of_pipeline(request, repository, found),
        )
    return waiting.as_json(found.state, shapes.pipeline(found))


def readable(actor: Actor, owner: str, name: str) -> Repository:
    """Pipelines tell of code (commands) and of data: a token needs the scope of both."""
    repository = access.repository_for(actor, owner, name, need=Access.READ, area=Area.DATA)
    access.require_scope(actor, Area.REPO, write=False)
    return repository


def _diff(request: HubRequest, repository: Repository, named: str) -> HttpResponseBase:
    asked = two_revs(repository, named)
    found = pages.pipeline_diff(asked, user_id=request.actor.user_id)
    if request.GET.get("format") == "json":
        return waiting.as_json(found.state, shapes.pipeline_diff(found))
    return waiting.page(
        request, "datasets/pipelines_diff.html", found.state, lambda: pipeline_context.of_diff(request, found)
    )


def two_revs(repository: Repository, named: str) -> Compared:
    """Raises NotFound, also for a path after the revs: pipelines are of whole revisions."""
    asked = diffs.compared(repository, named)
    if asked.path:
        raise read.unknown(named.partition("...")[2])
    return asked


def rev_of(repository: Repository, named: str) -> Rev:
    """The default branch for "". Raises NotFound."""
    rev = resolve(repository, named) if named else browsing.default_rev(repository)
    if rev is None:
        raise NotFound("This repository has no commits yet.", details="Push a first commit to it.")
    return rev
