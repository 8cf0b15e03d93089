"""GitHub's JSON objects of reviews and of comments on lines."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NotRequired, TypedDict

from django.conf import settings
from django.db.models import Min

from hub.accounts.api import UserObject
from repos.issues.api.shapes import person, url_of
from repos.issues.models import Entry, Thread
from repos.issues.texts import digest
from repos.pulls.models import PullRequest
from repos.reviews.following import Where
from repos.reviews.lines import NEW, current
from repos.reviews.models import Comment, Review

SIDES = {"new": "RIGHT", "old": "LEFT"}


class ReviewObject(TypedDict):
    id: int
    user: UserObject | None
    body: str
    state: str
    commit_id: str
    submitted_at: str | None
    html_url: str
    pull_request_url: str
    url: str
    dismissed_at: str | None
    dismissed_because: str | None


class LineCommentObject(TypedDict):
    """line, start_line: where the lines are by now; null once they have changed. body_digest: for suggestions."""

    id: int
    pull_request_review_id: int | None
    thread_id: int
    resolved: bool
    user: UserObject | None
    body: str
    body_digest: str
    path: str
    commit_id: str
    original_commit_id: str
    diff_hunk: str
    side: str
    line: int | None
    original_line: int
    start_side: str | None
    start_line: int | None
    original_start_line: int | None
    created_at: str
    updated_at: str
    url: str
    html_url: str
    pull_request_url: str
    in_reply_to_id: NotRequired[int]


class PendingCommentObject(TypedDict):
    """What waits in the reader's own review. id: null, since it is no comment of the conversation yet."""

    id: None
    pull_request_review_id: int
    thread_id: int | None
    body: str
    path: str
    side: str
    line: int
    start_line: int | None
    created_at: str


def review_object(review: Review, pull: PullRequest) -> ReviewObject:
    api, page = f"{url_of(pull.repository)}/pulls/{pull.number}", f"{settings.COVEY_URL}{pull.issue.get_absolute_url()}"
    return {
        "id": review.pk,
        "user": person(review.author),
        "body": review.entry.body if review.entry else review.body,
        "state": review.state.upper(),
        "commit_id": review.head_id,
        "submitted_at": review.submitted.isoformat() if review.submitted else None,
        "html_url": f"{page}#comment-{review.entry_id}" if review.entry_id else page,
        "pull_request_url": api,
        "url": f"{api}/reviews/{review.pk}",
        "dismissed_at": review.dismissed.isoformat() if review.dismissed else None,
        "dismissed_because": review.why or None,
    }


def comment_objects(pull: PullRequest, entries: Sequence[Entry]) -> list[LineCommentObject]:
    """entries: comments of line threads of this request, with author and thread. Two queries for all of them."""
    threads = {entry.thread.pk: entry.thread for entry in entries if entry.thread}
    for thread in threads.values():
        thread.issue, thread.repository = pull.issue, pull.repository
    now = current(pull.repository, list(threads.values()))
    firsts = dict(
        Entry.objects.filter(thread__in=threads).order_by().values_list("thread").annotate(first=Min("pk")),
    )
    pairs = [(entry, threads[entry.thread.pk]) for entry in entries if entry.thread]
    return [_comment(pull, entry, thread, now[thread.pk], firsts[thread.pk]) for entry, thread in pairs]


def _comment(pull: PullRequest, entry: Entry, thread: Thread, now: Where, first: int) -> LineCommentObject:
    api, page = f"{url_of(pull.repository)}/pulls", f"{settings.COVEY_URL}{pull.issue.get_absolute_url()}"
    side = SIDES[thread.detail["side"]]
    ranged = thread.detail["start"] != thread.detail["line"]
    found: LineCommentObject = {
        "id": entry.pk,
        "pull_request_review_id": entry.detail.get("review"),
        "thread_id": thread.pk,
        "resolved": thread.resolved is not None,
        "user": person(entry.author),
        "body": entry.body,
        "body_digest": digest(entry.body),
        "path": now.path or thread.path,
        "commit_id": pull.head_id if thread.detail["side"] == NEW and not now.outdated else thread.rev,
        "original_commit_id": thread.rev,
        "diff_hunk": "\n".join(thread.detail["quoted"]),
        "side": side,
        "line": now.end or None,
        "original_line": thread.detail["line"],
        "start_side": side if ranged else None,
        "start_line": (now.start or None) if ranged else None,
        "original_start_line": thread.detail["start"] if ranged else None,
        "created_at": entry.created.isoformat(),
        "updated_at": (entry.edited or entry.created).isoformat(),
        "url": f"{api}/comments/{entry.pk}",
        "html_url": f"{page}#comment-{entry.pk}",
        "pull_request_url": f"{api}/{pull.number}",
    }
    if entry.pk != first:
        found["in_reply_to_id"] = first
    return found


def pending_object(comment: Comment) -> PendingCommentObject:
    detail = comment.detail or (comment.thread.detail if comment.thread else {})
    return {
        "id": None,
        "pull_request_review_id": comment.review_id,
        "thread_id": comment.thread_id,
        "body": comment.body,
        "path": comment.path or (comment.thread.path if comment.thread else ""),
        "side": SIDES[detail["side"]],
        "line": detail["line"],
        "start_line": detail["start"] if detail["start"] != detail["line"] else None,
        "created_at": comment.created.isoformat(),
    }
