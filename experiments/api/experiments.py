"""/api/v1/repos/{owner}/{name}/experiments/reclaim: remove for good what was deleted. For administrators."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any, TypedDict

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from experiments import reclaimable, reclaiming
from experiments.mlflow.context import workspace_of
from hub.accounts.actor import Area
from hub.jobs import jobs
from hub.lib.api import valid
from hub.lib.errors import Unprocessable
from repos.api import gate
from repos.models import Access, Repository


class Confirmation(serializers.Serializer):
    """confirm: the repository as owner/name, since nobody can bring back what goes."""

    confirm = serializers.CharField(max_length=200)


class DeletedObject(TypedDict):
    experiments: int
    runs: int
    models: int
    kept: int


class ReclaimObject(TypedDict):
    """deleted: what may go. state: of the last removal, or none."""

    deleted: DeletedObject
    state: str
    error: str
    result: dict[str, Any] | None


class Reclaim(APIView):
    inputs = {"post": Confirmation}
    answers = dict.fromkeys(("get", "post"), dict.fromkeys((200, 202), ReclaimObject))

    def get(self, request: Request, owner: str, name: str) -> Response:
        """What is deleted and may go, and how the last removal went; 202 while one is under way."""
        return _answer(_administered(request, owner, name))

    def post(self, request: Request, owner: str, name: str) -> Response:
        """Remove what is deleted by now, with its files."""
        repository = _administered(request, owner, name)
        if valid(Confirmation, request)["confirm"] != repository.full_name:
            raise Unprocessable(f"Send confirm: {repository.full_name!r}.", details="What goes cannot be brought back.")
        reclaiming.ask(repository, gate.actor_of(request))
        return _answer(repository)


def _administered(request: Request, owner: str, name: str) -> Repository:
    return gate.repository_for(request, owner, name, need=Access.ADMIN, area=Area.EXPERIMENTS)


def _answer(repository: Repository) -> Response:
    job = reclaiming.job_of(repository)
    open_ = job is not None and job.state in jobs.OPEN
    last: dict[str, Any] = {"state": "none", "error": "", "result": None}
    if job is not None:
        last = {"state": job.state, "error": job.error, "result": job.result}
    body = {"deleted": asdict(reclaimable.counts(workspace_of(repository.pk))), **last}
    return Response(body, status=202 if open_ else 200, headers={"Retry-After": "1"} if open_ else {})
