"""The Data tab: every output that a revision tracks, and how much of it was pushed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from datasets import teaching
from datasets.models import DatasetIndex
from datasets.tracked.presence import Presence, presence
from datasets.tracked.tracking import tracked
from hub.accounts.http import HubRequest
from hub.lib.paging import page_of
from repos import access, browsing
from repos.access import Access, Area
from repos.git.read import Rev
from repos.models import Repository
from repos.place import Place, resolve
from repos.views.places import rest_of

PER_PAGE = 100


@dataclass(frozen=True)
class Row:
    """One output with the addresses of its pages."""

    found: Presence
    place: Place
    pointer: Place

    @property
    def url(self) -> str:
        return self.place.tree_url if self.found.output.is_dir else self.place.blob_url

    @property
    def history_url(self) -> str:
        return self.place.page("datasets/history")

    @property
    def images_url(self) -> str:
        return self.place.page("datasets/images")

    @property
    def table_url(self) -> str:
        return self.place.page("datasets/table")


@require_safe
def data(request: HubRequest, owner: str, name: str, rest: str = "") -> HttpResponse:
    repository = access.repository_for(request.actor, owner, name, need=Access.READ, area=Area.DATA)
    rev = resolve(repository, rest_of(request)) if rest else browsing.default_rev(repository)
    context: dict[str, Any] = {"repository": repository, "tab": "data", "unread": _unread(repository)}
    if rev:
        context |= _outputs(repository, rev, request.GET.get("page", "1"))
    user = request.actor.username or "YOUR-NAME"
    context |= {"remote_lines": teaching.remote_lines(repository, user), "track_lines": teaching.TRACK}
    context |= {"s3_lines": teaching.s3_lines(repository), "s3_python": teaching.s3_python(repository)}
    return render(request, "datasets/data.html", context)


def _outputs(repository: Repository, rev: Rev, asked: str) -> dict[str, Any]:
    found = tracked(repository, rev.commit)
    outputs = list(found.outputs.values())
    page = page_of(outputs, asked, PER_PAGE)
    place = Place(repository, rev)
    shown = presence(repository, page.rows)
    return {
        "place": place,
        "rows": [Row(p, place.at(p.output.path), place.at(p.output.pointer)) for p in shown],
        "total": len(outputs),
        "page": page,
        "push_lines": teaching.push_lines(place.rev_shown) if any(map(_is_missing, shown)) else "",
        "problems": [(place.at(path), problem) for path, problem in list(found.problems.items())[:20]],
        "branches": browsing.branches(repository),
        "tags": browsing.tags(repository),
    }


def _unread(repository: Repository) -> list[str]:
    """Commits that the history of data knows nothing of."""
    index = DatasetIndex.objects.filter(repository=repository).first()
    return index.unread if index else []


def _is_missing(found: Presence) -> bool:
    return not found.whole and not found.elsewhere
