"""One commit: its message and what it changed."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from hub.accounts.http import HubRequest
from hub.lib.errors import NotFound
from hub.lib.paging import page_of
from repos import browsing, diffbody, diffs
from repos.diffs import Options
from repos.git import read
from repos.git.diff import EMPTY_TREE
from repos.statuses.marks import mark_of, statuses_of
from repos.views.places import place_at, readable, rest_of

STATUSES_SHOWN = 50


def options_of(request: HttpRequest) -> Options:
    return Options(split=request.GET.get("view") == "split", ignore_space=request.GET.get("w") == "1")


@require_safe
def commit(request: HubRequest, owner: str, name: str, rest: str) -> HttpResponse:
    place = place_at(request, owner, name)
    if place.path:
        raise read.unknown(rest)
    found, options = browsing.commit_at(place), options_of(request)
    base = found.parents[0] if found.parents else EMPTY_TREE
    return render(
        request,
        "repos/commit.html",
        {
            "repository": place.repository,
            "tab": "files",
            "place": place,
            "commit": found,
            "mark": (mark := mark_of(place.repository, found.sha)),
            "statuses": page_of(
                statuses_of(place.repository, found.sha) if mark.total else [],
                request.GET.get("statuses", "1"),
                STATUSES_SHOWN,
            ),
            "body": found.body[:100_000],
            "diff": diffs.between(place.repository, base, found.sha, options),
            "options": options,
        },
    )


@require_safe
def diff_file(request: HubRequest, owner: str, name: str, rest: str) -> HttpResponse:
    """The fragment with one file's lines, for diffs that a page does not show at once: base/head/path."""
    repository = readable(request, owner, name)
    base, _, more = rest_of(request).partition("/")
    head, _, path = more.partition("/")
    if not (read.FULL_ID.fullmatch(base) and read.FULL_ID.fullmatch(head) and path) or "\0" in path:
        raise NotFound()
    options = options_of(request)
    file = diffs.of_file(repository, base, head, path, options)
    return HttpResponse(diffbody.body(file, split=options.split, alone=True))
