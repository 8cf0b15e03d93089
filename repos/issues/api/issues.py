"""/issues, /issues/{number} and what belongs to one: its comments, labels, assignees, lock."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from hub.accounts.actor import Actor
from hub.jobs.once import once
from hub.lib.api import paged, valid
from hub.lib.api_schema import NOTHING, PAGES, created
from hub.lib.conditional import ConditionalView, require_match
from hub.lib.errors import NotFound, Unprocessable
from repos.api import gate
from repos.issues import conversation, labels, listing, milestones, opening, states, told, triage
from repos.issues.api.asking import LISTED, query_of, readable, taking_part, writable
from repos.issues.api.shapes import (
    IssueCommentObject,
    IssueObject,
    LabelObject,
    comment_object,
    issue_object,
    label_object,
)
from repos.issues.models import Entry, Issue
from repos.models import Repository

_Names = serializers.ListField


class Body(serializers.CharField):
    """Markdown. null is no text, as GitHub's clients send it."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(allow_blank=True, allow_null=True, trim_whitespace=False, **kwargs)

    def run_validation(self, data: Any = serializers.empty) -> Any:
        return super().run_validation("" if data is None else data)


class NewIssue(serializers.Serializer):
    """labels, assignees, milestone: for writers. labels: those that do not exist are made. milestone: its number."""

    title = serializers.CharField(max_length=1000)
    body = Body(default="")
    labels = _Names(child=serializers.CharField(max_length=50), default=list, max_length=100)
    assignees = _Names(child=serializers.CharField(max_length=40), default=list, max_length=10)
    milestone = serializers.IntegerField(allow_null=True, default=None, min_value=1, max_value=2**31 - 1)


class ChangedIssue(serializers.Serializer):
    """What is sent is changed. state: open or closed. labels: those that do not exist are made."""

    title = serializers.CharField(max_length=1000, required=False)
    body = Body(required=False)
    state = serializers.ChoiceField(choices=["open", "closed"], required=False)
    labels = _Names(child=serializers.CharField(max_length=50), required=False, max_length=100)
    assignees = _Names(child=serializers.CharField(max_length=40), required=False, max_length=10)
    milestone = serializers.IntegerField(allow_null=True, required=False, min_value=1, max_value=2**31 - 1)


class NewComment(serializers.Serializer):
    body = serializers.CharField(trim_whitespace=False)


class LabelNames(serializers.Serializer):
    """Those that do not exist are made."""

    labels = _Names(child=serializers.CharField(max_length=50), max_length=100)


class Assignees(serializers.Serializer):
    assignees = _Names(child=serializers.CharField(max_length=40), max_length=10)


class Issues(ConditionalView):
    """Issues, without pull requests: state, labels (a,b), creator, mentioned, assignee (a name, none or *), milestone
    (its number or title, none or *), since (changed then or later), sort, direction, as GitHub reads them.
    Or q: a search as the page takes it, e.g. `is:open author:@me label:"bad data" no:assignee`."""

    inputs = {"post": NewIssue}
    answers = {"get": list[IssueObject], "post": created(IssueObject)}
    queries = {"get": LISTED}
    idempotent = {"post"}

    def get(self, request: Request, owner: str, name: str) -> Response:
        repository = readable(request, owner, name)
        query = query_of(request, repository)
        rows = listing.matching(repository, gate.actor_of(request), query, kind="issue")
        return paged(request, listing.for_lists(listing.ordered(rows, query)), lambda page: shown(repository, page))

    def post(self, request: Request, owner: str, name: str) -> Response:
        repository = taking_part(request, owner, name)
        return once(request, lambda: _opened(request, repository))


def _opened(request: Request, repository: Repository) -> Response:
    fields = valid(NewIssue, request)
    wanted = fields["milestone"]
    actor = gate.actor_of(request)
    with transaction.atomic():  # no label without its issue
        issue = opening.open_issue(
            actor,
            repository,
            title=fields["title"],
            body=fields["body"],
            labels=labels.named_or_new(actor, repository, fields["labels"]) if fields["labels"] else (),
            assignees=triage.people_named(repository, fields["assignees"]) if fields["assignees"] else (),
            milestone=milestones.milestone_of(repository, wanted) if wanted else None,
        )
    return Response(issue_object(issue), status=201)


