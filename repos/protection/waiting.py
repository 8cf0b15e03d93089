"""Merge when all is met: say so, take it back, and tell the worker to look."""

from __future__ import annotations

from django.db import transaction
from django.db.models import F, Max
from django.utils import timezone

from hub.accounts.actor import Actor
from hub.accounts.models import User
from hub.jobs import jobs
from hub.lib.errors import Conflict, NotFound
from repos import ways
from repos.issues.conversation import record
from repos.issues.texts import checked
from repos.models import RefUpdate
from repos.protection.models import AutoMerge
from repos.pulls import branches, rights
from repos.pulls.merging import MAX_MESSAGE_CHARACTERS
from repos.pulls.models import PullRequest

ATTEMPT = "protection.auto_merge"


def begin(
    actor: Actor, pull: PullRequest, *, method: str, message: str = "", expected: str = "", delete_branch: bool = False
) -> AutoMerge:
    """expected: the head that the person has seen. Said again, it replaces what was said before.

    Raises Denied, Unprocessable, or Conflict when the head is another one or the pull request is over.
    """
    user = rights.merging(actor, pull.repository)
    ways.require(pull.repository, method)
    checked(message, "The message")
    if not pull.issue.is_open:
        raise Conflict(f"This pull request is {pull.issue.state} already.", details="Reload the page.")
    # Before the head is read: a move after it is looked at later.
    since = RefUpdate.objects.aggregate(last=Max("pk"))["last"] or 0
    head = branches.now(pull).head
    if head is None:
        raise NotFound("The branch of this pull request is gone.", details="Push it again.")
    if expected not in {"", head}:
        raise Conflict("The branch has new commits.", details="Look at them, then say it again.")
    values = {
        "user": user,
        "method": method,
        "message": message[:MAX_MESSAGE_CHARACTERS],
        "delete_branch": delete_branch,
        "head": head,
        "since": since,
        "tried": "",
        "created": timezone.now(),
    }
    with transaction.atomic():
        waiting, _ = AutoMerge.objects.update_or_create(pull=pull, defaults=values)
        record(pull.issue, "auto_merge_on", user, method=method)
        look(waiting)
    return waiting


def cancel(actor: Actor, pull: PullRequest) -> None:
    """By whoever may merge. Raises NotFound when nothing waits."""
    user = rights.merging(actor, pull.repository)
    if not end(pull, user):
        raise NotFound("Nothing waits to merge this.")


def end(pull: PullRequest, user: User | None, why: str = "") -> bool:
    """Forget that a merge waits. why: told to people, where nobody did it. False: none waited."""
    with transaction.atomic():
        if not AutoMerge.objects.filter(pull=pull).delete()[0]:
            return False
        record(pull.issue, "auto_merge_off", user, **({"why": why} if why else {}))
    return True


def waiting_for(pull: PullRequest) -> AutoMerge | None:
    return AutoMerge.objects.select_related("user").filter(pull=pull).first()


def look(waiting: AutoMerge, *, again: bool = True) -> None:
    """Have a worker see whether all is met, after whatever happened in this transaction. again: also where git could
    not merge these commits before."""
    with transaction.atomic():
        AutoMerge.objects.filter(pk=waiting.pk).update(asked=F("asked") + 1)
        asked = AutoMerge.objects.values_list("asked", flat=True).filter(pk=waiting.pk).first()
        if asked is None:
            return
        jobs.start(
            ATTEMPT,
            f"{ATTEMPT}:{waiting.pk}:{waiting.created.timestamp()}:{asked}",
            {"pull": waiting.pull_id, "again": again},
            repository_id=waiting.pull.repository.pk,
            user_id=waiting.user_id,
        )
