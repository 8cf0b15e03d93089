"""The lists of branches and of tags."""

from __future__ import annotations

from dataclasses import dataclass

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from hub.accounts.http import HubRequest
from hub.lib.paging import Page, page_of
from repos import browsing, cache
from repos.git import history
from repos.git.refs import RefRow
from repos.models import Repository
from repos.place import store_of
from repos.statuses.marks import marks_of
from repos.views.places import readable

REFS_PER_PAGE = 30


@dataclass(frozen=True)
class Branch:
    """ahead, behind: commits only it has, commits only the default branch has; None for the default branch itself."""

    ref: RefRow
    ahead: int | None = None
    behind: int | None = None


@require_safe
def branches(request: HubRequest, owner: str, name: str) -> HttpResponse:
    repository = readable(request, owner, name)
    page = _page(request, browsing.branches(repository))
    default = browsing.default_rev(repository)
    rows = [_branch(repository, ref, default.commit if default else ref.commit) for ref in page.rows]
    found = marks_of(repository, [ref.commit for ref in page.rows])
    return _render(request, "repos/branches.html", repository, page=page, rows=rows, default=default, marks=found)


@require_safe
def tags(request: HubRequest, owner: str, name: str) -> HttpResponse:
    repository = readable(request, owner, name)
    return _render(request, "repos/tags.html", repository, page=_page(request, browsing.tags(repository)))


def _page(request: HubRequest, refs: list[RefRow]) -> Page[RefRow]:
    """A page of the refs whose name contains ?q=."""
    wanted = request.GET.get("q", "").strip().lower()
    found = [ref for ref in refs if wanted in ref.name.lower()] if wanted else refs
    return page_of(found, request.GET.get("page", "1"), REFS_PER_PAGE)


def _render(request: HubRequest, template: str, repository: Repository, **context: object) -> HttpResponse:
    wanted = request.GET.get("q", "").strip()
    shown = {"repository": repository, "tab": "files", "wanted": wanted, "lost": browsing.lost_refs(repository)}
    return render(request, template, {**shown, **context})


def _branch(repository: Repository, ref: RefRow, base: str) -> Branch:
    if ref.name == repository.default_branch:
        return Branch(ref)
    counts = cache.by_ids(
        repository,
        "ahead-behind",
        base,
        ref.commit,
        make=lambda: history.ahead_behind(store_of(repository), base, ref.commit),
    )
    return Branch(ref, *counts)
