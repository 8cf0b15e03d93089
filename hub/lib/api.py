"""How the REST API reads bodies and pages, and how it says no: {"error", "details"}, details naming the next step."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias, TypeVar
from urllib.parse import quote, urlencode

from django.conf import settings
from django.db.models import QuerySet
from django.http import QueryDict
from rest_framework import exceptions
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.parsers import JSONParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BooleanField, Serializer
from rest_framework.views import exception_handler

from hub.lib.errors import Invalid, Moved
from hub.lib.failures import as_expected
from hub.lib.numbers import LARGEST_NUMBER, whole
from hub.lib.ranges import named

R = TypeVar("R")
Rows: TypeAlias = QuerySet[Any, R] | Sequence[R]
LIMIT_DEFAULT, LIMIT_MAXIMUM, PAGE_MAXIMUM = 30, 100, 100_000


class Json(JSONParser):
    """JSON whose nesting is too deep for the interpreter is malformed too."""

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> Any:
        try:
            return super().parse(stream, media_type, parser_context)
        except RecursionError as error:
            raise exceptions.ParseError("JSON parse error: nested too deep") from error


class Negotiation(DefaultContentNegotiation):
    """What a client would rather have, and JSON where there is none of that: GitHub's clients ask for one type or the
    other of GitHub's own (application/vnd.github.…+json)."""

    def select_renderer(self, request: Request, renderers: Any, format_suffix: str | None = None) -> Any:
        try:
            return super().select_renderer(request, renderers, format_suffix)
        except exceptions.NotAcceptable:
            return renderers[0], renderers[0].media_type


class Flag(BooleanField):
    """true or false; an empty form field, which is how clients send None, is the default."""

    def run_validation(self, data: Any = ...) -> Any:
        return super().run_validation(self.default if data == "" else data)


def valid(serializer: type[Serializer], request: Request, *, bare: str = "") -> dict[str, Any]:
    """The checked fields of a body, JSON or form. A field that was not sent takes its default, in forms too.

    bare: the field that a list without an object around it stands for, where GitHub takes one.

    Raises Invalid or DRF's ValidationError.
    """
    data = request.data
    if isinstance(data, QueryDict):
        data = data.dict()  # DRF reads a checkbox missing from a form as False; an API client means "default"
    if bare and isinstance(data, list):
        data = {bare: data}
    if not isinstance(data, Mapping):
        raise Invalid("The body must be a JSON object or a form.", details='Send e.g. {"name": "value"}.')
    checked = serializer(data=data)
    checked.is_valid(raise_exception=True)
    return dict(checked.validated_data)


def page_of(request: Request) -> tuple[int, int]:
    """(page, limit) of the query: page from 1, limit 1 to 100; GitHub's clients call it per_page. Raises Invalid."""
    name = "limit" if "limit" in request.query_params else "per_page"
    return (
        whole_number(request, "page", default=1, maximum=PAGE_MAXIMUM),
        min(whole_number(request, name, default=LIMIT_DEFAULT, maximum=PAGE_MAXIMUM), LIMIT_MAXIMUM),
    )


def paged(request: Request, rows: Rows[R], shapes: Callable[[list[R]], list[Any]]) -> Response:
    """One page of rows (of a queryset only this page is read) with a Link header to the next and the one before."""
    page, limit = page_of(request)
    start = (page - 1) * limit
    found = list(rows[start : start + limit + 1])
    response = Response(shapes(found[:limit]))
    return with_links(response, request, more=len(found) > limit)


def searched(request: Request, rows: Rows[R], shapes: Callable[[list[R]], list[Any]]) -> Response:
    """paged, in the envelope of DagsHub's searches: {"data": [...], "ok": true}."""
    response = paged(request, rows, shapes)
    response.data = {"data": response.data, "ok": True}
    return response


def with_links(response: Response, request: Request, *, more: bool) -> Response:
    """Set the Link header (RFC 8288) of a page."""
    page, limit = page_of(request)
    links = [link(request, "next", page=page + 1, limit=limit)] if more else []
    links += [link(request, "prev", page=page - 1, limit=limit)] if page > 1 else []
    if links:
        response["Link"] = ", ".join(links)
    return response


def link(request: Request, relation: str, **place: object) -> str:
    """One entry of a Link header: this address with another place in the list."""
    ours = {*place, "page", "limit", "per_page"}
    kept = {key: value for key, value in request.query_params.dict().items() if key not in ours}
    return f'<{settings.COVEY_URL}{quote(request.path)}?{urlencode(kept | place)}>; rel="{relation}"'


def unchanged(request: Request, *ids: object) -> tuple[str, bool]:
    """(the ETag of what these immutable ids name, whether the client has it already)."""
    etag = f'"{hashlib.sha256(repr(ids).encode("utf-8", "surrogateescape")).hexdigest()[:32]}"'
    return etag, named(etag, request.headers.get("If-None-Match", ""))


def handle_error(error: Exception, context: dict[str, Any]) -> Response | None:
    if isinstance(error, Moved):
        return _redirect(error, context)
    if expected := as_expected(error):
        return Response(expected.as_json(), status=expected.code, headers=expected.headers)
    response = exception_handler(error, context)
    if response is None:
        return None
    if isinstance(error, exceptions.ValidationError):
        response.data = {"error": "The request is not valid.", "details": _sentences(error.detail)}
    else:
        response.data = {"error": str(getattr(error, "detail", error)), "details": _NEXT.get(response.status_code, "")}
    return response


_NEXT = {
    400: "Send well-formed JSON or a form, with the matching Content-Type.",
    401: "Send a token as `Authorization: Bearer …`; make one under Settings → Access tokens.",
    404: "The API is described at /api/docs.",
    405: "The API is described at /api/docs.",
    415: "Send application/json or application/x-www-form-urlencoded.",
    429: "Wait for the seconds named in the Retry-After header.",
}


def _redirect(moved: Moved, context: dict[str, Any]) -> Response:
    """307: the client repeats the same method at the repository's present name."""
    request, old = context["request"], context["kwargs"]
    path = request.get_full_path().replace(f"/{old['owner']}/{old['name']}", f"/{moved.owner}/{moved.name}", 1)
    return Response({"error": "This repository was renamed.", "details": path}, status=307, headers={"Location": path})


def whole_number(request: Request, name: str, *, default: int, minimum: int = 1, maximum: int = LARGEST_NUMBER) -> int:
    """A number of the query. Raises Invalid."""
    text = request.query_params.get(name, "")
    if not text:
        return default
    number = whole(text, least=minimum, most=maximum)
    if number is None:
        raise Invalid(f"{name} must be a whole number from {minimum} to {maximum:,}.")
    return number


def _sentences(detail: Any) -> str:
    if isinstance(detail, dict):
        return " ".join(f"{field}: {_sentences(value)}" for field, value in detail.items())
    if isinstance(detail, list):
        return " ".join(_sentences(value) for value in detail)
    return str(detail)
