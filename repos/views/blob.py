"""One file at a rev."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.http import require_safe

from hub.accounts.http import HubRequest
from hub.lib.errors import NotFound
from repos import browsing
from repos.content import Entry
from repos.git.read import TreeEntry
from repos.place import Place
from repos.shown import shown_of
from repos.views.places import place_at


@require_safe
def blob(request: HubRequest, owner: str, name: str, rest: str) -> HttpResponse:
    place = place_at(request, owner, name)
    entry = browsing.entry_at(place) or browsing.source_entry(place)
    if entry is None:
        raise NotFound(f"There is no file '{place.path_shown}' at {place.rev_shown}.")
    if entry.kind == "dir":
        return HttpResponseRedirect(place.tree_url)
    as_source = request.GET.get("source") == "1"
    return render(request, "repos/blob.html", _context(place, entry, as_source=as_source))


def _context(place: Place, entry: TreeEntry | Entry, *, as_source: bool) -> dict[str, Any]:
    context: dict[str, Any] = {"repository": place.repository, "tab": "files", "place": place, "entry": entry}
    context |= {
        "permalink": place.pinned("blob"),
        "branches": browsing.branches(place.repository),
        "tags": browsing.tags(place.repository),
        "as_source": as_source,
    }
    if isinstance(entry, TreeEntry):
        size, latest = browsing.size_of(place, entry), browsing.last_commit_of(place)
        return context | {"size": size, "latest": latest, "shown": shown_of(place, entry, as_source=as_source)}
    shown = shown_of(place, entry, as_source=as_source) if entry.present else None
    return context | {"size": entry.size, "data": True, "shown": shown}
