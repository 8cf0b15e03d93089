"""/issues/{number}/threads and /issues/threads: what is said about one place, said and found."""

from __future__ import annotations

from typing import Any, TypedDict

from django.conf import settings
from django.db.models import Min
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from hub.accounts.actor import Actor
from hub.accounts.api import UserObject
from hub.jobs.once import once
from hub.lib.api import paged, valid
from hub.lib.api_schema import PAGES, created
from hub.lib.conditional import ConditionalView
from hub.lib.errors import Invalid
from repos.api import gate
from repos.issues import opening, threads
from repos.issues.api.asking import readable, taking_part
from repos.issues.api.shapes import IssueCommentObject, comment_object, person, url_of
from repos.issues.models import Entry, Issue, Thread
from repos.issues.threads import ShownSpot, Spot
from repos.models import Repository


class NewThread(serializers.Serializer):
    """A place, and what is said about it first.

    path: of a file, the id of a run, or model/version. rev: the full id of a commit (of a line, row or image).
    detail: of a line {"line", "start", "side"}; of a row {"row": its number} or {"key": {column: value}}; of an image
    {"region": [x, y, width, height] as fractions}, or nothing for the whole.
    """

    kind = serializers.ChoiceField(choices=Thread.Kind.values)
    path = serializers.CharField(max_length=threads.PATH_CHARACTERS, trim_whitespace=False)
    rev = serializers.CharField(max_length=40, allow_blank=True, default="")
    detail = serializers.DictField(default=dict)
    body = serializers.CharField(trim_whitespace=False)


class ThreadObject(TypedDict):
    """What is said about one place. path, rev, detail, title, outdated: null where the reader may not see the place.
    comment: the one that began it."""

    id: int
    url: str
    html_url: str
    issue_url: str
    kind: str
    path: str | None
    rev: str | None
    detail: dict[str, Any] | None
    title: str | None
    place_url: str | None
    outdated: bool | None
    resolved_at: str | None
    resolved_by: UserObject | None
    created_at: str
    comment: IssueCommentObject


class IssueThreads(ConditionalView):
    """The threads of an issue or pull request, oldest first. POST begins one."""

    inputs = {"post": NewThread}
    answers = {"get": list[ThreadObject], "post": created(ThreadObject)}
    queries = {"get": PAGES}
    idempotent = {"post"}

    def get(self, request: Request, owner: str, name: str, number: int) -> Response:
        issue = opening.issue_of(readable(request, owner, name), number)
        rows = Thread.objects.filter(issue=issue).select_related("issue", "resolved_by").order_by("pk")
        return paged(request, rows, lambda page: thread_objects(request, issue.repository, page))

    def post(self, request: Request, owner: str, name: str, number: int) -> Response:
        issue = opening.issue_of(taking_part(request, owner, name), number)
        return once(request, lambda: _begun(request, issue))


def _begun(request: Request, issue: Issue) -> Response:
    fields = valid(NewThread, request)
    spot = Spot(fields["kind"], fields["path"], fields["rev"], fields["detail"])
    entry = threads.begin(gate.actor_of(request), issue, spot, fields["body"])
    assert entry.thread is not None  # threads.begin made it
    return Response(thread_objects(request, issue.repository, [entry.thread])[0], status=201)


class PlaceThreads(ConditionalView):
    """The threads about one place, in all issues, oldest first: kind and path."""

    answers = {"get": list[ThreadObject]}
    queries = {"get": {**PAGES, "kind": Thread.Kind.values, "path": str}}

    def get(self, request: Request, owner: str, name: str) -> Response:
        repository, asked = readable(request, owner, name), request.query_params
        kind, path = asked.get("kind", ""), asked.get("path", "")
        if kind not in Thread.Kind.values or not path:
            raise Invalid("A place has a kind and a path.", details=f"Kinds: {', '.join(Thread.Kind.values)}.")
        rows = threads.at(repository, gate.actor_of(request), kind, path)
        return paged(request, rows, lambda page: thread_objects(request, repository, page))


class OneThread(ConditionalView):
    answers = {"get": ThreadObject}

    def get(self, request: Request, owner: str, name: str, thread_id: int) -> Response:
        repository = readable(request, owner, name)
        return Response(thread_objects(request, repository, [threads.thread_of(repository, thread_id)])[0])


def thread_objects(request: Request, repository: Repository, found: list[Thread]) -> list[ThreadObject]:
    """With the comment that began each; a fixed number of queries for all. What its reader may not see of a place, its
    detail included, is left out."""
    actor = gate.actor_of(request)
    spots = threads.shown_spots(actor, repository, found)
    first: dict[int, Entry] = {}
    ids = Entry.objects.filter(thread__in=found).order_by().values("thread").annotate(first=Min("pk")).values("first")
    for entry in Entry.objects.filter(pk__in=ids).select_related("author"):
        first[entry.thread_id or 0] = entry
    return [_object(repository, thread, spots.get(thread.pk), first[thread.pk], actor) for thread in found]


def _object(repository: Repository, thread: Thread, spot: ShownSpot | None, first: Entry, actor: Actor) -> ThreadObject:
    api = url_of(repository)
    return {
        "id": thread.pk,
        "url": f"{api}/issues/threads/{thread.pk}",
        "html_url": f"{settings.COVEY_URL}{thread.issue.get_absolute_url()}#thread-{thread.pk}",
        "issue_url": f"{api}/issues/{thread.issue.number}",
        "kind": thread.kind,
        "path": thread.path if spot else None,
        "rev": thread.rev if spot else None,
        "detail": thread.detail if spot else None,
        "title": spot.title if spot else None,
        "place_url": f"{settings.COVEY_URL}{spot.address}" if spot and spot.address else None,
        "outdated": spot.outdated if spot else None,
        "resolved_at": thread.resolved.isoformat() if thread.resolved else None,
        "resolved_by": person(thread.resolved_by),
        "created_at": thread.created.isoformat(),
        "comment": comment_object(first, thread.issue, actor),
    }
