"""/pulls/{number}/auto-merge: merge when all is met."""

from __future__ import annotations

from typing import TypedDict

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from hub.accounts.actor import Area
from hub.accounts.api import UserObject, user_object
from hub.lib.api import Flag, valid
from hub.lib.errors import NotFound
from repos import access
from repos.api import gate
from repos.issues.api import asking
from repos.protection import waiting
from repos.protection.models import AutoMerge
from repos.pulls import opening
from repos.pulls.api.pulls import readable
from repos.pulls.models import PullRequest
from repos.ways import METHODS


class AutoMergeObject(TypedDict):
    """sha: the head it waits for."""

    merge_method: str
    commit_message: str
    delete_branch: bool
    enabled_by: UserObject
    enabled_at: str
    sha: str


class NewAutoMerge(serializers.Serializer):
    """sha: the head you have looked at; another one is refused with 409. Once all that is asked for is met, the hub
    merges in your name, if you may still merge then."""

    merge_method = serializers.ChoiceField(choices=METHODS, default="merge")
    commit_title = serializers.CharField(max_length=500, allow_blank=True, default="")
    commit_message = serializers.CharField(max_length=10_000, allow_blank=True, default="")
    sha = serializers.RegexField("^[0-9a-f]{40}$", allow_blank=True, default="")
    delete_branch = Flag(default=False)


class AutoMergeOfPull(APIView):
    """The merge that waits until all that is asked for is met; 404 when none does."""

    inputs = {"put": NewAutoMerge}
    answers = dict.fromkeys(("get", "put"), AutoMergeObject)

    def get(self, request: Request, owner: str, name: str, number: int) -> Response:
        found = waiting.waiting_for(opening.pull_of(readable(request, owner, name), number))
        if found is None:
            raise NotFound(f"Nothing waits to merge #{number}.")
        return Response(_object(found))

    def put(self, request: Request, owner: str, name: str, number: int) -> Response:
        pull, fields = _writable(request, owner, name, number), valid(NewAutoMerge, request)
        message = f"{fields['commit_title']}\n\n{fields['commit_message']}".strip()
        found = waiting.begin(
            gate.actor_of(request),
            pull,
            method=fields["merge_method"],
            message=message,
            expected=fields["sha"],
            delete_branch=fields["delete_branch"],
        )
        return Response(_object(found))

    def delete(self, request: Request, owner: str, name: str, number: int) -> Response:
        waiting.cancel(gate.actor_of(request), _writable(request, owner, name, number))
        return Response(status=204)


def _writable(request: Request, owner: str, name: str, number: int) -> PullRequest:
    repository = asking.writable(request, owner, name)
    access.require_scope(gate.actor_of(request), Area.REPO, write=True)
    return opening.pull_of(repository, number)


def _object(found: AutoMerge) -> AutoMergeObject:
    return {
        "merge_method": found.method,
        "commit_message": found.message,
        "delete_branch": found.delete_branch,
        "enabled_by": user_object(found.user),
        "enabled_at": found.created.isoformat(),
        "sha": found.head,
    }
