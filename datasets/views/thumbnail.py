"""The small picture of an image at a revision."""

from __future__ import annotations

from django.http import HttpResponse, HttpResponseBase
from django.utils.cache import get_conditional_response
from django.views.decorators.http import require_safe

from datasets.tracked.versions import version_at
from datasets.viewer import thumbnails
from datasets.views.diff import readable
from hub.accounts.http import HubRequest
from hub.lib.errors import Invalid, NotFound, Unprocessable
from repos.git import read
from repos.place import split_rev
from repos.views.places import rest_of

# In place of an image that cannot be made small, where a page shows it; grey on light and dark.
NO_PREVIEW = (
    '<svg xmlns="http://www.w3.org/2000/svg" width="256" height="256"><text x="128" y="128" fill="#757575" '
    'font-family="sans-serif" font-size="24" text-anchor="middle">no preview</text></svg>'
)


@require_safe
def thumbnail(request: HubRequest, owner: str, name: str, rest: str) -> HttpResponseBase:
    """?edge=: its longer side in pixels, one of thumbnails.EDGES. At a commit's id it never changes."""
    repository = readable(request, owner, name)
    rev, path = split_rev(repository, rest_of(request).partition("/")[2])
    edge = _edge(request.GET.get("edge", "256"))
    version = version_at(repository, rev.commit, path) if path else None
    if version is None or version.is_dir or not version.present:
        raise NotFound(f"There is no image '{read.shown(path)}' here.")
    try:
        made = thumbnails.thumbnail(repository, version, edge=edge)
    except Unprocessable:
        if request.headers.get("Sec-Fetch-Dest") != "image":
            raise
        return HttpResponse(NO_PREVIEW, status=Unprocessable.code, content_type="image/svg+xml")
    response = HttpResponse(made.path.read_bytes(), content_type="image/webp")
    # What is private is asked for again each time, so that access taken away is gone at once.
    forever = rev.name == rev.commit and not repository.private
    response["Cache-Control"] = "private, max-age=31536000, immutable" if forever else "private, no-cache"
    response["ETag"] = f'"{made.etag}"'
    return get_conditional_response(request, etag=response["ETag"], response=response) or response


def _edge(asked: str) -> int:
    for edge in thumbnails.EDGES:
        if asked == str(edge):
            return edge
    raise Invalid("edge must be a known size.", details=f"Use one of {', '.join(map(str, thumbnails.EDGES))}.")
