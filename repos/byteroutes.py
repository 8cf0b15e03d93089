"""The byte routes of the REST API: raw ASGI, since bodies stream, and slashes escaped in a path must stay escaped."""

from __future__ import annotations

import json
from dataclasses import replace

from hub.accounts.actor import Area
from hub.accounts.api import CHALLENGE, NEXT_STEP
from hub.lib.errors import HubError, Moved, Unauthenticated
from hub.lib.streams import ClientGone, Request
from repos import raw
from repos.access import Access
from repos.surface import Call, Route, Surface, route


async def raw_file(call: Call) -> None:
    """GET /raw/{ref}/{path}: the bytes of a file, from git or from DVC, with ranges."""
    await raw.raw(replace(call, rest=call.match["rest"]))


class ApiSurface(Surface):
    """By header only; errors are the API's JSON, and nothing opens a browser's password box."""

    async def respond_error(self, request: Request, error: HubError) -> None:
        if request.started:
            return
        details = error.details or (NEXT_STEP if isinstance(error, Unauthenticated) else "")
        body = json.dumps({"error": error.message, "details": details}).encode()
        headers = {"content-type": "application/json", "cache-control": "no-store", **error.headers}
        if isinstance(error, Unauthenticated):
            headers |= CHALLENGE
        try:
            await request.respond(error.code, body, list(headers.items()))
        except ClientGone:
            return

    async def _redirect(self, request: Request, owner: str, name: str, moved: Moved) -> None:
        path = request.path.replace(f"/{owner}/{name}/", f"/{moved.owner}/{moved.name}/", 1)
        await request.respond(307, b"", [("location", path)])


def surface(*more: Route) -> ApiSurface:
    """The routes of repositories, and those that apps above add."""
    return ApiSurface("api", Area.REPO, [route("GET HEAD", r"raw/(?P<rest>.+)", raw_file, Access.READ), *more])
