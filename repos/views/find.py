"""The file finder: a page, and JSON for the one that types."""

from __future__ import annotations

from django.http import HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from hub.accounts.http import HubRequest
from repos import finding
from repos.git import read
from repos.views.places import place_at


@require_safe
def find(request: HubRequest, owner: str, name: str, rest: str) -> HttpResponse:
    place = place_at(request, owner, name)
    if place.path:
        raise read.unknown(rest)
    letters = request.GET.get("q", "")
    found = [{"path": read.shown(path), "url": place.at(path).blob_url} for path in finding.find(place, letters)]
    if request.headers.get("Accept", "").startswith("application/json"):
        return JsonResponse({"files": found})
    context = {"repository": place.repository, "tab": "files", "place": place, "found": found, "letters": letters}
    return render(request, "repos/find.html", context)
