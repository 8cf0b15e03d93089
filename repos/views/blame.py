"""Who last changed each line of a file."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from hub.accounts.http import HubRequest
from hub.lib.errors import NotFound
from repos import blametable, browsing, cache
from repos.place import Place
from repos.views.blob import shown_of
from repos.views.places import place_at


@require_safe
def blame(request: HubRequest, owner: str, name: str, rest: str) -> HttpResponse:
    place = place_at(request, owner, name)
    entry = browsing.entry_at(place)
    if entry is None or entry.kind != "file":
        raise NotFound(f"There is no file '{place.path_shown}' at {place.rev_shown}.")
    shown = shown_of(place, entry, browsing.size_of(place, entry))
    context = {"repository": place.repository, "tab": "files", "place": place, "shown": shown}
    context |= {"permalink": place.pinned("blame"), "rows": _rows(place) if shown.kind == "code" else None}
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
