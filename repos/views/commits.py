"""The history of a rev or of one path."""

from __future__ import annotations

from itertools import groupby

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from hub.accounts.http import HubRequest
from hub.lib.errors import NotFound
from repos import browsing
from repos.git import history
from repos.statuses.marks import marks_of
from repos.views.places import home_of, place_at, readable

COMMITS_PER_PAGE = 30


@require_safe
def commits(request: HubRequest, owner: str, name: str, rest: str = "") -> HttpResponse:
    place = place_at(request, owner, name) if rest else home_of(readable(request, owner, name))
    after = request.GET.get("after", "")
    page = history.log(place.store, place.commit, path=place.path, after=after, limit=COMMITS_PER_PAGE)
    if not page.commits and place.path:
        raise NotFound(f"No commit of {place.rev_shown} ever changed '{place.path_shown}'.")
    days = [(day, list(found)) for day, found in groupby(page.commits, key=lambda c: c.committed.date())]
    return render(
        request,
        "repos/commits.html",
        {
            "repository": place.repository,
            "tab": "files",
            "place": place,
            "days": days,
            "marks": marks_of(place.repository, [commit.sha for commit in page.commits]),
            "page": page,
            "after": after,
            "branches": browsing.branches(place.repository),
            "tags": browsing.tags(place.repository),
        },
    )
