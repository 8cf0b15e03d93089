"""How the REST API says no: {"error", "details"}, with details naming the next step."""

from __future__ import annotations

from typing import Any

from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.views import exception_handler

from hub.lib.errors import HubError


def handle_error(error: Exception, context: dict[str, Any]) -> Response | None:
    if isinstance(error, HubError):
        return Response({"error": error.message, "details": error.details}, status=error.code, headers=error.headers)
    response = exception_handler(error, context)
    if response is None:
        return None
    if isinstance(error, exceptions.ValidationError):
        response.data = {"error": "The request is not valid.", "details": _sentences(error.detail)}
    else:
        response.data = {"error": str(getattr(error, "detail", error)), "details": ""}
    return response


def _sentences(detail: Any) -> str:
    if isinstance(detail, dict):
        return " ".join(f"{field}: {_sentences(value)}" for field, value in detail.items())
    if isinstance(detail, list):
        return " ".join(_sentences(value) for value in detail)
    return str(detail)
