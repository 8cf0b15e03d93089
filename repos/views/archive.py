"""Download a rev's files as zip or tar.gz."""

from __future__ import annotations

import re

from django.http import HttpResponseBase, StreamingHttpResponse
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_safe

from hub.accounts.http import HubRequest
from hub.lib.errors import NotFound
from repos.git import archive as archives
from repos.git import read
from repos.place import store_of
from repos.views.places import readable, rest_of


@require_safe
def archive(request: HubRequest, owner: str, name: str, rest: str) -> HttpResponseBase:
    """/archive/<rev>.zip or .tar.gz. Nothing is read before the gate and the rev were checked."""
    repository = readable(request, owner, name)
    wanted = rest_of(request)
    ending = next((ending for ending in archives.FORMATS if wanted.endswith("." + ending)), None)
    if ending is None:
        raise NotFound("Archives end in .zip or .tar.gz.")
    store = store_of(repository)
    rev = read.resolve(store, wanted.removesuffix("." + ending))
    folder = f"{repository.name}-{re.sub(r'[^A-Za-z0-9._-]+', '-', read.shown(rev.name))[:100]}"
    response = StreamingHttpResponse(
        archives.stream(store, rev.commit, ending, prefix=folder) if request.method == "GET" else [],
        content_type=archives.FORMATS[ending][1],
    )
    response["Content-Disposition"] = content_disposition_header(True, f"{folder}.{ending}")
    response["Cache-Control"] = "private, no-store"
    return response
