"""Who last changed each line of a file."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from hub.accounts.http import HubRequest
from hub.lib.errors import NotFound
from repos import blametable, browsing, cache, code
from repos.git import read
from repos.place import Place
from repos.views.places import place_at


@require_safe
def blame(request: HubRequest, owner: str, name: str, rest: str) -> HttpResponse:
    place = place_at(request, owner, name)
    entry = browsing.entry_at(place)
    if entry is None or entry.kind != "file":
        raise NotFound(f"There is no file '{place.path_shown}' at {place.rev_shown}.")
    blob = read.read_blob(place.store, entry.oid, limit_bytes=code.MAX_BYTES)
    plain = blob.complete and not code.is_binary(blob.data) and not code.too_long(blob.data)
    context = {"repository": place.repository, "tab": "files", "place": place, "permalink": place.pinned("blame")}
    context |= {"rows": _rows(place) if plain else None}
    return render(request, "repos/blame.html", context)


def _rows(place: Place) -> str:
    return cache.by_ids(
        place.repository,
        "blame",
        place.commit,
        place.path,
        blametable.VERSION,
        make=lambda: blametable.html(place),
    )
