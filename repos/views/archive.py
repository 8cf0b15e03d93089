"""Download a rev's files as zip or tar.gz."""

from __future__ import annotations

from django.http import HttpResponseBase
from django.views.decorators.http import require_safe

from hub.accounts.http import HubRequest
from repos import archives
from repos.views.places import readable, rest_of


@require_safe
def archive(request: HubRequest, owner: str, name: str, rest: str) -> HttpResponseBase:
    """/archive/<rev>.zip or .tar.gz. Nothing is read before the gate and the rev were checked."""
    repository = readable(request, owner, name)
    return archives.response(repository, rest_of(request), body=request.method == "GET")
