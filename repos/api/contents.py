"""/content/{ref}/{path}: what a directory holds, or one file; git's entries and those of other sources (DVC)."""

from __future__ import annotations

from typing import TypedDict

from django.conf import settings
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from hub.lib.api import link, page_of, unchanged
from hub.lib.api_schema import PAGES
from hub.lib.errors import NotFound
from repos import browsing, content
from repos.api import gate
from repos.git import read
from repos.git.read import TreeEntry
from repos.models import Repository
from repos.place import Place, address_of, quoted, split_rev

Child = TreeEntry | content.Entry
PARTS_BEFORE = 7  # /api/v1/repos/{owner}/{name}/content/


class EntryObject(TypedDict):
    """DagsHub's entry: every key is there, text is never null."""

    path: str
    type: str
    size: int
    hash: str
    versioning: str
    download_url: str
    content_url: str


class Contents(APIView):
    """A JSON array for a directory (whole, unless page or limit is given; without submodules), an object for a file."""

    answers = {"get": {200: list[EntryObject] | EntryObject, 304: None}}
    queries = {"get": PAGES}

    def get(self, request: Request, owner: str, name: str, rest: str) -> Response:
        repository = gate.repository_for(request, owner, name)
        rest = address_of(request._request).split("/", PARTS_BEFORE)[PARTS_BEFORE]
        rev, path = split_rev(repository, rest)
        place = Place(repository, rev, path)
        etag, fresh = unchanged(request, repository.pk, rev.commit, rest, request.query_params.urlencode())
        answer = Response(status=304) if fresh else _answer(request, place)
        answer["ETag"] = etag
        answer["Cache-Control"] = "private, no-cache"
        return answer


def _answer(request: Request, place: Place) -> Response:
    entry = browsing.entry_at(place)
    other = None if entry else browsing.source_entry(place)
    if entry is None and other is None:
        raise NotFound(f"There is no '{place.path_shown}' at {place.rev_shown}.")
    one = entry or other
    assert one is not None
    if one.kind != "dir":
        return Response(_object(place, _with_size(place, one)))
    children = _children(place, entry)
    if not {"page", "limit", "per_page"} & set(request.query_params):
        return Response([_object(place.at(path), child) for path, child in children])
    page, limit = page_of(request)
    start = (page - 1) * limit
    response = Response([_object(place.at(path), child) for path, child in children[start : start + limit]])
    if len(children) > start + limit:
        response["Link"] = link(request, "next", page=page + 1, limit=limit)
    return response


def _with_size(place: Place, entry: Child) -> Child:
    if isinstance(entry, content.Entry):
        return entry
    return entry._replace(size=read.blob_sizes(place.store, [entry.oid]).get(entry.oid))


def _children(place: Place, entry: TreeEntry | None) -> list[tuple[str, Child]]:
    """(path, entry) by name; what git holds hides what another source says of the same name."""
    found: dict[str, Child] = {}
    for source in content.sources():
        found |= {other.name: other for other in source.listing(place.repository, place.commit, place.path)}
    if entry is not None:
        found |= {e.name: e for e in browsing.tree_entries(place, entry.oid) if e.kind != "submodule"}
    prefix = f"{place.path}/" if place.path else ""
    return [(prefix + name, found[name]) for name in sorted(found)]


def _object(place: Place, entry: Child) -> EntryObject:
    kind = "dir" if entry.kind == "dir" else "file"
    versioning = entry.versioning if isinstance(entry, content.Entry) else "git"
    return {
        "path": place.path_shown,
        "type": kind,
        "size": entry.size or 0,
        "hash": entry.oid,
        "versioning": versioning,
        "download_url": _url(place, "raw") if kind == "file" else "",
        "content_url": _url(place, "content"),
    }


def _url(place: Place, resource: str) -> str:
    return f"{api_url(place.repository)}/{resource}/{quoted(place.rev.name)}/{quoted(place.path)}"


def api_url(repository: Repository) -> str:
    return f"{settings.COVEY_URL}/api/v1/repos/{repository.full_name}"
