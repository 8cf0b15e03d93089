"""/pulls/{number}/comments: on lines, answers to them; suggestions; threads that are settled."""

from __future__ import annotations

from typing import Any, TypedDict

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from hub.accounts.actor import Area
from hub.jobs.once import once
from hub.lib.api import paged, valid
from hub.lib.api_schema import PAGES, created
from hub.lib.conditional import ConditionalView
from hub.lib.errors import NotFound
from repos import access
from repos.api import gate
from repos.issues import conversation, opening, threads
from repos.issues.api import asking
from repos.issues.models import Entry, Thread
from repos.pulls import opening as pulls
from repos.pulls.models import PullRequest
from repos.reviews import suggestions
from repos.reviews.api.asking import (
    NewLineComment,
    comment_of,
    line_comments,
    readable,
    said_of,
    taking_part,
    thread_of,
    with_code,
    writable,
)
from repos.reviews.api.shapes import LineCommentObject, comment_objects


class Text(serializers.Serializer):
    body = serializers.CharField(trim_whitespace=False)


class Applied(serializers.Serializer):
    """comments: the ids of those whose suggestions become one commit. digests: of their texts (body_digest) as you
    have read them, in the same order; when one was changed since, the answer is 409."""

    comments = serializers.ListField(
        child=serializers.IntegerField(min_value=1, max_value=2**63 - 1), min_length=1, max_length=suggestions.MOST
    )
    digests = serializers.ListField(
        child=serializers.RegexField("^[0-9a-f]{32}$"), max_length=suggestions.MOST, default=list
    )
    message = serializers.CharField(max_length=500, allow_blank=True, default="")

    def validate(self, fields: dict[str, Any]) -> dict[str, Any]:
        if fields["digests"] and len(fields["digests"]) != len(fields["comments"]):
            raise serializers.ValidationError({"digests": "Send one for each of the comments, or none."})
        return fields


class AppliedSuggestionsObject(TypedDict):
    """sha: of the commit on the head branch."""

    sha: str


class LineComments(ConditionalView):
    """The comments on lines of a pull request, oldest first. line is null where the lines changed since."""

    inputs = {"post": NewLineComment}
    answers = {"get": list[LineCommentObject], "post": created(LineCommentObject)}
    queries = {"get": PAGES}
    idempotent = {"post"}

    def get(self, request: Request, owner: str, name: str, number: int) -> Response:
        pull = readable(request, owner, name, number)
        return paged(request, line_comments(pull), lambda page: comment_objects(pull, page))

    def post(self, request: Request, owner: str, name: str, number: int) -> Response:
        pull, actor = taking_part(request, owner, name, number), gate.actor_of(request)
        said = said_of(pull, valid(NewLineComment, request))

        def make() -> Response:
            if said.thread:
                entry = threads.reply(actor, said.thread, said.body)
            else:
                assert said.spot
                entry = threads.begin(actor, pull.issue, said.spot, said.body)
            return Response(comment_objects(pull, [entry])[0], status=201)

        return once(request, make)


class Replies(APIView):
    """Answer a comment on a line."""

    inputs = {"post": Text}
    answers = {"post": created(LineCommentObject)}
    idempotent = {"post"}

    def post(self, request: Request, owner: str, name: str, number: int, comment_id: int) -> Response:
        pull, actor = taking_part(request, owner, name, number), gate.actor_of(request)
        thread, body = thread_of(pull, comment_id), valid(Text, request)["body"]

        def make() -> Response:
            return Response(comment_objects(pull, [threads.reply(actor, thread, body)])[0], status=201)

        return once(request, make)


class OneLineComment(ConditionalView):
    inputs = {"patch": Text}
    answers = dict.fromkeys(("get", "patch"), LineCommentObject)

    def get(self, request: Request, owner: str, name: str, comment_id: int) -> Response:
        repository = with_code(request, asking.readable(request, owner, name))
        pull, entry = _found(opening.comment_of(repository, comment_id))
        return Response(comment_objects(pull, [entry])[0])

    def patch(self, request: Request, owner: str, name: str, comment_id: int) -> Response:
        repository = with_code(request, asking.taking_part(request, owner, name))
        _, entry = _found(opening.comment_of(repository, comment_id))
        conversation.edit_comment(gate.actor_of(request), entry, valid(Text, request)["body"])
        return self.get(request, owner, name, comment_id)

    def delete(self, request: Request, owner: str, name: str, comment_id: int) -> Response:
        repository = with_code(request, asking.taking_part(request, owner, name))
        _, entry = _found(opening.comment_of(repository, comment_id))
        conversation.remove_comment(gate.actor_of(request), entry)
        return Response(status=204)


class Resolution(APIView):
    """Of the thread a comment belongs to: PUT resolves it, DELETE opens it again."""

    answers = {"put": LineCommentObject}

    def put(self, request: Request, owner: str, name: str, number: int, comment_id: int) -> Response:
        pull = taking_part(request, owner, name, number)
        threads.resolve(gate.actor_of(request), thread_of(pull, comment_id))
        return Response(comment_objects(pull, [comment_of(pull, comment_id)])[0])

    def delete(self, request: Request, owner: str, name: str, number: int, comment_id: int) -> Response:
        threads.unresolve(gate.actor_of(request), thread_of(taking_part(request, owner, name, number), comment_id))
        return Response(status=204)


class Suggestions(APIView):
    """Apply suggestions as one commit on the head branch."""

    inputs = {"post": Applied}
    answers = {"post": created(AppliedSuggestionsObject)}

    def post(self, request: Request, owner: str, name: str, number: int) -> Response:
        pull, actor = writable(request, owner, name, number), gate.actor_of(request)
        access.require_scope(actor, Area.REPO, write=True)
        fields = valid(Applied, request)
        ids = fields["comments"]
        seen = dict(zip(ids, fields["digests"], strict=False))  # none, or one for each
        commit = suggestions.apply(actor, pull, ids, seen=seen, message=fields["message"], via="api")
        made: AppliedSuggestionsObject = {"sha": commit}
        return Response(made, status=201)


def _found(entry: Entry) -> tuple[PullRequest, Entry]:
    """Raises NotFound for a comment that is on no line of a pull request."""
    if not entry.issue.is_pull or entry.thread is None or entry.thread.kind != Thread.Kind.LINE:
        raise NotFound("There is no such comment on a line.")
    return pulls.pull_of(entry.issue.repository, entry.issue.number), entry
