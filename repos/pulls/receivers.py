"""What pull requests do after a push, and after they were opened. Runs in a worker; see hub.jobs.outbox."""

from __future__ import annotations

from typing import Any

from hub.accounts.actor import Actor
from hub.jobs.outbox import receiver
from repos.issues.signals import ENDED
from repos.models import Push
from repos.pulls import branches, following, heads, signals, summaries, testmerges
from repos.pulls.models import PullRequest
from repos.signals import PUSHED


@receiver(PUSHED)
def follow(payload: dict[str, Any]) -> None:
    push = Push.objects.select_related("repository__owner", "user").filter(pk=payload["push_id"]).first()
    if push is not None and push.repository.deleted is None:
        following.after_push(push)


@receiver(signals.PULL_CHANGED)
def look_again(payload: dict[str, Any]) -> None:
    """Write the ref that whoever opened it may not have come to write; see where the head is after a failed merge."""
    rows = PullRequest.objects.select_related("issue__repository__owner", "issue__author", "head_repository__owner")
    pull = rows.get(pk=payload["pull_id"])
    if pull.repository.deleted is None and pull.issue.is_open:
        branches.pin(pull, pull.head_id)
        following.follow_head(pull, None)
        testmerges.want(pull)
        summaries.ask(pull)


@receiver(ENDED)
def forget_test(payload: dict[str, Any]) -> None:
    """The ref of the test goes; when it is opened again, look_again has it written."""
    pull = PullRequest.objects.select_related("issue__repository").filter(pk=payload["issue_id"]).first()
    if pull is not None and pull.repository.deleted is None:
        testmerges.forget_stale(pull.repository)


@receiver(signals.PULL_MERGED)
def clear_up(payload: dict[str, Any]) -> None:
    """The branch goes, where the hub that merged died before it came to that; whoever merged is asked once more whether
    they may."""
    rows = PullRequest.objects.select_related("issue__repository__owner", "merged_by", "head_repository__owner")
    pull = rows.get(pk=payload["pull_id"])
    if pull.repository.deleted is None:
        heads.delete_if_wanted(Actor(user=pull.merged_by), pull)
