"""/pulls/{number}/update-branch, /branch, /revert: what is done to branches for a pull request."""

from __future__ import annotations

from typing import TypedDict

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from hub.accounts.actor import Area
from hub.lib.api import valid
from hub.lib.api_schema import NOTHING, accepted, created
from repos import access
from repos.api import gate
from repos.issues.api import asking
from repos.issues.api.shapes import url_of
from repos.pulls import heads, opening, reverting, updating
from repos.pulls.api.pulls import PullObject, pull_object
from repos.pulls.models import PullRequest


class UpdatedObject(TypedDict):
    message: str
    url: str


class BranchUpdate(serializers.Serializer):
    """expected_head_sha: the head you have looked at; another one is refused with 422."""

    expected_head_sha = serializers.RegexField("^[0-9a-f]{40}$", allow_blank=True, default="")


def writable(request: Request, owner: str, name: str, number: int) -> PullRequest:
    """For those who may write code as well."""
    repository = asking.writable(request, owner, name)
    access.require_scope(gate.actor_of(request), Area.REPO, write=True)
    return opening.pull_of(repository, number)


class UpdateBranch(APIView):
    """Merge the base into the head: for those who write the branch, of a fork those who write the fork."""

    inputs = {"put": BranchUpdate}
    answers = {"put": accepted(UpdatedObject)}

    def put(self, request: Request, owner: str, name: str, number: int) -> Response:
        pull, fields = _updatable(request, owner, name, number), valid(BranchUpdate, request)
        expected = fields["expected_head_sha"]
        updating.update_branch(gate.actor_of(request), pull, expected=expected, via="api")
        url = f"{url_of(pull.repository)}/pulls/{number}"
        said: UpdatedObject = {"message": "Updating pull request branch.", "url": url}
        return Response(said, status=202)


def _updatable(request: Request, owner: str, name: str, number: int) -> PullRequest:
    """Of a fork's branch, for those who may only read here."""
    gate.signed_in(request)
    repository = asking.readable(request, owner, name)
    access.require_scope(gate.actor_of(request), Area.REPO, write=True)
    return opening.pull_of(repository, number)


class HeadBranch(APIView):
    """The branch of a pull request that is over: PUT has it back as it was, DELETE removes it."""

    answers = {"put": NOTHING}

    def put(self, request: Request, owner: str, name: str, number: int) -> Response:
        heads.restore_branch(gate.actor_of(request), writable(request, owner, name, number), via="api")
        return Response(status=204)

    def delete(self, request: Request, owner: str, name: str, number: int) -> Response:
        heads.delete_branch(gate.actor_of(request), writable(request, owner, name, number), via="api")
        return Response(status=204)


class Revert(APIView):
    """Take back what was merged, as a new pull request, which is the answer."""

    answers = {"post": created(PullObject)}

    def post(self, request: Request, owner: str, name: str, number: int) -> Response:
        pull = writable(request, owner, name, number)
        made = reverting.revert(gate.actor_of(request), pull, via="api")
        return Response(pull_object(made), status=201)
