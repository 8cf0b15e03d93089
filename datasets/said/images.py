"""An image, or a region of it, as a place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from django.template.loader import render_to_string

from datasets.said import places
from datasets.tracked.versions import version_at
from datasets.viewer import thumbnails
from hub.accounts.actor import Actor, Area
from hub.lib.errors import NotFound, Unprocessable
from repos.issues.models import Thread
from repos.issues.threads import ShownSpot, Spot
from repos.models import Repository
from repos.place import Place, url

Region = tuple[float, float, float, float]  # x, y, width, height as fractions of the image
LEAST = 0.001  # of a side


class ImageKind:
    """detail: {"region": [x, y, w, h]} or {} for the whole; kept with the "version" of the file."""

    def check(self, actor: Actor, repository: Repository, spot: Spot) -> Spot:
        """Raises Unprocessable for what is no image, and Busy."""
        place = places.place_of(actor, repository, spot)
        region = region_of(spot.detail.get("region"))
        version = version_at(repository, place.commit, place.path)
        if version is None or version.is_dir or not version.present or not thumbnails.has_thumbnail(place.path):
            raise NotFound(f"There is no image '{place.path_shown}' at {place.rev_shown}.")
        thumbnails.thumbnail(repository, version)  # it can be read
        kept: dict[str, Any] = {"version": version.identity} | ({"region": list(region)} if region else {})
        return replace(spot, rev=place.commit, path=place.path, detail=kept)

    def shown(self, actor: Actor, repository: Repository, threads: Sequence[Thread]) -> dict[int, ShownSpot]:
        if not actor.has_scope(Area.DATA, write=False):
            return {}
        now = places.places_now(repository, threads)
        versions = places.versions(now.values())
        return {one.pk: _shown(repository, one, now.get(one.pk), versions) for one in threads}


def region_of(given: Any) -> Region | None:
    """None for the whole image. Raises Unprocessable for what is no part of one."""
    if given is None:
        return None
    numbers = given if isinstance(given, list) and len(given) == 4 else []
    if not numbers or not all(isinstance(one, int | float) and not isinstance(one, bool) for one in numbers):
        raise Unprocessable("A region is [x, y, width, height], as fractions of the image.")
    if not all(0 <= one <= 1 for one in numbers):  # which no NaN does
        raise Unprocessable("A region lies inside of the image: all its numbers are from 0 to 1.")
    x, y, width, height = (round(float(one), 4) for one in numbers)
    if width < LEAST or height < LEAST or x + width > 1.0005 or y + height > 1.0005:
        raise Unprocessable("A region lies inside of the image, and is not empty.", details="Draw it again.")
    return x, y, min(width, round(1 - x, 4)), min(height, round(1 - y, 4))


def _shown(
    repository: Repository, thread: Thread, place: Place | None, versions: Mapping[tuple[str, str], str]
) -> ShownSpot:
    region, page = thread.detail.get("region"), url(repository, "datasets/image", thread.rev, thread.path)
    picture = url(repository, "datasets/thumbnail", thread.rev, thread.path)
    context = {"page": page, "picture": picture, "region": region, "alt": f"{thread.path} as it was"}
    now = versions[place.commit, place.path] if place else ""
    return ShownSpot(
        f"{thread.path}, a region" if region else thread.path,
        f"{page}#thread-{thread.pk}",
        render_to_string("datasets/_said_image.html", context),
        outdated=bool(thread.pk) and now != thread.detail["version"],
    )
