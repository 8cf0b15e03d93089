"""/datasets/diff/{base}...{head}/{path}: what changed in the data between two revisions."""

from __future__ import annotations

from typing import Any, NotRequired, TypedDict

from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from datasets import answers
from datasets.answers import Answer, RevObject
from datasets.comparison import diff_shapes
from datasets.views import diff as page
from hub.accounts.actor import Area
from hub.jobs import jobs
from repos.api import gate


class VersionObject(TypedDict):
    """present: whether its bytes are here."""

    hash: str
    versioning: str
    size: int | None
    present: bool


class Versions(TypedDict):
    base: VersionObject | None
    head: VersionObject | None


class DataDiffObject(Answer):
    """kind: files, table, image, audio, text, structure, notebook or bytes; what is there besides depends on it."""

    base: RevObject
    head: RevObject
    path: str
    kind: str
    summary: dict[str, Any] | None
    missing: list[Any]
    versions: NotRequired[Versions]
    identical: NotRequired[bool]
    page: NotRequired[int]
    per_page: NotRequired[int]
    pages: NotRequired[int]
    total: NotRequired[int]
    files: NotRequired[list[Any]]
    rows: NotRequired[list[Any]]
    columns: NotRequired[list[Any]]


class CancelledObject(TypedDict):
    state: str


class DataDiff(APIView):
    """The same JSON as the page's `?format=json`: 200 with the summary, 202 with the progress while it is computed."""

    answers = {"get": dict.fromkeys((200, 202), DataDiffObject)}
    queries = {"get": {"page": int}}

    def get(self, request: Request, owner: str, name: str, rest: str) -> Response:
        repository = gate.repository_for(request, owner, name, area=Area.DATA)
        found = page.found_for(request, repository, rest)
        answer, state = diff_shapes.shape(found, page.page_of(request, found)), found.state
        return Response(answer, status=answers.status_code(state), headers=answers.headers(state))


class Cancelled(APIView):
    answers = {"post": CancelledObject}

    def post(self, request: Request, owner: str, name: str, job_id: int) -> Response:
        """Stop a comparison. Who asked for it may, and who may write."""
        repository = gate.repository_for(request, owner, name, area=Area.DATA)
        job = page.own_job(gate.actor_of(request), repository, job_id)
        jobs.cancel(job.pk)
        job.refresh_from_db()
        return Response({"state": job.state})
