"""/statuses/{sha}, /commits/{ref}/statuses and /commits/{ref}/status, in GitHub's shapes."""

from __future__ import annotations

from typing import Any, ClassVar, TypedDict

from django.conf import settings
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from hub.accounts.api import UserObject, user_object
from hub.jobs.once import once
from hub.lib.api import paged, valid
from hub.lib.api_schema import PAGES, created
from hub.lib.errors import NotFound
from repos.api import gate
from repos.api.refs import CommitFound, OneCommit, resolved
from repos.models import Access, Repository
from repos.statuses import marks, posting
from repos.statuses.models import Status


class StatusObject(TypedDict):
    id: int
    url: str
    state: str
    context: str
    description: str | None
    target_url: str | None
    creator: UserObject | None
    created_at: str
    updated_at: str


class ShortRepository(TypedDict):
    id: int
    name: str
    full_name: str


class CombinedStatusObject(TypedDict):
    state: str
    sha: str
    total_count: int
    statuses: list[StatusObject]
    repository: ShortRepository
    commit_url: str
    url: str


class NewStatus(serializers.Serializer):
    """context: who reports; the newest of each counts. target_url: http or https, where people read more."""

    state = serializers.ChoiceField(choices=Status.State.values)
    context = serializers.CharField(  # type: ignore[assignment]  # GitHub's name, which DRF has for something else
        max_length=255, allow_blank=True, default=posting.DEFAULT_CONTEXT
    )
    description = serializers.CharField(max_length=10_000, allow_blank=True, allow_null=True, default="")
    target_url = serializers.CharField(max_length=2000, allow_blank=True, allow_null=True, default="")


class CommitStatuses(APIView):
    """Everything that was said of a commit, the newest first. Of a branch called …/statuses the commit itself."""

    answers: ClassVar[dict[str, Any]] = {"get": list[StatusObject] | CommitFound}
    queries = {"get": PAGES}

    def get(self, request: Request, owner: str, name: str, ref: str) -> Response:
        repository = gate.repository_for(request, owner, name)
        try:
            commit = resolved(repository, ref).commit
        except NotFound:  # of a branch whose name ends like this
            return OneCommit().get(request, owner, name, f"{ref}/statuses")
        rows = Status.objects.filter(repository=repository, sha=commit).select_related("creator")
        return paged(request, rows.order_by("-pk"), lambda page: [status_object(repository, row) for row in page])


class Statuses(CommitStatuses):
    """Report the status of a commit, by its full id. The token needs the scope repo:write."""

    inputs = {"post": NewStatus}
    answers = {"get": list[StatusObject] | CommitFound, "post": created(StatusObject)}
    idempotent = {"post"}

    def post(self, request: Request, owner: str, name: str, ref: str) -> Response:
        repository = gate.repository_for(request, owner, name, need=Access.WRITE)
        fields = {field: value or "" for field, value in valid(NewStatus, request).items()}
        actor = gate.actor_of(request)

        def make() -> Response:
            return Response(status_object(repository, posting.post(actor, repository, ref, **fields)), status=201)

        return once(request, make)


class CombinedStatus(APIView):
    """What the newest status of each context says of a commit together: failure, pending or success. Of a branch
    called …/status the commit itself. statuses: a page of them, what failed first; total_count: of all."""

    answers = {"get": CombinedStatusObject | CommitFound}
    queries = {"get": PAGES}

    def get(self, request: Request, owner: str, name: str, ref: str) -> Response:
        repository = gate.repository_for(request, owner, name)
        try:
            commit = resolved(repository, ref).commit
        except NotFound:
            return OneCommit().get(request, owner, name, f"{ref}/status")
        mark, api = marks.mark_of(repository, commit), _api(repository)
        rows = marks.statuses_of(repository, commit)
        page = paged(request, rows, lambda some: [status_object(repository, status) for status in some])
        found: CombinedStatusObject = {
            "state": mark.state,
            "sha": commit,
            "total_count": mark.total,
            "statuses": page.data,
            "repository": {"id": repository.pk, "name": repository.name, "full_name": repository.full_name},
            "commit_url": f"{api}/commits/{commit}",
            "url": f"{api}/commits/{commit}/status",
        }
        page.data = found
        return page


def status_object(repository: Repository, status: Status) -> StatusObject:
    """Select creator with lists."""
    return {
        "id": status.pk,
        "url": f"{_api(repository)}/statuses/{status.sha}",
        "state": status.state,
        "context": status.context,
        "description": status.description or None,
        "target_url": status.target_url or None,
        "creator": user_object(status.creator) if status.creator else None,
        "created_at": status.created.isoformat(),
        "updated_at": status.created.isoformat(),
    }


def _api(repository: Repository) -> str:
    return f"{settings.COVEY_URL}/api/v1/repos/{repository.full_name}"
