"""/forks and /merge-upstream, as GitHub has them."""

from __future__ import annotations

from typing import NotRequired, TypedDict
from urllib.parse import urlencode

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from hub.jobs import jobs
from hub.jobs.models import Job
from hub.jobs.once import once
from hub.lib.api import Flag, paged, valid
from hub.lib.api_schema import PAGES, accepted
from hub.lib.errors import NotFound
from repos import access
from repos.access import Area
from repos.api import gate
from repos.api.shapes import RepositoryObject, one_repository, repository_objects
from repos.forks import listing, making, syncing
from repos.forks.making import Wish
from repos.issues.api.shapes import url_of
from repos.models import Access, Repository


class SyncedObject(TypedDict):
    """merge_type: none, fast-forward or merge."""

    message: str
    merge_type: str
    base_branch: str


class SyncProgress(TypedDict):
    """In bytes of git; total of the parent, or null."""

    done: int
    total: int | None


class SyncObject(TypedDict):
    """A sync that a worker does. url: of its state (queued, running, done, failed, cancelled). The fields of one that
    was done at once are there when it is done; error and details when it failed."""

    state: str
    url: str
    progress: NotRequired[SyncProgress]
    message: NotRequired[str]
    merge_type: NotRequired[str]
    base_branch: NotRequired[str]
    error: NotRequired[str]
    details: NotRequired[str]


class NewFork(serializers.Serializer):
    """name: another than the parent's. private: a fork of a private repository is private in any case.
    default_branch_only: no other branch and no tags."""

    name = serializers.CharField(max_length=200, allow_blank=True, default="")
    private = serializers.BooleanField(allow_null=True, default=None)
    default_branch_only = Flag(default=False)


class Upstream(serializers.Serializer):
    """branch: of the parent; the fork's of that name catches up."""

    branch = serializers.CharField(max_length=250)


class Forks(APIView):
    """The forks that the caller may read, the newest first. POST makes the caller's own, which is there at once and
    filled a moment later; asked again, it is found again."""

    inputs = {"post": NewFork}
    answers = {"get": list[RepositoryObject], "post": accepted(RepositoryObject)}
    queries = {"get": PAGES}
    idempotent = {"post"}

    def get(self, request: Request, owner: str, name: str) -> Response:
        actor, repository = gate.actor_of(request), gate.repository_for(request, owner, name)
        return paged(request, listing.forks_of(actor, repository), repository_objects(actor))

    def post(self, request: Request, owner: str, name: str) -> Response:
        actor, _ = gate.signed_in(request)
        repository = gate.repository_for(request, owner, name)
        gate.require_write(actor)
        access.require_scope(actor, Area.DATA, write=False)
        fields = valid(NewFork, request)
        wish = Wish(fields["name"], "", fields["private"], fields["default_branch_only"])
        return once(request, lambda: _forked(request, repository, wish))


def _forked(request: Request, repository: Repository, wish: Wish) -> Response:
    actor = gate.actor_of(request)
    made, _ = making.fork(actor, repository, wish)
    return Response(one_repository(actor, made, Access.ADMIN), status=202)


WORDS = {"none": "has nothing new", "fast-forward": "was fast-forwarded to", "merge": "was merged"}


class MergeUpstream(APIView):
    """Bring a branch of the parent's into the fork: moved on, else merged. 409 when both changed the same.

    200 when it is done; 202 while a worker does it, for a parent that is large or has data: GET url says how far it is,
    and with 200 how it ended."""

    inputs = {"post": Upstream}
    answers = {
        "get": dict.fromkeys((200, 202), SyncObject),
        "post": {200: SyncedObject | SyncObject, 202: SyncObject},
    }
    queries = {"get": {"branch": str}}

    def get(self, request: Request, owner: str, name: str) -> Response:
        repository = gate.repository_for(request, owner, name, need=Access.WRITE)
        branch = request.query_params.get("branch", "") or repository.default_branch
        job = syncing.last(gate.actor_of(request), repository, branch)
        if job is None:
            raise NotFound("You synced no such branch, or it was done at once.", details="POST to sync it.")
        return _told(repository, branch, job)

    def post(self, request: Request, owner: str, name: str) -> Response:
        repository = gate.repository_for(request, owner, name, need=Access.WRITE)
        branch = valid(Upstream, request)["branch"]
        done = syncing.sync(gate.actor_of(request), repository, branch, via="api")
        if isinstance(done, Job):
            return _told(repository, branch, done)
        return Response(_synced(f"{done.parent.owner.name}:{branch}", done.kind))


def _synced(whose: str, kind: str) -> dict[str, str]:
    return {"message": f"{whose} {WORDS[kind]}.", "merge_type": kind, "base_branch": whose}


def _told(repository: Repository, branch: str, job: Job) -> Response:
    """Of a sync that a worker does."""
    url = f"{url_of(repository)}/merge-upstream?{urlencode({'branch': branch})}"
    answer: dict[str, object] = {"state": job.state, "url": url}
    if job.state in jobs.OPEN:
        answer["progress"] = {"done": job.done, "total": job.total}
        return Response(answer, status=202, headers={"Retry-After": "1"})
    if job.state == Job.State.DONE and job.result:
        return Response(answer | _synced(job.result["whose"], job.result["kind"]))
    return Response(answer | {"error": job.error, "details": "POST to try again."})
