"""Ask people to review: by hand, or because .covey/OWNERS says that they own what is touched."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from django.db import transaction
from django.utils import timezone

from hub.accounts.actor import Actor
from hub.accounts.models import User
from hub.lib.errors import Unprocessable
from repos.issues import triage
from repos.issues.conversation import record
from repos.issues.models import Entry
from repos.issues.rights import require, taking_part
from repos.protection import owners
from repos.protection.models import ReviewRequest
from repos.pulls import branches
from repos.pulls.models import PullRequest
from repos.reviews.models import Review
from repos.reviews.standing import Word, words

MOST = 20  # of one pull request
ASKED, UNASKED = "review_asked", "review_unasked"


@dataclass(frozen=True)
class Asked:
    """said: approved, changes_requested, commented, dismissed; "" when they said nothing since they were asked."""

    request: ReviewRequest
    said: str


def asked(pull: PullRequest) -> list[Asked]:
    """By name, with the last thing that each has said since: two queries."""
    rows = list(ReviewRequest.objects.filter(pull=pull).select_related("user", "by").order_by("user__username"))
    said: dict[int, Review] = {}
    people = [row.user_id for row in rows]
    for review in Review.objects.filter(pull=pull, author__in=people, submitted__isnull=False).order_by("submitted"):
        if review.author_id is not None:
            said[review.author_id] = review
    return [Asked(row, _since(row, said.get(row.user_id))) for row in rows]


@dataclass(frozen=True)
class Reviewer:
    """Somebody who is asked, or whose word stands, or both. state: of that word; of somebody without one what they said
    since they were asked, "" for nothing."""

    user: User
    request: ReviewRequest | None
    word: Word | None
    said: str = ""

    @property
    def state(self) -> str:
        return self.word.review.state if self.word else self.said

    @property
    def asked_again(self) -> bool:
        return self.request is not None and self.word is not None and not self.said


def reviewers(pull: PullRequest) -> list[Reviewer]:
    """Those who are asked by name, then others whose word stands."""
    spoken = {word.author.pk: word for word in words(pull)}
    rows = [
        Reviewer(one.request.user, one.request, spoken.pop(one.request.user_id, None), one.said) for one in asked(pull)
    ]
    return rows + [Reviewer(word.author, None, word) for word in spoken.values()]


def _since(row: ReviewRequest, review: Review | None) -> str:
    return review.state if review and review.submitted and review.submitted >= row.created else ""


def ask(actor: Actor, pull: PullRequest, names: Collection[str]) -> None:
    """Ask, or ask again. By its author and by writers. Raises NotFound on who may not write, Denied, Unprocessable."""
    rights, user = taking_part(actor, pull.repository)
    require(rights.change(pull.issue), "ask for reviews")
    if not pull.issue.is_open:
        raise Unprocessable(f"This pull request is {pull.issue.state} already.")
    people = triage.people_named(pull.repository, names)
    if any(person.pk == pull.issue.author_id for person in people):
        raise Unprocessable("Nobody reviews their own pull request.", details="Ask somebody else.")
    _add(pull, people, by=user)


def unask(actor: Actor, pull: PullRequest, names: Collection[str]) -> None:
    """Who is not asked is passed over."""
    rights, user = taking_part(actor, pull.repository)
    require(rights.change(pull.issue), "change who is asked")
    keys = {name.lower() for name in names}
    with transaction.atomic():
        for row in ReviewRequest.objects.filter(pull=pull).select_related("user__owner"):
            if row.user.owner.name_key in keys and ReviewRequest.objects.filter(pk=row.pk).delete()[0]:
                record(pull.issue, UNASKED, user, name=row.user.username)


def ask_owners(pull: PullRequest) -> None:
    """Those who own what is touched and may write here, once each: who was taken off stays off. Safe to run twice."""
    tips = branches.now(pull)
    if not pull.issue.is_open or pull.draft or tips.base is None or tips.head is None:
        return
    names = {name for group in owners.touched(pull.repository, tips.base, tips.head) for name in group}
    if not names:
        return
    people = triage.assignable(pull.repository).filter(owner__name_key__in=names).exclude(pk=pull.issue.author_id or 0)
    off = Entry.objects.filter(issue=pull.issue, kind=UNASKED).values_list("detail__name", flat=True)
    here = ReviewRequest.objects.filter(pull=pull).values_list("user_id", flat=True)
    gone, known = set(off), set(here)
    fresh = [person for person in people if person.pk not in known and person.username not in gone]
    _add(pull, fresh[: max(0, MOST - len(known))], by=None)


def _add(pull: PullRequest, people: Collection[User], *, by: User | None) -> None:
    with transaction.atomic():
        PullRequest.objects.select_for_update(of=("self",)).get(pk=pull.pk)
        known = set(ReviewRequest.objects.filter(pull=pull).values_list("user_id", flat=True))
        if len(known | {person.pk for person in people}) > MOST:
            raise Unprocessable(f"At most {MOST} people are asked to review.")
        for person in people:
            if person.pk in known and by is None:
                continue
            values = {"by": by, "created": timezone.now()}
            ReviewRequest.objects.update_or_create(pull=pull, user=person, defaults=values)
            record(pull.issue, ASKED, by, name=person.username)
