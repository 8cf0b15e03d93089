"""The job that merges what waits, if all is met by now. It happens once: repos.pulls.merging claims it."""

from __future__ import annotations

from django.db.models import QuerySet

from hub.accounts.actor import Actor
from hub.accounts.models import User
from hub.jobs import jobs
from hub.jobs.jobs import Run
from hub.lib.errors import Conflict, HubError, NotFound
from repos import access
from repos.issues.models import Entry
from repos.models import Access, RefUpdate, Repository
from repos.protection import waiting
from repos.protection.models import AutoMerge
from repos.pulls import branches, merging, requirements
from repos.pulls.merging import CannotMerge, Order

WAITS = "waits"


@jobs.handler(waiting.ATTEMPT)
def attempt(run: Run) -> dict[str, str]:
    """Arguments: pull, again. What became of it, as {"state", "why"}."""
    rows = AutoMerge.objects.select_related("user__owner", "pull__issue__repository__owner")
    row = rows.filter(pull=run.job.arguments["pull"]).first()
    if row is None or row.pull.repository.deleted:
        return {"state": "gone"}
    if not row.pull.issue.is_open:
        row.delete()
        return {"state": "gone"}
    if why := _void(row):
        waiting.end(row.pull, None, why)
        return {"state": "cancelled", "why": why}
    return _merge(row, again=run.job.arguments["again"])


def _void(row: AutoMerge) -> str:
    """Why this merge is not to happen any more; "" when it still is."""
    pull = row.pull
    if pull.issue.entries.filter(kind__in=[Entry.Kind.CLOSED, "retargeted"], created__gte=row.created).exists():
        return "the pull request was closed or its base changed in the meantime"
    if not _may_write(row.user, pull.repository):
        return f"{row.user.username} has no write access any more"
    for user in _movers(row):
        if user is None or not _may_write(user, pull.repository):
            return "somebody without write access pushed to the branch"
    return ""


def _may_write(user: User, repository: Repository) -> bool:
    return user.is_active and access.access_for(Actor(user=user), repository) >= Access.WRITE


def _movers(row: AutoMerge) -> list[User | None]:
    """Who moved the head since the person has seen it."""
    moves = _moves(row).select_related("push__user__owner")
    return list({move.push.user_id: move.push.user for move in moves}.values())


def _moves(row: AutoMerge) -> QuerySet[RefUpdate]:
    return RefUpdate.objects.filter(
        push__repository=row.pull.source, ref=row.pull.head_ref, applied=True, pk__gt=row.since
    ).order_by("pk")


def _merge(row: AutoMerge, *, again: bool) -> dict[str, str]:
    pull = row.pull
    tips = branches.now(pull)
    last = _moves(row).values_list("new", flat=True).last() or row.head
    if tips.base is None or tips.head != last:  # a push that is not written down yet: its event comes
        return {"state": WAITS, "why": "a push is under way"}
    if unmet := requirements.unmet(pull, tips.base, tips.head):
        return {"state": WAITS, "why": unmet[0].name}
    ends = f"{tips.base}:{tips.head}"
    if row.tried == ends and not again:
        return {"state": WAITS, "why": "git cannot merge it"}
    access.check(Actor(user=row.user), pull.repository, need=Access.WRITE, area=access.Area.ISSUES)
    order = Order(row.method, row.message, expected=tips.head, delete_branch=row.delete_branch, via="auto")
    try:
        return {"state": "merged", "commit": merging.merge(Actor(user=row.user), pull, order)}
    except CannotMerge as error:
        AutoMerge.objects.filter(pk=row.pk).update(tried=ends)
        return {"state": WAITS, "why": error.message}
    except (Conflict, NotFound) as error:  # somebody merges or pushes: each ends in an event
        return {"state": WAITS, "why": error.message}
    except HubError as error:
        if error.code >= 500:
            raise
        waiting.end(pull, None, error.message)
        return {"state": "cancelled", "why": error.message}
