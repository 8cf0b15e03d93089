"""One file at a rev."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils.safestring import SafeString
from django.views.decorators.http import require_safe

from hub.accounts.http import HubRequest
from hub.lib.errors import NotFound
from repos import browsing, cache, code, content
from repos.git import read
from repos.git.read import TreeEntry
from repos.place import Place
from repos.views.places import place_at


@dataclass(frozen=True)
class Shown:
    """kind: code, link, submodule, binary, large or empty. html: the numbered lines of code. target: of a link."""

    kind: str
    html: SafeString | str = ""
    lines: int = 0
    target: str = ""


@require_safe
def blob(request: HubRequest, owner: str, name: str, rest: str) -> HttpResponse:
    place = place_at(request, owner, name)
    entry = browsing.entry_at(place)
    if entry and entry.kind == "dir":
        return HttpResponseRedirect(place.tree_url)
    other = None if entry else browsing.source_entry(place)
    if entry is None and other is None:
        raise NotFound(f"There is no file '{place.path_shown}' at {place.rev_shown}.")
    return render(request, "repos/blob.html", _context(place, entry, other))


def _context(place: Place, entry: TreeEntry | None, other: content.Entry | None) -> dict[str, Any]:
    context: dict[str, Any] = {"repository": place.repository, "tab": "files", "place": place}
    context |= {
        "permalink": place.pinned("blob"),
        "branches": browsing.branches(place.repository),
        "tags": browsing.tags(place.repository),
    }
    if entry:
        size = browsing.size_of(place, entry)
        changed = browsing.last_commit_of(place)
        return context | {"entry": entry, "size": size, "shown": shown_of(place, entry, size), "latest": changed}
    return context | {"entry": other, "size": other.size if other else None, "data": True}


def shown_of(place: Place, entry: TreeEntry, size: int | None) -> Shown:
    """What to show of a git blob; made once per blob and name."""
    if entry.kind == "submodule" or size is None:
        return Shown("submodule")
    if entry.kind == "link":
        return Shown(
            "link", target=read.shown(read.to_text(read.read_blob(place.store, entry.oid, limit_bytes=4096).data))
        )
    name = place.name_shown
    return cache.by_ids(
        place.repository, "blob", entry.oid, name, code.VERSION, make=lambda: _render(place, entry.oid, name)
    )


def _render(place: Place, oid: str, name: str) -> Shown:
    blob = read.read_blob(place.store, oid, limit_bytes=code.MAX_BYTES)
    if code.is_binary(blob.data):
        return Shown("binary")
    if not blob.complete or code.too_long(blob.data):
        return Shown("large")
    lines = code.html_lines(blob.data.decode("utf-8", "replace"), name)
    return Shown("code" if lines else "empty", code.numbered(lines), len(lines))
