"""Close, reopen, rename, lock. Each is written into the conversation; what is so already changes nothing."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.utils import timezone

from hub.accounts.actor import Actor
from hub.accounts.models import User
from hub.jobs import outbox
from hub.lib.errors import Unprocessable
from repos.issues import counting, signals
from repos.issues.conversation import record
from repos.issues.models import Entry, Issue
from repos.issues.rights import require, taking_part, triaging
from repos.issues.texts import checked_title


def close(actor: Actor, issue: Issue) -> None:
    rights, user = taking_part(actor, issue.repository)
    require(rights.change(issue), "close this")
    end(issue, user)


def end(issue: Issue, user: User | None, state: str = Issue.State.CLOSED, /, **detail: Any) -> bool:
    """Close what is open, whoever may: keywords and merges do it too. detail: what did it. False: it was not open."""
    now = timezone.now()
    with transaction.atomic():
        still_open = Issue.objects.filter(pk=issue.pk, state=Issue.State.OPEN)
        if not still_open.update(state=state, closed=now, closed_by=user):
            return False
        counting.add(issue, -1)
        record(issue, state, user, **detail)
        outbox.announce(signals.ENDED, {"issue_id": issue.pk})
    return True


def reopen(actor: Actor, issue: Issue) -> None:
    """Raises Unprocessable for a pull request that was merged."""
    rights, user = taking_part(actor, issue.repository)
    require(rights.change(issue), "reopen this")
    check_unmerged(issue)
    begin_again(issue, user)


def check_unmerged(issue: Issue) -> None:
    """Raises Unprocessable for a pull request that was merged: it cannot be opened again."""
    if issue.state == Issue.State.MERGED:
        raise Unprocessable("A merged pull request stays merged.", details="Open another one, or revert it.")


def begin_again(issue: Issue, user: User | None, /, **detail: Any) -> bool:
    """Open what is closed, whoever may: keywords do it too. detail: what did it. False: it was not closed."""
    with transaction.atomic():
        closed = Issue.objects.filter(pk=issue.pk, state=Issue.State.CLOSED)
        if not closed.update(state=Issue.State.OPEN, closed=None, closed_by=None):
            return False
        counting.add(issue, 1)
        record(issue, Entry.Kind.REOPENED, user, **detail)
    return True


def rename(actor: Actor, issue: Issue, title: str) -> None:
    rights, user = taking_part(actor, issue.repository)
    require(rights.change(issue), "rename this")
    title = checked_title(title)
    with transaction.atomic():
        before = Issue.objects.select_for_update().get(pk=issue.pk).title
        if before == title:
            return
        Issue.objects.filter(pk=issue.pk).update(title=title)
        record(issue, Entry.Kind.RENAMED, user, **{"from": before, "to": title})


def lock(actor: Actor, issue: Issue, locked: bool) -> None:
    """In a locked conversation only those with write access may write."""
    user = triaging(actor, issue.repository)
    with transaction.atomic():
        if Issue.objects.filter(pk=issue.pk, locked=not locked).update(locked=locked):
            record(issue, Entry.Kind.LOCKED if locked else Entry.Kind.UNLOCKED, user)
