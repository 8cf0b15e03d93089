"""What may have met the last requirement of a merge that waits. Runs in a worker; see hub.jobs.outbox."""

from __future__ import annotations

from typing import Any

from django.db.models import Q

from hub.jobs.outbox import receiver
from repos.issues.models import Issue
from repos.models import Push
from repos.protection import asking, waiting
from repos.protection.models import AutoMerge
from repos.pulls.models import PullRequest
from repos.pulls.signals import PULL_CHANGED, PULL_MERGED
from repos.signals import PUSHED
from repos.statuses.signals import STATUS_POSTED

HEADS = "refs/heads/"


@receiver(STATUS_POSTED)
def status_posted(payload: dict[str, Any]) -> None:
    _look(Q(pull__issue__repository=payload["repository_id"], pull__head_id=payload["sha"]))


@receiver(PUSHED)
def pushed(payload: dict[str, Any]) -> None:
    push = Push.objects.filter(pk=payload["push_id"]).first()
    if push is None:
        return
    moved = push.updates.filter(applied=True, ref__startswith=HEADS).values_list("ref", flat=True)
    names = [ref.removeprefix(HEADS) for ref in moved]
    here, own = Q(pull__issue__repository=push.repository_id), Q(pull__head_repository=None, pull__head__in=names)
    fork = Q(pull__head_repository=push.repository_id, pull__head__in=names)
    for pull in PullRequest.objects.select_related("issue__repository__owner", "issue__author").filter(
        Q(head_repository=None, issue__repository=push.repository_id) | Q(head_repository=push.repository_id),
        issue__state=Issue.State.OPEN,
        head__in=names,
    ):
        asking.ask_owners(pull)
    _look(here & (own | Q(pull__base__in=names)) | fork)


@receiver(PULL_CHANGED)
def changed(payload: dict[str, Any]) -> None:
    """Opened, made ready, reviewed; also what a failed merge announces, ours included: so nothing is tried again that
    git has refused."""
    rows = PullRequest.objects.select_related("issue__repository__owner", "issue__author")
    if (pull := rows.filter(pk=payload["pull_id"]).first()) and pull.repository.deleted is None:
        asking.ask_owners(pull)
    _look(Q(pull=payload["pull_id"]), again=False)


@receiver(PULL_MERGED)
def merged(payload: dict[str, Any]) -> None:
    AutoMerge.objects.filter(pull=payload["pull_id"]).delete()


def _look(which: Q, *, again: bool = True) -> None:
    for row in AutoMerge.objects.select_related("pull__issue__repository").filter(which):
        waiting.look(row, again=again)
