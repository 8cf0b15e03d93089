"""What is said below an issue, and how texts change: every version that anybody may have read is kept."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from hub.accounts import audit
from hub.accounts.actor import Actor
from hub.accounts.models import User
from hub.lib import markdown
from hub.lib.errors import Conflict, Denied, NotFound, Unprocessable
from hub.lib.tasklists import toggled
from repos.issues.models import Entry, Issue, Revision, Thread
from repos.issues.rights import require, taking_part
from repos.issues.texts import checked_body, digest, tasks_of


def comment(actor: Actor, issue: Issue, body: str, *, thread: Thread | None = None, **detail: Any) -> Entry:
    """thread: of this issue, what the comment belongs to. Raises Unprocessable on nothing said, Denied in a locked
    conversation."""
    user = speaking(actor, issue)
    body = something(body)
    with transaction.atomic():
        entry = _write(issue, kind=Entry.Kind.COMMENT, author=user, body=body, thread=thread, detail=detail)
        Issue.objects.filter(pk=issue.pk).update(comments_count=F("comments_count") + 1)
    return entry


def speaking(actor: Actor, issue: Issue) -> User:
    """Whoever is about to say something. Raises Denied in a locked conversation."""
    rights, user = taking_part(actor, issue.repository)
    if not rights.comment(issue):
        raise Denied("This conversation is locked.", details="Those with write access may still write here.")
    return user


def edit_comment(actor: Actor, entry: Entry, body: str) -> None:
    rights, user = taking_part(actor, entry.issue.repository)
    require(rights.edit_comment(entry), "edit this comment")
    body = something(body)
    with transaction.atomic():
        row = Entry.objects.select_for_update().get(pk=entry.pk)
        if row.body == body:
            return
        _keep(entry.issue, row, row.body, user)
        Entry.objects.filter(pk=entry.pk).update(body=body, edited=timezone.now())
        touch(entry.issue)


def remove_comment(actor: Actor, entry: Entry) -> None:
    """Its text and every earlier version go; that there was one stays visible."""
    rights, user = taking_part(actor, entry.issue.repository)
    require(rights.remove_comment(entry), "remove this comment")
    with transaction.atomic():
        kept = Entry.objects.filter(pk=entry.pk, kind=Entry.Kind.COMMENT)
        if not kept.update(kind=Entry.Kind.REMOVED, body="", detail={"by": user.username}):
            return
        Revision.objects.filter(entry_id=entry.pk).delete()
        Issue.objects.filter(pk=entry.issue_id).update(comments_count=F("comments_count") - 1)
        touch(entry.issue)
        if entry.author_id != user.pk:
            repository = entry.issue.repository
            audit.record(
                "comment.remove",
                actor,
                subject=f"#{entry.issue.number} of {repository.full_name}",
                of=repository,
                before={"comment": entry.pk, "author": entry.author.username if entry.author else ""},
            )


def edit_body(actor: Actor, issue: Issue, body: str) -> None:
    """The issue's own text; it may be empty."""
    rights, user = taking_part(actor, issue.repository)
    require(rights.edit(issue), "edit this text")
    body = checked_body(body)
    with transaction.atomic():
        row = Issue.objects.select_for_update().get(pk=issue.pk)
        if row.body == body:
            return
        _keep(issue, None, row.body, user)
        now = timezone.now()
        Issue.objects.filter(pk=issue.pk).update(body=body, edited=now, updated=now, **tasks_of(body))


def tick(actor: Actor, issue: Issue, entry: Entry | None, number: int, done: bool, *, seen: str) -> None:
    """Tick a box of a task list, or take the tick away, in the issue's text or in a comment. A change as any other.

    number: of the box, from 0. seen: digest() of the text that it was counted in. Raises Conflict when the text is
    another by now, NotFound for no such box, Denied.
    """
    rights, _ = taking_part(actor, issue.repository)
    require(rights.edit(issue) if entry is None else rights.edit_comment(entry), "tick this box")
    with transaction.atomic():
        if entry is None:
            body = Issue.objects.select_for_update().get(pk=issue.pk).body
        else:
            body = Entry.objects.select_for_update().get(pk=entry.pk).body
        if digest(body) != seen:
            raise Conflict(
                "Somebody changed this text since you saw it; nothing was ticked.",
                details="Load the page again and tick the box as it is now.",
            )
        box = next((box for box in markdown.boxes(body) if box.number == number and box.at >= 0), None)
        if box is None:
            raise NotFound("There is no such box in this text.")
        changed = toggled(body, box, done)
        edit_body(actor, issue, changed) if entry is None else edit_comment(actor, entry, changed)


def record(issue: Issue, kind: str, user: User | None, *, body: str = "", **detail: Any) -> Entry:
    """Write down what happened, inside the transaction that makes it so."""
    return _write(issue, kind=kind, author=user, body=body, detail=detail)


def _write(issue: Issue, **values: Any) -> Entry:
    now = timezone.now()
    entry = Entry.objects.create(issue=issue, created=now, **values)
    Issue.objects.filter(pk=issue.pk).update(updated=now)
    return entry


def touch(issue: Issue) -> None:
    Issue.objects.filter(pk=issue.pk).update(updated=timezone.now())


def _keep(issue: Issue, entry: Entry | None, body: str, user: User) -> None:
    Revision.objects.create(issue=issue, entry=entry, body=body, editor=user, created=timezone.now())


def something(body: str) -> str:
    """A text that says something. Raises Unprocessable."""
    body = checked_body(body)
    if not body.strip():
        raise Unprocessable("The comment is empty.", details="Write something first.")
    return body
