"""The gate of reviews, and a comment's place as GitHub's clients name it."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers
from rest_framework.request import Request

from hub.accounts.actor import Area
from hub.lib.errors import NotFound
from repos import access, diffs
from repos.api import gate
from repos.issues import threads
from repos.issues.api import asking
from repos.issues.models import Entry, Thread
from repos.issues.threads import Spot
from repos.models import Repository
from repos.pulls import changed, opening
from repos.pulls.models import PullRequest
from repos.reviews.lines import NEW, OLD
from repos.reviews.reviewing import Said

LARGEST = 2**31 - 1


class NewLineComment(serializers.Serializer):
    """On a line, or from start_line to line, of a file as the pull request shows it; or in answer to another comment.

    side: LEFT is the old side. commit_id: in which the new side has these lines, by default the head.
    """

    body = serializers.CharField(trim_whitespace=False)
    path = serializers.CharField(max_length=1000, required=False, trim_whitespace=False)
    line = serializers.IntegerField(min_value=1, max_value=LARGEST, required=False)
    start_line = serializers.IntegerField(min_value=1, max_value=LARGEST, required=False, allow_null=True)
    side = serializers.ChoiceField(choices=["LEFT", "RIGHT"], default="RIGHT")
    start_side = serializers.ChoiceField(choices=["LEFT", "RIGHT"], required=False, allow_null=True)
    commit_id = serializers.RegexField("^[0-9a-f]{40}$", required=False)
    in_reply_to = serializers.IntegerField(min_value=1, max_value=2**63 - 1, required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if "in_reply_to" not in attrs and not ("path" in attrs and "line" in attrs):
            raise serializers.ValidationError("Name path and line, or in_reply_to.")
        if attrs.get("start_side") not in {None, attrs["side"]}:
            raise serializers.ValidationError("A range has one side.")
        return attrs


def readable(request: Request, owner: str, name: str, number: int) -> PullRequest:
    return opening.pull_of(with_code(request, asking.readable(request, owner, name)), number)


def taking_part(request: Request, owner: str, name: str, number: int) -> PullRequest:
    return opening.pull_of(with_code(request, asking.taking_part(request, owner, name)), number)


def writable(request: Request, owner: str, name: str, number: int) -> PullRequest:
    return opening.pull_of(with_code(request, asking.writable(request, owner, name)), number)


def with_code(request: Request, repository: Repository) -> Repository:
    """Reviews quote code, so a token needs the scope of both."""
    access.require_scope(gate.actor_of(request), Area.REPO, write=False)
    return repository


def said_of(pull: PullRequest, fields: dict[str, Any]) -> Said:
    """fields: of NewLineComment. Raises NotFound."""
    if "in_reply_to" in fields:
        return Said(fields["body"], thread=thread_of(pull, fields["in_reply_to"]))
    ends, side = changed.ends_of(pull), OLD if fields["side"] == "LEFT" else NEW
    path, rev = fields["path"], fields.get("commit_id") or ends.head
    if side == OLD:
        files = diffs.listed(pull.repository, ends.base, ends.head, ignore_space=False)
        path, rev = next((file.old_name for file in files if file.name == path), path), ends.base
    detail = {"side": side, "start": fields.get("start_line"), "line": fields["line"]}
    return Said(fields["body"], Spot(Thread.Kind.LINE, path, rev, detail))


def thread_of(pull: PullRequest, comment_id: int) -> Thread:
    return threads.thread_of(pull.repository, comment_of(pull, comment_id).thread_id or 0)


def comment_of(pull: PullRequest, comment_id: int) -> Entry:
    """A comment on a line of this pull request. Raises NotFound."""
    found = line_comments(pull).filter(pk=min(comment_id, 2**63 - 1)).first()
    if found is None:
        raise NotFound("There is no such comment on a line.")
    return found


def line_comments(pull: PullRequest) -> Any:
    """Oldest first, with author and thread."""
    rows = Entry.objects.filter(issue=pull.issue, kind=Entry.Kind.COMMENT, thread__kind=Thread.Kind.LINE)
    return rows.select_related("author", "thread").order_by("pk")
