"""Milestones: what a set of issues leads to, by when, and how far it is."""

from __future__ import annotations

from datetime import date

from django.db import transaction
from django.db.models import Count, Q, QuerySet
from django.utils import timezone

from hub.accounts.actor import Actor
from hub.lib.errors import NotFound, Unprocessable
from repos.issues.models import Issue, Milestone
from repos.issues.opening import next_milestone
from repos.issues.rights import triaging
from repos.issues.texts import checked_body, checked_name
from repos.models import Repository


def listed(repository: Repository, *, closed: bool = False) -> QuerySet[Milestone]:
    """Those that are due first; with open_count and closed_count of their issues."""
    rows = Milestone.objects.filter(repository=repository, closed__isnull=not closed)
    still_open = Q(issues__state=Issue.State.OPEN)
    counts = {
        "open_count": Count("issues", filter=still_open),
        "closed_count": Count("issues", filter=Q(issues__isnull=False) & ~still_open),
    }
    return rows.annotate(**counts).order_by("due", "pk")


def open_numbers(repository: Repository) -> QuerySet[Milestone, tuple[int, str]]:
    """(number, title) of each."""
    rows = Milestone.objects.filter(repository=repository, closed=None)
    return rows.order_by("due", "pk").values_list("number", "title")


def create(
    actor: Actor,
    repository: Repository,
    *,
    title: str,
    description: str = "",
    due: date | None = None,
    closed: bool = False,
) -> Milestone:
    triaging(actor, repository)
    fields, ended = _checked(title, description), timezone.now() if closed else None
    with transaction.atomic():
        number = next_milestone(repository.pk)  # one after the other: nobody else makes one meanwhile
        _free(repository, fields["title"])
        return Milestone.objects.create(repository=repository, number=number, due=due, closed=ended, **fields)


def change(actor: Actor, milestone: Milestone, *, title: str, description: str, due: date | None) -> None:
    triaging(actor, milestone.repository)
    fields = _checked(title, description)
    if fields["title"] != milestone.title:
        _free(milestone.repository, fields["title"], besides=milestone)
    Milestone.objects.filter(pk=milestone.pk).update(due=due, **fields)


def close(actor: Actor, milestone: Milestone, closed: bool) -> None:
    """Its issues stay as they are."""
    triaging(actor, milestone.repository)
    now = timezone.now() if closed else None
    Milestone.objects.filter(pk=milestone.pk, closed__isnull=closed).update(closed=now)


def remove(actor: Actor, milestone: Milestone) -> None:
    """Its issues stay, without a milestone."""
    triaging(actor, milestone.repository)
    milestone.delete()


def milestone_of(repository: Repository, number: int) -> Milestone:
    found = Milestone.objects.filter(repository=repository, number=min(number, 2**31 - 1)).first()
    if found is None:
        raise NotFound(f"There is no milestone {number} here.")
    found.repository = repository
    return found


def _free(repository: Repository, title: str, besides: Milestone | None = None) -> None:
    """`milestone:v1` names one. Those that were made alike before stay."""
    others = Milestone.objects.filter(repository=repository, title__iexact=title)
    if (others.exclude(pk=besides.pk) if besides else others).exists():
        raise Unprocessable(f"There is a milestone '{title}' already.", details="Choose another title, or reopen that.")


def _checked(title: str, description: str) -> dict[str, str]:
    title = checked_name(title, "The milestone's title")
    if len(title) > 200:
        raise Unprocessable("A milestone's title has 1 to 200 characters.")
    return {"title": title, "description": checked_body(description)}
