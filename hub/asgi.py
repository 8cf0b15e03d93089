"""One ASGI application: a thin router sends machine traffic to raw apps and everything else to Django."""

from __future__ import annotations

import asyncio
import json
import os
import re
from urllib.parse import urlsplit

import django

from hub.lib.numbers import whole

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "hub.settings")
django.setup(set_prefix=False)
# E402 below: what is imported there needs the apps to be loaded.
from django.conf import settings  # noqa: E402
from django.http.request import split_domain_port, validate_host  # noqa: E402

from datasets import remote as dvc  # noqa: E402
from datasets import storages  # noqa: E402
from datasets.s3 import surface as s3  # noqa: E402
from datasets.uploads import upload  # noqa: E402
from experiments import artifact_bytes  # noqa: E402
from experiments.mlflow.mount import MlflowSurface  # noqa: E402
from hub.lib import streams  # noqa: E402
from hub.lib.errors import HubError, Invalid, NotFound, OutOfSpace, Stopping, TooLarge, TooSlow, says_disk_full  # noqa: E402
from hub.lib.logs import REQUEST_ID  # noqa: E402
from hub.lib.middleware import new_request_id  # noqa: E402
from hub.lib.names import OWNER_PATTERN  # noqa: E402
from hub.lib.pagethreads import PageHandler  # noqa: E402
from hub.lib.streams import Receive, Request, Scope, Send  # noqa: E402
from repos import byteroutes, raw, smarthttp, uploads  # noqa: E402
from repos.access import Access  # noqa: E402
from repos.attachments import surface as attachments  # noqa: E402
from repos.surface import Surface, respond_error, route  # noqa: E402

SURFACES: list[Surface] = [smarthttp.surface, dvc.surface, s3.surface, MlflowSurface()]
# Surfaces of browsers: /{owner}/{name}/{word}/…
WORDS: list[Surface] = [raw.surface, artifact_bytes.surface, uploads.surface, attachments.surface]
# Bytes of the REST API, in and out; the rest of it is Django's.
API = byteroutes.surface(
    route("PUT", r"contents?/(?P<rest>.+)", upload, Access.WRITE),
    route("GET HEAD", r"storage/raw/(?P<rest>.+)", storages.raw, Access.READ),
    attachments.API_ROUTE,
)
HOST_HINT = "An administrator adds it to ALLOWED_HOSTS, or sets COVEY_URL to the address people open."
TOO_LARGE = "The body is larger than 10 MiB."
BODY_LIMIT_BYTES = 10 * 1024 * 1024  # JSON API and forms; byte routes have their own limits

_django = PageHandler()
_machine = re.compile(rf"/({OWNER_PATTERN})/([^/]+?)(\.git|\.dvc|\.s3|\.mlflow)(?:/(.*))?")
# git also asks without the suffix when people copy the address of a page.
_plain_git = re.compile(rf"/({OWNER_PATTERN})/([^/]+)/(info/refs|git-upload-pack|git-receive-pack)")
_words = re.compile(rf"/({OWNER_PATTERN})/([^/]+)/({'|'.join(surface.suffix for surface in WORDS)})/(.+)")
_buckets = re.compile(rf"{s3.of_owner.suffix}/({OWNER_PATTERN})(?:/(.*))?")
_api = re.compile(rf"/api/v1/repos/({OWNER_PATTERN})/([^/]+)/((raw|contents?|storage/raw)/.+|(issues/attachments))")


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "lifespan":
        return await lifespan(receive, send)
    if scope["type"] != "http":
        return None
    headers = dict(scope["headers"])
    scope.setdefault("state", {})["request_id"] = new_request_id(headers.get(b"x-request-id", b"").decode("latin-1"))
    REQUEST_ID.set(scope["state"]["request_id"])  # each request is a task of its own, so this ends with it
    request = Request(scope, receive, send)
    if not known_host(request.headers.get("host", "")):
        return await respond_error(request, Invalid("This hub does not answer to that host name.", details=HOST_HINT))
    if b"%00" in scope.get("query_string", b""):  # neither git nor PostgreSQL can be asked for one
        return await refuse(request, Invalid("The address holds a NUL character.", details="Send it without %00."))
    if settings.RAW_HOST and is_raw_host(request.headers["host"]):
        return await raw.raw_host(request)
    if match := _machine.fullmatch(request.path):
        owner, name, suffix, rest = match.groups()
        for surface in SURFACES:
            if surface.suffix == suffix:
                return await surface(request, owner, name, rest or "")
    if match := _buckets.fullmatch(request.path):
        return await s3.of_owner(request, match[1], "", match[2] or "")
    if s3.is_signed(request):
        return await s3.of_host(request, "", "", request.path.removeprefix("/"))
    if match := _words.fullmatch(request.path):
        owner, name, word, rest = match.groups()
        surface = next(surface for surface in WORDS if surface.suffix == word)
        page = surface is uploads.surface and request.method in {"GET", "HEAD"}  # the upload page itself is Django's
        if not page:
            return await surface(request, owner, name, rest)
    if (match := _api.fullmatch(request.path)) and (match[5] or match[4].endswith("raw") or request.method == "PUT"):
        return await API(request, *match.groups()[:3])
    if match := _plain_git.fullmatch(request.path):
        return await smarthttp.surface(request, *match.groups())
    if "%00" in request.path:
        return await refuse(request, NotFound())
    return await capped_django(request, receive, send)


