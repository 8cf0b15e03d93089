"""/forks and /merge-upstream, as GitHub has them."""

from __future__ import annotations

from typing import TypedDict

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from hub.jobs.once import once
from hub.lib.api import Flag, paged, valid
from hub.lib.api_schema import PAGES, accepted
from repos import access
from repos.access import Area
from repos.api import gate
from repos.api.shapes import RepositoryObject, one_repository, repository_objects
from repos.forks import listing, making, upstream
from repos.forks.making import Wish
from repos.models import Access, Repository


class SyncedObject(TypedDict):
    """merge_type: none, fast-forward or merge."""

    message: str
    merge_type: str
    base_branch: str


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


class MergeUpstream(APIView):
    """Bring a branch of the parent's into the fork: moved on, else merged. 409 when both changed the same."""

    answers = {"post": SyncedObject}
    inputs = {"post": Upstream}

    def post(self, request: Request, owner: str, name: str) -> Response:
        repository = gate.repository_for(request, owner, name, need=Access.WRITE)
        branch = valid(Upstream, request)["branch"]
        done = upstream.sync(gate.actor_of(request), repository, branch, via="api")
        whose = f"{done.parent.owner.name}:{branch}"
        words = {"none": "has nothing new", "fast-forward": "was fast-forwarded to", "merge": "was merged"}
        return Response({"message": f"{whose} {words[done.kind]}.", "merge_type": done.kind, "base_branch": whose})
