"""A client of the REST API that holds every answer to the served description: no test may see another one."""

from __future__ import annotations

import functools
import threading
from typing import Any

import jsonschema_rs
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.views import SpectacularJSONAPIView
from rest_framework.test import APIClient

_one_at_a_time = threading.Lock()


class DescribedClient(APIClient):
    def request(self, **environ: Any) -> Any:
        answer, method = super().request(**environ), environ["REQUEST_METHOD"]
        if answer.status_code < 400 and method not in {"HEAD", "OPTIONS"}:
            view = getattr(answer.resolver_match.func, "cls", SpectacularJSONAPIView)
            if view is not SpectacularJSONAPIView:
                alias = "Alias" if "/contents/" in environ["PATH_INFO"] else ""
                self.check(f"{method.lower()}{view.__name__}{alias}", answer)
        return answer

    def check(self, name: str, answer: Any) -> None:
        with _one_at_a_time:  # tests ask from several threads, and the description is made at the first answer
            self._check(name, answer)

    def _check(self, name: str, answer: Any) -> None:
        described = _operations()[name]["responses"]
        status = str(answer.status_code)
        assert status in described, f"{name} answers {status}; described are {sorted(described)}"
        shown = described[status].get("content", {})
        if answer.headers.get("Content-Type") == "application/json":
            assert "application/json" in shown, f"{name} answers {status} with JSON, which is not described"
            wrong = [
                f"{error.instance_path}: {error.message}"
                for error in _validator(name, status).iter_errors(answer.json())
            ]
            assert not wrong, f"{name} answers {status} otherwise than described: {wrong[:5]}"


@functools.cache
def _document() -> dict[str, Any]:
    found: dict[str, Any] = _as_json_schema(SchemaGenerator().get_schema(request=None, public=True))  # type: ignore[no-untyped-call]
    return found


@functools.cache
def _operations() -> dict[str, dict[str, Any]]:
    paths = _document()["paths"].values()
    return {operation["operationId"]: operation for operations in paths for operation in operations.values()}


@functools.cache
def _validator(name: str, status: str) -> jsonschema_rs.Validator:
    schema = _operations()[name]["responses"][status]["content"]["application/json"]["schema"]
    return jsonschema_rs.validator_for({**schema, "components": _document()["components"]})


def _as_json_schema(part: Any) -> Any:
    """OpenAPI 3.0 says of null what JSON Schema says otherwise."""
    if isinstance(part, list):
        return [_as_json_schema(one) for one in part]
    if not isinstance(part, dict):
        return part
    found = {name: _as_json_schema(value) for name, value in part.items() if name != "nullable"}
    return {"anyOf": [found, {"type": "null"}]} if part.get("nullable") is True else found
