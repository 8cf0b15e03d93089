"""Whose word stands on a pull request: the last approval or request for changes of each reviewer, and what it counts.

It counts while its author may write here. Who lost that since is listed as before, and counts no more: neither for
the approvals that a branch asks for nor against a merge. Nor does an approval count any more once the pull request
asks to be merged into another branch: it was given of another difference, and by the rules of another branch.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from django.db.models import Exists, Max, OuterRef
from django.db.models.functions import Coalesce

from hub.accounts.models import User
from repos.git.read import shown
from repos.issues import triage
from repos.issues.models import Entry
from repos.pulls import requirements
from repos.pulls.models import PullRequest
from repos.pulls.requirements import Unmet
from repos.reviews.models import Review

State = Review.State
MOST_NAMED = 5


@dataclass(frozen=True)
class Word:
    """One reviewer's. elsewhere: an approval of the request as it was when it had another base. counts: it is none, and
    they may write here now."""

    review: Review
    author: User
    elsewhere: bool
    counts: bool

    @property
    def approves(self) -> bool:
        return self.review.state == State.APPROVED


def words(pull: PullRequest) -> list[Word]:
    """Oldest first: two queries. What was dismissed stands no more, nor does what the same person said before."""
    decisive = (State.APPROVED, State.CHANGES_REQUESTED, State.DISMISSED)
    rows = Review.objects.filter(pull=pull, state__in=decisive, author__is_active=True).order_by()
    last = rows.values("author").annotate(last=Max("pk")).values("last")
    moved = Entry.objects.filter(issue=pull.pk, kind="retargeted", pk__gt=Coalesce(OuterRef("entry"), 0))
    found = list(
        Review.objects.filter(pk__in=last)
        .exclude(state=State.DISMISSED)
        .annotate(moved=Exists(moved))
        .select_related("author")
        .order_by("pk")
    )
    authors = [review.author.pk for review in found if review.author]
    writing = triage.assignable(pull.repository).filter(pk__in=authors)
    writers = set(writing.values_list("pk", flat=True)) if found else set()
    return [_word(review, review.author, writers) for review in found if review.author]


def _word(review: Review, author: User, writers: Collection[int]) -> Word:
    elsewhere = review.state == State.APPROVED and review.moved  # type: ignore[attr-defined]  # annotated above
    return Word(review, author, elsewhere, author.pk in writers and not elsewhere)


def approvals(pull: PullRequest, head: str = "") -> list[Word]:
    """Those that count; with a head only what was said of it."""
    return [word for word in words(pull) if word.approves and word.counts and (not head or word.review.head_id == head)]


@requirements.register
def approved(pull: PullRequest, base: str, head: str) -> Iterator[Unmet]:
    """What the rules of the base ask of reviews."""
    asked = pull.asked
    if asked is None or not asked.approvals:
        return
    counting = [word for word in words(pull) if word.counts]
    given = [word for word in counting if word.approves]
    fresh = [word for word in given if word.review.head_id == head] if asked.approvals_of_head else given
    if against := [word.author.username for word in counting if not word.approves]:
        why = f"{', '.join(against[:MOST_NAMED])} asked for changes."
        yield Unmet("Changes requested", why, "Push them and ask for another review.", by_rule=True)
    if len(fresh) < asked.approvals:
        old = len(given) - len(fresh)
        stale = f" {old} approved an older version." if old else ""
        why = f"'{shown(pull.base)}' asks for {asked.approvals}, {len(fresh)} of them given.{stale}"
        yield Unmet("Approvals", why, "Ask somebody with write access to review it.", by_rule=True)
