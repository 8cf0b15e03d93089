"""Failures of Django pages as answers: our page, an htmx fragment, or JSON. Never Django's own text.

Errors (a middleware) catches what views raise; the functions below it are Django's hooks for what never reached a
view: addresses that nothing answers, malformed requests, forms without their CSRF token, faults of middleware.
"""

from __future__ import annotations

import functools
import logging
import sys
from collections.abc import Callable
from typing import ParamSpec

from django.contrib.sessions.exceptions import SessionInterrupted
from django.core.exceptions import PermissionDenied, RequestDataTooBig, TooManyFieldsSent, TooManyFilesSent
from django.db import DataError, connections
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.urls import is_valid_path
from django.utils.http import escape_leading_slashes

from hub.lib.errors import (
    Denied,
    HubError,
    Invalid,
    Lost,
    Moved,
    NotFound,
    OutOfSpace,
    TooLarge,
    Upstream,
    WrongMethod,
    causes,
    says_disk_full,
)
from hub.lib.objectstore import DigestMismatch, ObjectMissing, ObjectStoreError
from hub.lib.outages import DatabaseAway, outage

logger = logging.getLogger("covey.errors")
P = ParamSpec("P")


class Errors:
    """HubError → an answer. The unexpected is logged under the request id, shown as 500."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if response.status_code == WrongMethod.code and not getattr(response, "content", b""):
            # What Django's @require_POST and its like answer is empty.
            return error_response(request, WrongMethod(headers={"Allow": response.get("Allow", "")}))
        return response

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        if isinstance(error, Moved):
            old = request.resolver_match.kwargs if request.resolver_match else {}
            prefix = f"/{old.get('owner')}/{old.get('name')}"
            rest = request.get_full_path().removeprefix(prefix)
            return HttpResponseRedirect(f"/{error.owner}/{error.name}{rest}")
        expected = as_expected(error)
        return error_response(request, expected) if expected else None


def as_expected(error: BaseException) -> HubError | None:
    """The expected failure that an error of Django's, of the system or of a store stands for; None for a fault."""
    if isinstance(error, HubError):
        return error
    if isinstance(error, Http404):
        return NotFound()
    if isinstance(answer := getattr(error, "answer", None), HubError):
        logger.error("%s", error)
        return answer
    if isinstance(error, DataError) and "NUL" in str(error):  # SQLite looks for such a text and finds none
        return Invalid("A text cannot hold a NUL character.", details="Send it without.")
    if says_disk_full(error):
        logger.error("no room: %s", error)
        return OutOfSpace()
    if isinstance(error, ObjectStoreError):
        logger.error("%s", error)
        return Upstream("The hub's object store did not answer.", details="Try again in a minute.")
    if found := outage(error):
        logger.error("%s", " ".join(str(error).split()) or type(error).__name__)
        return found
    return None


def passing(error: BaseException) -> HubError | None:
    """What is away or full, when that is why something failed, so that it may be done later; None for any other.

    Also below the errors that were made of it for people."""
    for each in causes(error):
        if isinstance(each, ObjectMissing | DigestMismatch | Lost):
            return None
        found = as_expected(each)
        if isinstance(found, Upstream | OutOfSpace | DatabaseAway):
            return found
    return None


def error_response(request: HttpRequest, error: HubError) -> HttpResponse:
    """The page (or JSON, when that is what the caller reads) for an expected failure."""
    if reads_json(request):
        response: HttpResponse = JsonResponse({"error": error.message, "details": error.details}, status=error.code)
    else:
        template = "shared/_error.html" if request.headers.get("HX-Request") else "shared/error.html"
        response = render(request, template, {"error": error}, status=error.code)
    for name, value in error.headers.items():
        response[name] = value
    return response


def reads_json(request: HttpRequest) -> bool:
    asked = request.headers.get("Accept", "").startswith("application/json") or request.GET.get("format") == "json"
    return asked or f"{request.path}/".startswith("/api/")


# ---- Django's hooks (hub/urls.py, CSRF_FAILURE_VIEW) -----------------------------------------------
def gives_back(hook: Callable[P, HttpResponse]) -> Callable[P, HttpResponse]:
    """Django calls some hooks on a thread that no request owns and no signal reaches: the connection that the page's
    bar took there would be gone from the pool for good."""

    @functools.wraps(hook)
    def answered(*args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        try:
            return hook(*args, **kwargs)
        finally:
            for connection in connections.all(initialized_only=True):
                if not connection.in_atomic_block:  # else this thread is a transaction's own
                    connection.close_if_unusable_or_obsolete()

    return answered


@gives_back
def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    if isinstance(exception, RequestDataTooBig | TooManyFieldsSent | TooManyFilesSent):
        return error_response(request, TooLarge(details="Send less in one form, or use the API."))
    if isinstance(exception, SessionInterrupted) and (found := _behind(exception)):
        return error_response(request, found)
    return error_response(request, Invalid(details="Go back, reload the page and try again."))


def _behind(error: BaseException) -> HubError | None:
    """Why the database could not keep a session that Django calls gone."""
    cause = error.__context__
    return (as_expected(cause) or _behind(cause)) if cause else None


@gives_back
def forbidden(request: HttpRequest, exception: PermissionDenied) -> HttpResponse:
    return error_response(request, Denied())


@gives_back
def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    path, page = request.path_info, request.method in {"GET", "HEAD"} and not reads_json(request)
    if page and path.endswith("/") and is_valid_path(path.rstrip("/")):
        bare, mark, query = request.get_full_path().partition("?")
        return HttpResponseRedirect(escape_leading_slashes(bare.rstrip("/")) + mark + query)
    details = "The API is described at /api/docs." if request.path.startswith("/api/") else ""
    return error_response(request, NotFound("There is nothing at this address.", details=details))


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """A form without its token: expired, sent from elsewhere, or by a browser that keeps no cookies."""
    logger.info("CSRF: %s", reason)
    return error_response(
        request,
        Denied("This form could not be verified.", details="Go back, reload the page and send it again."),
    )


@gives_back
def server_error(request: HttpRequest) -> HttpResponse:
    """A fault, or a full disk outside of views. The page may be what fails (its bar asks who is signed in)."""
    error = sys.exc_info()[1]
    expected = as_expected(error) if error else None
    shown = expected or HubError("The hub failed.", details="Its log tells why, under the number below.")
    try:
        return error_response(request, shown)
    except Exception:
        # Django has logged the fault itself; this is about its page only.
        logger.exception("the page of an error cannot be shown")
        text = f"{shown.message} {shown.details} (request {getattr(request, 'id', '')})"
        return HttpResponse(text, status=shown.code, content_type="text/plain; charset=utf-8")
