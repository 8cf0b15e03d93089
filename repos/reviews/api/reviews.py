"""/pulls/{number}/reviews: written, submitted, dismissed."""

from __future__ import annotations

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from hub.jobs.once import once
from hub.lib.api import paged, valid
from hub.lib.api_schema import PAGES, created
from hub.lib.conditional import ConditionalView
from hub.lib.errors import Conflict, NotFound
from repos.api import gate
from repos.issues.texts import BODY_CHARACTERS
from repos.pulls.models import PullRequest
from repos.reviews import reviewing
from repos.reviews.api.asking import NewLineComment, line_comments, readable, said_of, taking_part, writable
from repos.reviews.api.shapes import (
    LineCommentObject,
    PendingCommentObject,
    ReviewObject,
    comment_objects,
    pending_object,
    review_object,
)
from repos.reviews.models import Review

EVENTS = {"APPROVE": "approve", "REQUEST_CHANGES": "request_changes", "COMMENT": "comment"}


class NewReview(serializers.Serializer):
    """event: left out, the review waits until it is submitted. commit_id: the head you have looked at; another one is
    not approved."""

    event = serializers.ChoiceField(choices=list(EVENTS), required=False)
    body = serializers.CharField(allow_blank=True, default="", trim_whitespace=False, max_length=BODY_CHARACTERS)
    commit_id = serializers.RegexField("^[0-9a-f]{40}$", allow_blank=True, default="")
    comments = serializers.ListField(child=NewLineComment(), default=list, max_length=reviewing.MOST_COMMENTS)


class Event(serializers.Serializer):
    event = serializers.ChoiceField(choices=list(EVENTS))
    body = serializers.CharField(allow_blank=True, default="", trim_whitespace=False, max_length=BODY_CHARACTERS)
    commit_id = serializers.RegexField("^[0-9a-f]{40}$", allow_blank=True, default="")


class ReviewText(serializers.Serializer):
    """body: what the review says from now on."""

    body = serializers.CharField(trim_whitespace=False, max_length=BODY_CHARACTERS)


class Dismissal(serializers.Serializer):
    """message: why."""

    message = serializers.CharField(max_length=BODY_CHARACTERS)


class Reviews(ConditionalView):
    """The reviews of a pull request, oldest first; of those that wait only your own."""

    inputs = {"post": NewReview}
    answers = {"get": list[ReviewObject], "post": created(ReviewObject)}
    queries = {"get": PAGES}
    idempotent = {"post"}

    def get(self, request: Request, owner: str, name: str, number: int) -> Response:
        pull = readable(request, owner, name, number)
        rows = reviewing.visible(gate.actor_of(request), pull)
        return paged(request, rows, lambda page: [review_object(review, pull) for review in page])

    def post(self, request: Request, owner: str, name: str, number: int) -> Response:
        """Without an event it waits: comments are added to what waits already."""
        pull = taking_part(request, owner, name, number)
        fields, actor = valid(NewReview, request), gate.actor_of(request)
        said = [said_of(pull, one) for one in fields["comments"]]

        def make() -> Response:
            if event := fields.get("event"):
                body, head = fields["body"] or None, fields["commit_id"]
                made = reviewing.review(actor, pull, EVENTS[event], body, said, expected=head)
            else:
                made = reviewing.begin(actor, pull, fields["body"], said)
            return Response(_object(request, pull, made), status=201)

        return once(request, make)


class OneReview(ConditionalView):
    """PUT changes what your own says, also after it was submitted; DELETE discards your own that waits."""

    inputs = {"put": ReviewText}

    answers = {"get": ReviewObject, "put": ReviewObject}

    def get(self, request: Request, owner: str, name: str, number: int, review_id: int) -> Response:
        pull = readable(request, owner, name, number)
        return Response(review_object(reviewing.review_of(gate.actor_of(request), pull, review_id), pull))

    def put(self, request: Request, owner: str, name: str, number: int, review_id: int) -> Response:
        pull, actor = taking_part(request, owner, name, number), gate.actor_of(request)
        found = reviewing.review_of(actor, pull, review_id)
        reviewing.edit(actor, found, valid(ReviewText, request)["body"])
        return Response(_object(request, pull, found))

    def delete(self, request: Request, owner: str, name: str, number: int, review_id: int) -> Response:
        pull, actor = taking_part(request, owner, name, number), gate.actor_of(request)
        _waiting(reviewing.review_of(actor, pull, review_id))
        reviewing.discard(actor, pull)
        return Response(status=204)


class ReviewComments(ConditionalView):
    """The comments of one review."""

    answers = {"get": list[LineCommentObject | PendingCommentObject]}
    queries = {"get": PAGES}

    def get(self, request: Request, owner: str, name: str, number: int, review_id: int) -> Response:
        pull = readable(request, owner, name, number)
        found = reviewing.review_of(gate.actor_of(request), pull, review_id)
        if found.state == Review.State.PENDING:
            return paged(request, reviewing.waiting(found), lambda page: [pending_object(one) for one in page])
        rows = line_comments(pull).filter(review_comment__review=found)
        return paged(request, rows, lambda page: comment_objects(pull, page))


class ReviewEvents(APIView):
    """Submit your review that waits."""

    inputs = {"post": Event}
    answers = {"post": ReviewObject}

    def post(self, request: Request, owner: str, name: str, number: int, review_id: int) -> Response:
        pull, actor = taking_part(request, owner, name, number), gate.actor_of(request)
        found, fields = reviewing.review_of(actor, pull, review_id), valid(Event, request)
        _waiting(found)
        event, body = EVENTS[fields["event"]], fields["body"] or None
        reviewing.submit(actor, pull, event, body, expected=fields["commit_id"])
        return Response(_object(request, pull, found))


class Dismissals(APIView):
    """Take an approval, or a request for changes, back."""

    inputs = {"put": Dismissal}
    answers = {"put": ReviewObject}

    def put(self, request: Request, owner: str, name: str, number: int, review_id: int) -> Response:
        pull, actor = writable(request, owner, name, number), gate.actor_of(request)
        found = reviewing.review_of(actor, pull, review_id)
        reviewing.dismiss(actor, found, valid(Dismissal, request)["message"])
        return Response(_object(request, pull, found))


def _waiting(review: Review) -> None:
    if review.state != Review.State.PENDING:
        raise Conflict("This review was submitted already.", details="Dismiss it, or write another one.")


def _object(request: Request, pull: PullRequest, review: Review) -> ReviewObject:
    """As it is by now."""
    try:
        return review_object(reviewing.review_of(gate.actor_of(request), pull, review.pk), pull)
    except NotFound:
        return review_object(review, pull)