def known_host(header: str) -> bool:
    """Whether a Host header names this hub: a foreign one is a rebinding attack or a missing setting."""
    domain, _ = split_domain_port(header)
    return bool(domain) and validate_host(domain, settings.ALLOWED_HOSTS)


def is_raw_host(header: str) -> bool:
    """Whether RAW_HOST is meant, also by another port or a final dot: none of the hub's pages lives on that name."""
    domain, port = split_domain_port(header)
    raw_domain, raw_port = split_domain_port(settings.RAW_HOST)
    return domain == raw_domain and (port == raw_port or domain != urlsplit(settings.COVEY_URL).hostname)


async def capped_django(request: Request, receive: Receive, send: Send) -> None:
    """Django spools a whole body before it looks at it and waits for ever, so cap and clock stand in front."""
    try:
        if (whole(request.headers.get("content-length", "")) or 0) > BODY_LIMIT_BYTES:
            raise TooLarge
        await _django(request.scope, Capped(receive).receive, patient(request, send))
    except TooLarge:  # Django reads the whole body first, so no answer has begun
        await refuse_body(request, TooLarge(TOO_LARGE, details="Upload files with git, dvc or the upload API."))
    except TooSlow as error:
        await refuse_body(request, error)
    except asyncio.CancelledError:  # a stop of the hub waits for some seconds, and no longer
        if not request.started:
            request.lingering = True
            await refuse_body(request, Stopping())
    except TimeoutError:
        return  # the client takes nothing of its answer any more; what made it was stopped
    except OSError as error:
        if not says_disk_full(error):
            raise
        await refuse_body(request, OutOfSpace())  # the body itself could not be put aside


class Capped:
    """receive of a body for Django. Raises TooLarge past BODY_LIMIT_BYTES, TooSlow when nothing comes any more."""

    def __init__(self, receive: Receive) -> None:
        self._receive, self._total, self._ended = receive, 0, False
        self._arriving = streams.Arriving(receive)

    async def receive(self) -> dict[str, object]:
        if self._ended:
            return await self._receive()  # the client leaves, some day
        message = await self._arriving.next()
        self._ended = not message.get("more_body", False)
        self._total += len(message.get("body", b""))
        if self._total > BODY_LIMIT_BYTES:
            raise TooLarge
        return message


def patient(request: Request, send: Send) -> Send:
    """The same send, up to a point. Raises TimeoutError."""

    async def timed(message: dict[str, object]) -> None:
        request.started = True
        async with asyncio.timeout(streams.IDLE_SECONDS):
            await send(message)

    return timed


async def refuse(request: Request, error: HubError) -> None:
    """Before Django sees the request, in the words of what was asked for."""
    await (refuse_body if request.path.startswith("/api/") else respond_error)(request, error)


async def refuse_body(request: Request, error: HubError) -> None:
    body = json.dumps({"error": error.message, "details": error.details}).encode()
    await request.respond(error.code, body, [("content-type", "application/json"), ("connection", "close")])


async def lifespan(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return
