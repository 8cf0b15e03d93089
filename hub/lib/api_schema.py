"""How drf-spectacular describes the API: bodies from each view's `inputs`, answers as objects, byte routes by hand."""

from __future__ import annotations

from typing import Any

from drf_spectacular.openapi import AutoSchema
from drf_spectacular.types import OpenApiTypes

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


class Schema(AutoSchema):
    """A view says what its bodies hold by `inputs = {"post": SomeSerializer}`."""

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
        return {204: None} if self.method == "DELETE" else OpenApiTypes.OBJECT


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
    for operations in paths.values():
        for operation in operations.values():
            operation["responses"]["default"] = {"description": "what went wrong, and the next step", **answer}
    return result


def _path(name: str) -> dict[str, Any]:
    return {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
