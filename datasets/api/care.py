"""/storage/usage, /storage/garbage, /storage/limit: what takes the space, and what goes. For administrators."""

from __future__ import annotations

from typing import Any, NotRequired, TypedDict

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from datasets.storage import care, quotas, usage
from datasets.storage import garbage as collecting
from hub.accounts import people
from hub.accounts.actor import Area
from hub.jobs import jobs
from hub.jobs.models import Job
from hub.lib.api import page_of, valid, with_links
from hub.lib.api_schema import PAGES
from repos.api import gate
from repos.models import Access, Repository


class WorkObject(TypedDict):
    """What a worker does or did: state none, queued, running, done, failed or cancelled."""

    state: str
    done: int
    total: int | None
    error: str
    result: dict[str, Any] | None


class UsageObject(WorkObject):
    """In bytes. limit_bytes: null for none. datasets, or with ?path= its versions."""

    limit_bytes: int | None
    datasets: NotRequired[list[dict[str, Any]]]
    versions: NotRequired[list[dict[str, Any]]]
    shared: list[dict[str, Any]]
    damaged: list[dict[str, Any]]


class GarbageObject(WorkObject):
    objects: list[dict[str, Any]]
    collection: WorkObject


class LimitObject(TypedDict):
    """bytes: 0 for none, null for the hub's default."""

    bytes: int | None


def administered(request: Request, owner: str, name: str) -> Repository:
    return gate.repository_for(request, owner, name, need=Access.ADMIN, area=Area.DATA)


def shape(job: Job | None) -> WorkObject:
    """state "none": nobody has asked yet."""
    if job is None:
        return {"state": "none", "done": 0, "total": None, "error": "", "result": None}
    return {"state": job.state, "done": job.done, "total": job.total, "error": job.error, "result": job.result}


def answer(job: Job | None, **more: Any) -> Response:
    """202 while it is under way."""
    waits = job is not None and job.state in jobs.OPEN
    return Response({**shape(job), **more}, status=202 if waits else 200, headers={"Retry-After": "1"} if waits else {})


class Usage(APIView):
    answers = {"get": dict.fromkeys((200, 202), UsageObject)}
    queries = {"get": {**PAGES, "path": str}}

    def get(self, request: Request, owner: str, name: str) -> Response:
        """What was measured last: totals in bytes, and a page of datasets, or with ?path= of one's versions."""
        repository = administered(request, owner, name)
        job = care.state(repository)["usage"]
        number, limit = page_of(request)
        found, path = care.measured(repository, job), request.query_params.get("path", "")
        start, rows = (number - 1) * limit, list[Any]()
        if found is not None:
            rows = found.versions(path, start, limit + 1) if path else found.datasets(start, limit + 1)
        extra = {
            "limit_bytes": quotas.limit_of(repository.data_limit_bytes) or None,
            "versions" if path else "datasets": [vars(row) for row in rows[:limit]],
            "shared": [
                {"repository": other.full_name, "objects": row.objects, "bytes": row.size}
                for other, row in (care.shared(gate.actor_of(request), found) if found else [])
            ],
            "damaged": [vars(row) for row in care.rotten(repository)],
        }
        return with_links(answer(job, **extra), request, more=len(rows) > limit)


class Measure(APIView):
    answers = {"post": dict.fromkeys((200, 202), WorkObject)}

    def post(self, request: Request, owner: str, name: str) -> Response:
        """Measure again."""
        repository = administered(request, owner, name)
        return answer(care.ask(usage.MEASURE, repository, gate.actor_of(request)))


class Garbage(APIView):
    answers = {"get": dict.fromkeys((200, 202), GarbageObject)}
    queries = {"get": PAGES}

    def get(self, request: Request, owner: str, name: str) -> Response:
        """What the last look found, a page of it, and how far its collection is."""
        repository = administered(request, owner, name)
        state = care.state(repository)
        found = care.listed(repository, state["look"])
        number, limit = page_of(request)
        rows = found.page((number - 1) * limit, limit + 1) if found else []
        listed = [vars(row) for row in rows[:limit]]
        response = answer(state["look"], objects=listed, collection=shape(state["collect"]))
        return with_links(response, request, more=len(rows) > limit)


class Look(APIView):
    answers = {"post": dict.fromkeys((200, 202), WorkObject)}

    def post(self, request: Request, owner: str, name: str) -> Response:
        """Look for what no ref leads to; nothing is removed."""
        repository = administered(request, owner, name)
        return answer(care.ask(collecting.LOOK, repository, gate.actor_of(request)))


class CollectedList(serializers.Serializer):
    """list: the name of the look whose list goes."""

    list = serializers.CharField(max_length=64)


class Collect(APIView):
    inputs = {"post": CollectedList}
    answers = {"post": dict.fromkeys((200, 202), WorkObject)}

    def post(self, request: Request, owner: str, name: str) -> Response:
        """Remove what that look has listed, but for what is needed by now."""
        repository = administered(request, owner, name)
        asked = valid(CollectedList, request)
        return answer(care.collect(repository, gate.actor_of(request), asked["list"]))


class NewLimit(serializers.Serializer):
    """bytes: 0 for none, null for the hub's default."""

    bytes = serializers.IntegerField(allow_null=True, min_value=0, max_value=quotas.MAX_LIMIT)


class Limit(APIView):
    inputs = {"put": NewLimit}
    answers = {"put": LimitObject}

    def put(self, request: Request, owner: str, name: str) -> Response:
        """Bytes of data; 0: none, null: the hub's default. For administrators of the hub, by session only."""
        repository = administered(request, owner, name)
        people.require_administrator(gate.actor_of(request))
        quotas.set_limit(gate.actor_of(request), repository, valid(NewLimit, request)["bytes"])
        return Response({"bytes": repository.data_limit_bytes})
