"""What wraps every Django page: a request id and security headers. Errors become answers in failures.py."""

from __future__ import annotations

import re
import secrets
from collections.abc import AsyncIterator, Callable, Iterator
from http import HTTPStatus
from itertools import islice

from asgiref.sync import sync_to_async
from django.conf import settings
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.middleware.gzip import GZipMiddleware

GetResponse = Callable[[HttpRequest], HttpResponse]
PARTS_AT_ONCE = 64  # a file comes in parts of 4 KiB
_REQUEST_ID = re.compile(r"[A-Za-z0-9-]{8,64}")


def new_request_id(given: str = "") -> str:
    """A proxy's id where it is well-formed, else a new one."""
    return given if _REQUEST_ID.fullmatch(given) else secrets.token_hex(8)


class RequestId:
    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        scope = getattr(request, "scope", {})  # the router named the request already; only tests come without one
        number = scope.get("state", {}).get("request_id") or new_request_id()
        request.id = number  # type: ignore[attr-defined]  # what makes it a HubRequest
        response = self.get_response(request)
        response["X-Request-ID"] = number
        return response


class Streams:
    """Lets files and other synchronous streams flow under ASGI: Django would read them whole into memory first."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if isinstance(response, StreamingHttpResponse) and not response.is_async and hasattr(request, "scope"):
            response.streaming_content = _flowing(iter(response.streaming_content))
        return response


async def _flowing(parts: Iterator[bytes]) -> AsyncIterator[bytes]:
    """The same bytes, many small parts by one trip to the request's own thread, whose connection is given back."""
    while piece := await sync_to_async(_joined, thread_sensitive=True)(parts):
        yield piece


def _joined(parts: Iterator[bytes]) -> bytes:
    return b"".join(islice(parts, PARTS_AT_ONCE))


# The hash is that of an empty <style>: plotly makes one and fills it by insertRule (experience §3.2).
PLOTLY_STYLE_HASH = "'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='"


def content_security_policy() -> str:
    frames = f"'self' {raw_origin()}".strip()
    return (
        "default-src 'self'; script-src 'self'; "
        f"style-src 'self' {PLOTLY_STYLE_HASH}; "
        f"img-src {frames} data: blob:; media-src {frames}; connect-src 'self'; font-src 'self'; "
        "object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'self'; "
        f"frame-src {frames}"
    )


def raw_origin() -> str:
    """scheme://RAW_HOST, or nothing when raw files share the hub's host."""
    scheme = "https" if settings.HTTPS else "http"
    return f"{scheme}://{settings.RAW_HOST}" if settings.RAW_HOST else ""


class CompressedText(GZipMiddleware):
    """Pages and JSON leave compressed. Streams do not: archives are compressed already, exports flow as they are made.

    Each answer is padded by a random length, so that its size tells nobody which secret it holds (BREACH).
    """

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        kind = response.get("Content-Type", "")
        if response.streaming or not kind.startswith(("text/", "application/json")):
            return response
        if response.status_code == HTTPStatus.NOT_FOUND:  # what is private has the very size of what is absent
            return response
        return super().process_response(request, response)


class SecurityHeaders:
    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        response.headers.setdefault("Content-Security-Policy", content_security_policy())
        response.headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
        # What one person may see no cache keeps for another, and access taken away is gone when one goes back.
        response.headers.setdefault("Cache-Control", "private, no-cache")
        response.headers.setdefault("Permissions-Policy", "camera=(), microphone=(), geolocation=()")
        return response
