"""Where something is said about rows and images: what became of a row; one image, to be commented on."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_safe

from datasets.said import places, rows
from datasets.tracked.versions import version_at
from datasets.viewer import thumbnails
from datasets.views.diff import readable
from hub.accounts.http import HubRequest
from hub.lib.errors import Busy, NotFound, Unprocessable
from repos.issues import threads
from repos.issues.models import Thread
from repos.place import Place, split_rev
from repos.views.places import rest_of

EDGE = thumbnails.EDGES[-1]
MOST_DRAWN = 100  # regions over one image


@require_safe
def row_now(request: HubRequest, owner: str, name: str, thread_id: int) -> HttpResponse:
    """What became of the row of a thread, looked up in the newest version: a fragment."""
    repository = readable(request, owner, name)
    thread = threads.thread_of(repository, thread_id)
    if thread.kind != Thread.Kind.ROW or not threads.at(repository, request.actor, thread.kind, thread.path):
        raise NotFound("That thread does not exist.")
    place = places.places_now(repository, [thread]).get(thread.pk)
    now, error = rows.Now("gone", {}), ""
    if place is not None:
        try:
            now = rows.now_of(thread, place, request.actor)
        except NotFound:
            now = rows.Now("gone", {})
        except (Unprocessable, Busy) as problem:
            now, error = rows.Now("", {}), f"{problem.message} {problem.details}"
    context = rows.said(repository, thread, now, place) | {"error": error}
    return render(request, "datasets/_said_now.html", context)


@require_safe
def image(request: HubRequest, owner: str, name: str, rest: str) -> HttpResponse:
    """One image, large, with the regions that something is said about, and the fields to name another."""
    repository = readable(request, owner, name)
    rev, path = split_rev(repository, rest_of(request).partition("/")[2])
    place = Place(repository, rev, path)
    version = version_at(repository, rev.commit, path) if path else None
    if version is None or version.is_dir or not version.present or not thumbnails.has_thumbnail(path):
        raise NotFound(f"There is no image '{place.path_shown}' at {place.rev_shown}.")
    if request.GET.get("comment"):
        return redirect(_begin(request, place))
    problem = ""
    try:
        thumbnails.thumbnail(repository, version, edge=EDGE)
    except Unprocessable as error:
        problem = error.message
    said = threads.at(repository, request.actor, Thread.Kind.IMAGE, path)
    here = [one for one in said if one.detail.get("region") and one.detail["version"] == version.identity]
    context: dict[str, Any] = {"repository": repository, "tab": "data", "place": place, "edge": EDGE}
    context |= {"regions": [(one, one.detail["region"]) for one in here[-MOST_DRAWN:]]}
    context |= {
        "version": version,
        "picture": place.pinned("datasets/thumbnail"),
        "issue": request.GET.get("issue", ""),
        "problem": problem,
    }
    return render(request, "datasets/image.html", context)


def _begin(request: HubRequest, place: Place) -> str:
    """The form for a comment on the whole, or on the region that ?x=&y=&w=&h= name in percent."""
    given = [request.GET.get(name, "").strip().replace(",", ".") for name in "xywh"]
    detail: dict[str, Any] = {}
    if request.GET["comment"] == "region":
        try:
            detail = {"region": [float(one) / 100 for one in given]}
        except ValueError as error:
            raise Unprocessable("A region is four numbers, in percent of the image.") from error
    fields = {"kind": "image", "path": place.path, "rev": place.commit, "detail": json.dumps(detail)}
    fields |= {"issue": request.GET["issue"]} if request.GET.get("issue") else {}
    names = place.repository.owner.name, place.repository.name
    return f"{reverse('issues:begin-thread', args=names)}?{urlencode(fields)}"
