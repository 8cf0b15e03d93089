"""A machine surface of a repository: route table → credential → gate → handler. Raw ASGI.

.git, .dvc, .mlflow and raw files are Surfaces; their tables are exported so that a test walks every route.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any
from urllib.parse import unquote

from hub.accounts.actor import Actor, Area
from hub.accounts.authentication import actor_from_authorization, actor_from_session, browser_request
from hub.lib.errors import (
    Denied,
    HubError,
    Moved,
    NotFound,
    Stopping,
    Unauthenticated,
    WrongMethod,
)
from hub.lib.failures import as_expected
from hub.lib.streams import ClientGone, Request, in_thread
from repos import access
from repos.models import Access, Repository

logger = logging.getLogger("covey.surface")
CHALLENGE = ("WWW-Authenticate", 'Basic realm="covey", charset="UTF-8"')


@dataclass(frozen=True)
class Call:
    """One gated request. rest: the raw path below the surface. match: the route's groups (undecoded).

    found: what the route's look has found."""

    request: Request
    actor: Actor
    repository: Repository
    rest: str
    match: re.Match[str]
    found: Any = None


Handler = Callable[[Call], Awaitable[None]]


@dataclass(frozen=True)
class Route:
    """pattern: full match on the path below the surface, undecoded, without its leading slash.

    need may depend on the request (a function of Request), as git's info/refs does. look: blocking; what the handler
    has to know first, found in the gate's own trip to a thread (each trip costs more than a query). area: where it is
    not the surface's.
    """

    methods: frozenset[str]
    pattern: str
    handler: Handler
    need: Access | Callable[[Request], Access]
    look: Callable[[Call], Any] | None = None
    area: Area | None = None
    compiled: re.Pattern[str] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "compiled", re.compile(self.pattern))

    def need_of(self, request: Request) -> Access:
        return self.need(request) if callable(self.need) else self.need


def route(
    methods: str,
    pattern: str,
    handler: Handler,
    need: Access | Callable[[Request], Access],
    look: Callable[[Call], Any] | None = None,
    area: Area | None = None,
) -> Route:
    return Route(frozenset(methods.split()), pattern, handler, need, look, area)


class Surface:
    def __init__(self, suffix: str, area: Area, routes: list[Route]) -> None:
        self.suffix, self.area, self.routes = suffix, area, routes

    async def __call__(self, request: Request, owner: str, name: str, rest: str) -> None:
        """Answer one request; every expected error becomes plain text that the client's terminal shows."""
        try:
            await self._dispatch(request, owner, name, rest)
        except ClientGone:
            return
        except asyncio.CancelledError:  # a stop of the hub waits for some seconds, and no longer
            request.lingering = True
            await self.respond_error(request, Stopping())
        except Moved as moved:
            await self._redirect(request, owner, name, moved)
        except HubError as error:
            await self.respond_error(request, error)
        except Exception as error:
            expected = as_expected(error)
            if expected is None:
                logger.exception("unexpected error on %s %s", request.method, request.path)
                expected = HubError(f"The hub failed. Its log tells why, under {request.request_id}.")
            await self.respond_error(request, expected)
        finally:
            request.close()

    async def respond_error(self, request: Request, error: HubError) -> None:
        """Plain text; a surface whose clients read another shape overrides this."""
        await respond_error(request, error)

    async def _dispatch(self, request: Request, owner: str, name: str, rest: str) -> None:
        found, match = self.find(request.method, rest)

        def admit() -> Call:
            wanted: dict[str, Any] = {"need": found.need_of(request), "area": found.area or self.area}
            actor, repository = self._admit(request, unquote(owner), unquote(name), **wanted)
            request.confirm = partial(access.ask_again, actor, repository, **wanted)
            call = Call(request, actor, repository, rest, match)
            return replace(call, found=found.look(call)) if found.look else call

        await found.handler(await in_thread(admit))

    def _admit(self, request: Request, owner: str, name: str, **wanted: Any) -> tuple[Actor, Repository]:
        """Credential and gate. Whether or not it exists, a machine without a credential is asked for one."""
        actor = self.authenticate(request)
        try:
            return actor, access.repository_for(actor, owner, name, **wanted)
        except (NotFound, Denied) as error:
            if actor.is_anonymous:
                raise Unauthenticated(details="Make a token under Settings → Access tokens.") from error
            raise

    def find(self, method: str, rest: str) -> tuple[Route, re.Match[str]]:
        """The route for this method and path. Raises NotFound or WrongMethod, the same for every repository."""
        allowed: set[str] = set()
        for candidate in self.routes:
            if match := candidate.compiled.fullmatch(rest):
                if method in candidate.methods:
                    return candidate, match
                allowed |= candidate.methods
        if allowed:
            raise WrongMethod(headers={"Allow": ", ".join(sorted(allowed))})
        raise NotFound()

    def authenticate(self, request: Request) -> Actor:
        """By header only: cookies are never accepted here. Surfaces for browsers override this."""
        return actor_from_authorization(request.headers.get("authorization", ""), address=request.remote_address)

    async def _redirect(self, request: Request, owner: str, name: str, moved: Moved) -> None:
        prefix = f"/{owner}/{name}"
        rest = request.path.removeprefix(prefix)
        query = request.scope.get("query_string", b"").decode("latin-1")
        location = f"/{moved.owner}/{moved.name}{rest}" + (f"?{query}" if query else "")
        status = 301 if request.method in {"GET", "HEAD"} else 308
        await request.respond(status, b"", [("location", location)])


class BrowserSurface(Surface):
    """For people too: a header as machines send it, or the browser's session. Handlers that write check CSRF."""

    def authenticate(self, request: Request) -> Actor:
        if request.headers.get("authorization"):
            return super().authenticate(request)
        browser = browser_request(request.method, request.headers, address=request.remote_address)
        return actor_from_session(browser)

    async def _dispatch(self, request: Request, owner: str, name: str, rest: str) -> None:
        try:
            await super()._dispatch(request, owner, name, rest)
        except Unauthenticated:
            if request.headers.get("authorization") or not is_browser(request):
                raise
            # A person sees the same as for what does not exist; a password box would ask for the wrong password.
            raise NotFound() from None


def is_browser(request: Request) -> bool:
    headers = request.headers
    return "text/html" in headers.get("accept", "") or "cookie" in headers or "sec-fetch-mode" in headers


async def respond_error(request: Request, error: HubError) -> None:
    """Plain text: what happened, the next step, the request id."""
    if request.started:
        return  # the status line is out; cutting the connection is the only honest answer left
    lines = [error.message, error.details, f"(request {request.request_id})" if request.request_id else ""]
    headers = [("content-type", "text/plain; charset=utf-8"), ("cache-control", "no-store"), *error.headers.items()]
    if isinstance(error, Unauthenticated):
        headers.append(CHALLENGE)
    try:
        await request.respond(error.code, "\n".join(filter(None, lines)).encode() + b"\n", headers)
    except ClientGone:
        return
