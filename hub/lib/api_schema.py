"""How drf-spectacular describes the API: bodies from each view's `inputs`, answers as objects, byte routes by hand."""

from __future__ import annotations

from typing import Any

from drf_spectacular.openapi import AutoSchema
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter

from hub.lib.api_types import schema_of
from hub.lib.conditional import ConditionalView

_ERROR = {
    "type": "object",
    "properties": {"error": {"type": "string"}, "details": {"type": "string", "description": "the next step"}},
    "required": ["error", "details"],
}
_FORM_TEXTS = {
    "versioning": "auto (text up to 1 MiB to git, all else to DVC), git or dvc",
    "last_commit": "the tip you saw; needed to replace files, refused when the branch has moved on",
    "commit_choice": "direct or commit-to-new-branch",
    "new_branch_name": "with commit-to-new-branch",
    "commit_summary": "first line of the message",
    "commit_message": "the rest of it",
    "is_dvc_dir": "true: the directory is, or becomes, one DVC output",
}


NOTHING: dict[int, Any] = {204: None}
PAGES: dict[str, Any] = {"page": int, "limit": int, "per_page": int}


def created(kind: Any) -> dict[int, Any]:
    return {201: kind}


def accepted(kind: Any) -> dict[int, Any]:
    return {202: kind}


class Schema(AutoSchema):
    """A view says what it takes and answers, each by method: `inputs = {"post": SomeSerializer}` of bodies,
    `answers = {"get": list[SomeTypedDict], "post": created(SomeTypedDict)}` (DELETE answers NOTHING),
    `queries = {"get": {"page": int, "state": ["open", "closed"]}}`, and
    `idempotent = {"post"}` where hub.jobs.once answers."""

    def get_operation_id(self) -> str:
        alias = "Alias" if "/contents/" in self.path else ""
        return f"{self.method.lower()}{type(self.view).__name__}{alias}"

    def get_auth(self) -> list[dict[str, Any]]:
        return [{"token": []}, {}] if self.method == "GET" else [{"token": []}]

    def get_tags(self) -> list[str]:
        parts = self.path.split("/")[3:]
        return [parts[3] if parts[0] == "repos" and len(parts) > 3 else parts[0]]

    def get_request_serializer(self) -> Any:
        serializer = getattr(self.view, "inputs", {}).get(self.method.lower())
        return serializer() if serializer else None

    def get_response_serializers(self) -> Any:
        usual = NOTHING if self.method == "DELETE" else OpenApiTypes.OBJECT
        said = getattr(self.view, "answers", {}).get(self.method.lower(), usual)
        found = {
            status: kind if kind is None or isinstance(kind, OpenApiTypes) else schema_of(kind, self.registry)
            for status, kind in (said if isinstance(said, dict) else {200: said}).items()
        }
        if self.method == "GET" and isinstance(self.view, ConditionalView):
            found[304] = None
        return found

    def get_override_parameters(self) -> list[Any]:
        method = self.method.lower()
        asked = getattr(self.view, "queries", {}).get(method, {})
        found = [_parameter(name, "query", kind) for name, kind in asked.items()]
        if method in getattr(self.view, "idempotent", ()):
            found.append(_parameter("Idempotency-Key", "header", str))
        if isinstance(self.view, ConditionalView):
            found.append(_parameter("If-None-Match" if method == "get" else "If-Match", "header", str))
        return found


def complete(result: dict[str, Any], generator: Any, request: Any, public: bool) -> dict[str, Any]:
    """Add the byte routes, which Django does not know, and the shape of every error."""
    base = "/api/v1/repos/{owner}/{name}"
    where = [_path("owner"), _path("name"), _path("rest")]
    paths = result["paths"]
    paths[f"{base}/raw/{{rest}}"] = {
        "get": {
            "operationId": "raw",
            "summary": "The bytes of a file, from git or from DVC, with ranges. rest: ref/path.",
            "tags": ["raw"],
            "parameters": where,
            "responses": {"200": {"description": "the bytes"}, "206": {"description": "part of them"}},
        }
    }
    texts = {name: {"type": "string", "description": text} for name, text in _FORM_TEXTS.items()}
    files = {"type": "array", "items": {"type": "string", "format": "binary"}}
    form = {"schema": {"type": "object", "properties": {**texts, "files": files}}}
    paths.setdefault(f"{base}/content/{{rest}}", {})["put"] = {
        "operationId": "upload",
        "summary": "Upload files as one commit. rest: branch/directory; part names may hold folders.",
        "tags": ["content"],
        "parameters": where,
        "requestBody": {"content": {"multipart/form-data": form}},
        "responses": {
            "200": {"description": "committed; ETag is the new tip"},
            "204": {"description": "it was there already"},
        },
    }
    paths.setdefault(f"{base}/issues/attachments", {})["post"] = {
        "operationId": "attachToIssues",
        "summary": "Upload files for texts: at most 10 of 25 MiB each. The answer holds the Markdown that shows them.",
        "tags": ["issues"],
        "parameters": where[:2],
        "requestBody": {
            "content": {"multipart/form-data": {"schema": {"type": "object", "properties": {"files": files}}}}
        },
        "responses": {"201": {"description": "they are kept; what no text names goes after a day"}},
    }
    components = result.setdefault("components", {})
    components.setdefault("schemas", {})["Error"] = _ERROR
    answer = {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}}
    moved = {"description": "the repository has another name by now: ask again where Location says", **answer}
    for address, operations in paths.items():
        for operation in operations.values():
            if address.startswith(base):
                operation["responses"]["307"] = moved
            operation["responses"]["default"] = {"description": "what went wrong, and the next step", **answer}
    return result


def _parameter(name: str, place: str, kind: Any) -> OpenApiParameter:
    """kind: a type, or the values there are."""
    values = kind if isinstance(kind, list) else None
    return OpenApiParameter(name, str if values else kind, place, enum=values)  # type: ignore[arg-type]  # of texts


def _path(name: str) -> dict[str, Any]:
    return {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