class OneIssue(ConditionalView):
    """An issue, or a pull request as an issue."""

    inputs = {"patch": ChangedIssue}
    answers = dict.fromkeys(("get", "patch"), IssueObject)

    def get(self, request: Request, owner: str, name: str, number: int) -> Response:
        return Response(issue_object(opening.issue_of(readable(request, owner, name), number)))

    def patch(self, request: Request, owner: str, name: str, number: int) -> Response:
        repository = taking_part(request, owner, name)
        issue, fields = opening.issue_of(repository, number), valid(ChangedIssue, request)
        if issue.is_pull and fields.get("state") == "open" and not issue.is_open:
            states.check_unmerged(issue)
            raise Unprocessable(f"#{number} is a pull request.", details=f"PATCH …/pulls/{number} opens it again.")
        with transaction.atomic():  # all of it or nothing
            Issue.objects.select_for_update().get(pk=issue.pk)
            require_match(request, lambda: self.get(request, owner, name, number))
            change(gate.actor_of(request), opening.issue_of(repository, number), fields)
        return self.get(request, owner, name, number)


def change(actor: Actor, issue: Issue, fields: dict[str, Any]) -> None:
    if "title" in fields:
        states.rename(actor, issue, fields["title"])
    if "body" in fields:
        conversation.edit_body(actor, issue, fields["body"])
    if "labels" in fields:
        triage.set_labels(actor, issue, labels.named_or_new(actor, issue.repository, fields["labels"]))
    if "assignees" in fields:
        triage.set_assignees(actor, issue, triage.people_named(issue.repository, fields["assignees"]))
    if "milestone" in fields:
        wanted = fields["milestone"]
        triage.set_milestone(actor, issue, milestones.milestone_of(issue.repository, wanted) if wanted else None)
    if "state" in fields:
        (states.close if fields["state"] == "closed" else states.reopen)(actor, issue)


class Comments(ConditionalView):
    """The comments of an issue or pull request, oldest first."""

    inputs = {"post": NewComment}
    answers = {"get": list[IssueCommentObject], "post": created(IssueCommentObject)}
    queries = {"get": PAGES}
    idempotent = {"post"}

    def get(self, request: Request, owner: str, name: str, number: int) -> Response:
        issue = opening.issue_of(readable(request, owner, name), number)
        rows = issue.entries.filter(kind__in=[Entry.Kind.COMMENT, *told.KINDS]).select_related("author").order_by("pk")
        actor = gate.actor_of(request)
        return paged(request, rows, lambda page: [comment_object(entry, issue, actor) for entry in page])

    def post(self, request: Request, owner: str, name: str, number: int) -> Response:
        issue = opening.issue_of(taking_part(request, owner, name), number)
        return once(request, lambda: _said(request, issue))


def _said(request: Request, issue: Issue) -> Response:
    entry = conversation.comment(gate.actor_of(request), issue, valid(NewComment, request)["body"])
    return Response(comment_object(entry, issue, gate.actor_of(request)), status=201)


class OneComment(ConditionalView):
    inputs = {"patch": NewComment}
    answers = dict.fromkeys(("get", "patch"), IssueCommentObject)

    def get(self, request: Request, owner: str, name: str, comment_id: int) -> Response:
        entry = opening.comment_of(readable(request, owner, name), comment_id, also=told.KINDS)
        return Response(comment_object(entry, entry.issue, gate.actor_of(request)))

    def patch(self, request: Request, owner: str, name: str, comment_id: int) -> Response:
        entry = opening.comment_of(taking_part(request, owner, name), comment_id)
        with transaction.atomic():
            Entry.objects.select_for_update().get(pk=entry.pk)
            require_match(request, lambda: self.get(request, owner, name, comment_id))
            conversation.edit_comment(gate.actor_of(request), entry, valid(NewComment, request)["body"])
        return self.get(request, owner, name, comment_id)

    def delete(self, request: Request, owner: str, name: str, comment_id: int) -> Response:
        entry = opening.comment_of(taking_part(request, owner, name), comment_id)
        conversation.remove_comment(gate.actor_of(request), entry)
        return Response(status=204)


