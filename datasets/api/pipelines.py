"""/pipelines/{rev} and /pipelines/diff/{base}...{head}: stages of DVC, and what changed in them."""

from __future__ import annotations

from typing import Any, NotRequired, TypedDict

from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from datasets import answers
from datasets.answers import Answer, RevObject
from datasets.stages import pages, shapes
from datasets.views import pipelines as page
from hub.accounts.actor import Area
from repos import access
from repos.api import gate
from repos.models import Repository


class StageObject(TypedDict):
    """A stage of dvc.yaml, its state, and why."""

    address: str
    name: str
    group: str | None
    file: str
    wdir: str
    cmd: Any
    desc: Any
    frozen: bool
    state: str
    reasons: list[Any]
    deps: list[dict[str, Any]]
    params: list[dict[str, Any]]
    outs: list[dict[str, Any]]


class PipelineObject(Answer):
    """summary: how many stages are in each state. edges: from and to, by address or pointer."""

    rev: RevObject
    summary: NotRequired[dict[str, int]]
    files: NotRequired[list[Any]]
    stages: NotRequired[list[StageObject]]
    sources: NotRequired[list[Any]]
    edges: NotRequired[list[list[str]]]
    problems: NotRequired[list[Any]]


class PipelinesDiffObject(Answer):
    base: RevObject
    head: RevObject
    summary: NotRequired[dict[str, Any]]
    stages: NotRequired[list[dict[str, Any]]]
    edges: NotRequired[list[dict[str, str]]]
    problems: NotRequired[dict[str, Any]]


class Pipelines(APIView):
    """The same JSON as the page's `?format=json`: 200 with the stages, 202 with the progress while it is made."""

    answers = {"get": dict.fromkeys((200, 202), PipelineObject)}

    def get(self, request: Request, owner: str, name: str, rest: str = "") -> Response:
        repository = _readable(request, owner, name)
        found = pages.pipeline(repository, page.rev_of(repository, rest), user_id=_user_id(request))
        return _response(found.state, shapes.pipeline(found))


class PipelinesOfRevision(Pipelines):
    """The same at a revision: /pipelines/{rev}."""


class PipelinesDiff(APIView):
    """The stages that were added, removed or changed: 200, or 202 with the progress while they are compared."""

    answers = {"get": dict.fromkeys((200, 202), PipelinesDiffObject)}

    def get(self, request: Request, owner: str, name: str, rest: str) -> Response:
        repository = _readable(request, owner, name)
        found = pages.pipeline_diff(page.two_revs(repository, rest), user_id=_user_id(request))
        return _response(found.state, shapes.pipeline_diff(found))


def _readable(request: Request, owner: str, name: str) -> Repository:
    repository = gate.repository_for(request, owner, name, area=Area.DATA)
    access.require_scope(gate.actor_of(request), Area.REPO, write=False)
    return repository


def _user_id(request: Request) -> int | None:
    return request.user.pk if request.user.is_authenticated else None


def _response(state: str, answer: dict[str, object]) -> Response:
    return Response(answer, status=answers.status_code(state), headers=answers.headers(state))
