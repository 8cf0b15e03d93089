"""The answer that downloads a rev's files as zip or tar.gz, for pages and API alike."""

from __future__ import annotations

import re

from django.http import StreamingHttpResponse
from django.utils.http import content_disposition_header

from hub.lib.errors import NotFound
from repos.git import archive, read
from repos.models import Repository
from repos.place import resolve, store_of


def response(repository: Repository, wanted: str, *, body: bool) -> StreamingHttpResponse:
    """wanted: <rev>.zip or <rev>.tar.gz. body: False for HEAD. The caller has asked the gate. Raises
    NotFound, TooLarge and Busy."""
    ending = next((ending for ending in archive.FORMATS if wanted.endswith("." + ending)), None)
    if ending is None:
        raise NotFound("Archives end in .zip or .tar.gz.")
    store = store_of(repository)
    rev = resolve(repository, wanted.removesuffix("." + ending))
    read.check_count(store, rev.commit)  # git would take in all names before the first byte
    folder = f"{repository.name}-{re.sub(r'[^A-Za-z0-9._-]+', '-', read.shown(rev.name))[:100]}"
    answer = StreamingHttpResponse(
        archive.stream(store, rev.commit, ending, prefix=folder) if body else [],
        content_type=archive.FORMATS[ending][1],
    )
    answer["Content-Disposition"] = content_disposition_header(True, f"{folder}.{ending}")
    answer["Cache-Control"] = "private, no-store"
    return answer
