"""A folder as a grid of its images, in git or in an output of DVC. Also as JSON."""

from __future__ import annotations

from dataclasses import dataclass

from django.http import HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from datasets import teaching
from datasets.viewer import thumbnails
from datasets.views.diff import readable
from hub.accounts.http import HubRequest
from hub.lib.errors import NotFound
from hub.lib.paging import Page
from repos import browsing
from repos.content import Entry
from repos.git import read
from repos.git.read import TreeEntry
from repos.place import Place, split_rev, url
from repos.views.places import page_number, rest_of

PER_PAGE = 60


@dataclass(frozen=True)
class Tile:
    """One entry. url: its page. picture: address of its thumbnail, "" for none. size in bytes, None: not known."""

    name: str
    kind: str
    url: str
    picture: str
    size: int | None
    present: bool


@require_safe
def page(request: HubRequest, owner: str, name: str, rest: str) -> HttpResponseBase:
    repository = readable(request, owner, name)
    rev, path = split_rev(repository, rest_of(request).partition("/")[2])
    place = Place(repository, rev, path)
    number = page_number(request)
    found, total = browsing.entries(place, _folder(place), page=number, size=PER_PAGE)
    tiles = _tiles(place, found)
    shown = Page(tiles, number, number * PER_PAGE < total, max(1, -(-total // PER_PAGE)))
    if request.GET.get("format") == "json":
        return _as_json(place, shown, total)
    return _page(request, place, shown, total)


def _folder(place: Place) -> TreeEntry | None:
    """Git's entry; None when another source has the folder. Raises NotFound when none has."""
    entry = browsing.entry_at(place)
    if entry is not None and entry.kind == "dir":
        return entry
    other = browsing.source_entry(place) if entry is None else None
    if other is None or not other.is_dir:
        raise NotFound(f"There is no folder '{place.path_shown}' at {place.rev_shown}.")
    return None


def _tiles(place: Place, found: list[TreeEntry | Entry]) -> list[Tile]:
    in_git = [e.oid for e in found if isinstance(e, TreeEntry) and e.kind == "file"]
    sizes = read.blob_sizes(place.store, in_git) if in_git else {}
    return [_tile(place, e, sizes.get(e.oid) if isinstance(e, TreeEntry) else e.size) for e in found]


def _tile(place: Place, entry: TreeEntry | Entry, size: int | None) -> Tile:
    at = place.at(f"{place.path}/{entry.name}" if place.path else entry.name)
    present = isinstance(entry, TreeEntry) or entry.present
    image = entry.kind == "file" and present and thumbnails.has_thumbnail(at.path)
    address = at.page("datasets/images") if entry.kind == "dir" else at.blob_url
    return Tile(at.name_shown, entry.kind, address, at.pinned("datasets/thumbnail") if image else "", size, present)


def _page(request: HubRequest, place: Place, shown: Page[Tile], total: int) -> HttpResponse:
    lost = [tile for tile in shown.rows if not tile.present]
    values = {
        "repository": place.repository,
        "tab": "data",
        "place": place,
        "page": shown,
        "total": total,
        "lost": len(lost),
        "push_lines": teaching.push_lines(place.rev.name) if lost else "",
        "up": place.parent.page("datasets/images") if place.path else "",
        "branches": browsing.branches(place.repository),
        "tags": browsing.tags(place.repository),
        "permalink": url(place.repository, "datasets/images", place.commit, place.path),
    }
    return render(request, "datasets/images.html", values)


def _as_json(place: Place, shown: Page[Tile], total: int) -> JsonResponse:
    names = ("name", "kind", "url", "size", "present")
    entries = [
        {name: getattr(tile, name) for name in names} | {"thumbnail_url": tile.picture or None} for tile in shown.rows
    ]
    answer = {
        "repository": place.repository.full_name,
        "commit": place.commit,
        "path": place.path_shown,
        "page": shown.number,
        "pages": shown.count,
        "per_page": PER_PAGE,
        "total": total,
        "entries": entries,
    }
    return JsonResponse(answer, headers={"Cache-Control": "private, no-cache"})