class IssueLabels(ConditionalView):
    """POST adds labels, PUT replaces them, DELETE takes all off. A list of names alone is taken too."""

    inputs = {"post": LabelNames, "put": LabelNames}
    answers = dict.fromkeys(("get", "post", "put"), list[LabelObject])

    def get(self, request: Request, owner: str, name: str, number: int) -> Response:
        issue = opening.issue_of(readable(request, owner, name), number)
        return Response([label_object(label) for label in issue.labels.order_by("name_key")])

    def post(self, request: Request, owner: str, name: str, number: int) -> Response:
        issue, actor = opening.issue_of(writable(request, owner, name), number), gate.actor_of(request)
        names = valid(LabelNames, request, bare="labels")["labels"]
        with transaction.atomic():
            added = labels.named_or_new(actor, issue.repository, names)
            triage.set_labels(actor, issue, [*{*issue.labels.all(), *added}])
        return self.get(request, owner, name, number)

    def put(self, request: Request, owner: str, name: str, number: int) -> Response:
        issue, actor = opening.issue_of(writable(request, owner, name), number), gate.actor_of(request)
        names = valid(LabelNames, request, bare="labels")["labels"]
        with transaction.atomic():
            triage.set_labels(actor, issue, labels.named_or_new(actor, issue.repository, names))
        return self.get(request, owner, name, number)

    def delete(self, request: Request, owner: str, name: str, number: int) -> Response:
        triage.set_labels(gate.actor_of(request), opening.issue_of(writable(request, owner, name), number), [])
        return Response(status=204)


class OneIssueLabel(APIView):
    answers = {"delete": list[LabelObject]}

    def delete(self, request: Request, owner: str, name: str, number: int, label: str) -> Response:
        """The labels that are left."""
        issue = opening.issue_of(writable(request, owner, name), number)
        has = list(issue.labels.all())
        left = [one for one in has if one.name_key != label.lower()]
        if len(left) == len(has):
            raise NotFound(f"#{number} has no label {label[:50]!r}.")
        triage.set_labels(gate.actor_of(request), issue, left)
        return Response([label_object(one) for one in left])


class IssueAssignees(APIView):
    """POST adds people, DELETE takes them off."""

    inputs = {"post": Assignees, "delete": Assignees}
    answers = {"post": created(IssueObject), "delete": IssueObject}

    def post(self, request: Request, owner: str, name: str, number: int) -> Response:
        issue = opening.issue_of(writable(request, owner, name), number)
        added = triage.people_named(issue.repository, valid(Assignees, request)["assignees"])
        triage.set_assignees(gate.actor_of(request), issue, [*issue.assignees.all(), *added])
        return Response(issue_object(opening.issue_of(issue.repository, number)), status=201)

    def delete(self, request: Request, owner: str, name: str, number: int) -> Response:
        issue = opening.issue_of(writable(request, owner, name), number)
        gone = {one.lower() for one in valid(Assignees, request)["assignees"]}
        left = [person for person in issue.assignees.all() if person.username.lower() not in gone]
        triage.set_assignees(gate.actor_of(request), issue, left)
        return Response(issue_object(opening.issue_of(issue.repository, number)))


class Lock(APIView):
    answers = {"put": NOTHING}

    def put(self, request: Request, owner: str, name: str, number: int) -> Response:
        states.lock(gate.actor_of(request), opening.issue_of(writable(request, owner, name), number), True)
        return Response(status=204)

    def delete(self, request: Request, owner: str, name: str, number: int) -> Response:
        states.lock(gate.actor_of(request), opening.issue_of(writable(request, owner, name), number), False)
        return Response(status=204)


def shown(repository: Repository, page: list[Issue]) -> list[IssueObject]:
    for issue in page:
        issue.repository = repository
    return [issue_object(issue) for issue in page]
