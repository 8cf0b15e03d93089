"""A directory at a rev."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.http import require_safe

from hub.accounts.http import HubRequest
from hub.lib.errors import NotFound
from repos import browsing, rows
from repos.git.read import TreeEntry
from repos.place import Place, url
from repos.readme import readme_of
from repos.views.places import page_number, place_at, readable, rest_of


@require_safe
def default(request: HubRequest, owner: str, name: str) -> HttpResponse:
    """Without a rev: the default branch; the front page of a repository that has none."""
    repository = readable(request, owner, name)
    rev = browsing.default_rev(repository)
    return HttpResponseRedirect(Place(repository, rev).tree_url if rev else repository.get_absolute_url())


@require_safe
def tree(request: HubRequest, owner: str, name: str, rest: str) -> HttpResponse:
    place = place_at(request, owner, name)
    entry = browsing.entry_at(place)
    if entry and entry.kind != "dir":
        return HttpResponseRedirect(place.blob_url)
    return render(request, "repos/tree.html", tree_context(place, entry, page=page_number(request)))


@require_safe
def tree_commits(request: HubRequest, owner: str, name: str, rest: str) -> HttpResponse:
    """The listing again, as a fragment, with the last commits that the page did not wait for."""
    place = place_at(request, owner, name)
    listing = _listing(place, browsing.entry_at(place), page_number(request), browsing.LAST_COMMITS_LATER_SECONDS)
    return render(
        request, "repos/_listing.html", {"place": place, "listing": listing, **_rows(place, listing, final=True)}
    )


@require_safe
def src(request: HubRequest, owner: str, name: str, rest: str) -> HttpResponse:
    """DagsHub's address of a directory, which its client prints."""
    repository = readable(request, owner, name)
    return HttpResponseRedirect(url(repository, "tree", rest_of(request)))


def tree_context(place: Place, entry: TreeEntry | None, *, page: int = 1) -> dict[str, Any]:
    """What _files.html shows of a directory, git's entry at this place. Raises NotFound when it is none."""
    listing = _listing(place, entry, page, browsing.LAST_COMMITS_SECONDS)
    return {
        "repository": place.repository,
        "tab": "files",
        "place": place,
        "permalink": place.pinned("tree"),
        "listing": listing,
        **_rows(place, listing, final=False),
        "latest": browsing.last_commit_of(place) if place.path else browsing.commit_at(place),
        "count": browsing.commit_count(place),
        "branches": browsing.branches(place.repository),
        "tags": browsing.tags(place.repository),
        "readme": readme_of(place, listing.rows),
    }


def _rows(place: Place, listing: browsing.Listing, *, final: bool) -> dict[str, Any]:
    """rows: HTML. later: the address of the fragment that has what is missing."""
    pending = listing.missing and not final
    base = url(place.repository, "commit") + "/"
    later = f"{place.page('tree-commits')}?page={listing.page}" if pending else ""
    return {"rows": rows.html(listing.rows, commit_base=base, pending=pending), "later": later}


def _listing(place: Place, entry: TreeEntry | None, page: int, seconds: float) -> browsing.Listing:
    if entry is None or entry.kind != "dir":
        other = browsing.source_entry(place)
        if other is None or not other.is_dir:
            raise NotFound(f"There is no directory '{place.path_shown}' at {place.rev_shown}.")
        entry = None
    return browsing.listing(place, entry, page=page, seconds=seconds)
