"""/pulls/{number}/requested_reviewers, in GitHub's shape."""

from __future__ import annotations

from typing import Any, TypedDict

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from hub.accounts.actor import Area
from hub.accounts.api import UserObject, user_object
from hub.lib.api import valid
from hub.lib.api_schema import created
from repos import access
from repos.api import gate
from repos.issues.api import asking as asked_api
from repos.protection import asking
from repos.pulls import opening
from repos.pulls.api.pulls import PullObject, pull_object, readable
from repos.pulls.models import PullRequest


class RequestedObject(TypedDict):
    """teams: always empty; there are none."""

    users: list[UserObject]
    teams: list[Any]


class PullWithReviewers(PullObject):
    requested_reviewers: list[UserObject]


class Reviewers(serializers.Serializer):
    """Names of people with write access."""

    reviewers = serializers.ListField(child=serializers.CharField(max_length=40), min_length=1, max_length=asking.MOST)


class RequestedReviewers(APIView):
    """Who is asked to review and has not answered since. POST asks, DELETE takes it back; both for the author and for
    writers."""

    inputs = {"post": Reviewers, "delete": Reviewers}
    answers = {"get": RequestedObject, "post": created(PullWithReviewers)}

    def get(self, request: Request, owner: str, name: str, number: int) -> Response:
        pull = opening.pull_of(readable(request, owner, name), number)
        return Response(_object(pull))

    def post(self, request: Request, owner: str, name: str, number: int) -> Response:
        pull = _of_author(request, owner, name, number)
        asking.ask(gate.actor_of(request), pull, valid(Reviewers, request)["reviewers"])
        found: PullWithReviewers = {**pull_object(pull), "requested_reviewers": _object(pull)["users"]}
        return Response(found, status=201)

    def delete(self, request: Request, owner: str, name: str, number: int) -> Response:
        pull = _of_author(request, owner, name, number)
        asking.unask(gate.actor_of(request), pull, valid(Reviewers, request)["reviewers"])
        return Response(status=204)


def _of_author(request: Request, owner: str, name: str, number: int) -> PullRequest:
    repository = asked_api.taking_part(request, owner, name)
    access.require_scope(gate.actor_of(request), Area.REPO, write=False)
    return opening.pull_of(repository, number)


def _object(pull: PullRequest) -> RequestedObject:
    waiting = [one.request.user for one in asking.asked(pull) if not one.said]
    return {"users": [user_object(user) for user in waiting], "teams": []}
