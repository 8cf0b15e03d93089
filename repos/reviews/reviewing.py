"""Review a pull request: comments that wait until they are submitted, all at once and exactly once, with a verdict."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from hub.accounts import audit
from hub.accounts.actor import Actor
from hub.accounts.models import User
from hub.jobs import outbox
from hub.lib.errors import Conflict, Denied, NotFound, Unprocessable
from repos.git.read import shown
from repos.issues import conversation, threads
from repos.issues.conversation import record, something, speaking
from repos.issues.models import Entry, Thread
from repos.issues.rights import taking_part, triaging
from repos.issues.texts import checked_body
from repos.issues.threads import Spot
from repos.pulls import branches
from repos.pulls.models import PullRequest
from repos.pulls.signals import PULL_CHANGED
from repos.reviews.models import Comment, Review

MOST_COMMENTS = 300  # of one review
State = Review.State
VERDICTS = {"approve": State.APPROVED, "request_changes": State.CHANGES_REQUESTED, "comment": State.COMMENTED}


@dataclass(frozen=True)
class Said:
    """One comment of a review: at a spot, or in answer to a thread."""

    body: str
    spot: Spot | None = None
    thread: Thread | None = None


def pending_of(actor: Actor, pull: PullRequest) -> Review | None:
    """What this actor has begun and not submitted; nobody else sees it."""
    if actor.user is None:
        return None
    found = Review.objects.filter(pull=pull, author=actor.user, state=State.PENDING).first()
    if found:
        found.pull = pull
    return found


def waiting(review: Review) -> QuerySet[Comment]:
    return review.comments.select_related("thread").order_by("pk")


def add(actor: Actor, pull: PullRequest, said: Said) -> Comment:
    """Into the actor's pending review, which begins here if there is none. Raises what conversation.comment and
    threads.begin raise, Unprocessable past MOST_COMMENTS."""
    user = speaking(actor, pull.issue)
    values = _checked(actor, pull, said)
    with transaction.atomic():
        return _keep(_own(pull, user), [values])[0]


def begin(actor: Actor, pull: PullRequest, body: str, more: Sequence[Said]) -> Review:
    """A review that waits, with a text and comments; what waits already stays, but for its text."""
    user, body = speaking(actor, pull.issue), checked_body(body).strip()
    values = [_checked(actor, pull, said) for said in more]
    with transaction.atomic():
        mine = _own(pull, user)
        _keep(mine, values)
        if body:
            Review.objects.filter(pk=mine.pk).update(body=body)
    return mine


def change(comment: Comment, body: str) -> None:
    body = something(body)
    with transaction.atomic():
        _lock(comment.review)
        Comment.objects.filter(pk=comment.pk).update(body=body)


def remove(comment: Comment) -> None:
    with transaction.atomic():
        _lock(comment.review)
        Comment.objects.filter(pk=comment.pk).delete()


def discard(actor: Actor, pull: PullRequest) -> None:
    """The pending review with all its comments."""
    _, user = taking_part(actor, pull.repository)
    Review.objects.filter(pull=pull, author=user, state=State.PENDING).delete()


def pending_comment(actor: Actor, pull: PullRequest, comment_id: int) -> Comment:
    """Of the actor's own pending review. Raises NotFound."""
    _, user = taking_part(actor, pull.repository)
    mine = Comment.objects.filter(review__pull=pull, review__author=user, review__state=State.PENDING)
    found = mine.select_related("review", "thread").filter(pk=min(comment_id, 2**63 - 1)).first()
    if found is None:
        raise NotFound("That comment does not wait here.", details="It may have been submitted; reload the page.")
    return found


def submit(
    actor: Actor,
    pull: PullRequest,
    verdict: str,
    body: str | None = None,
    *,
    expected: str = "",
    base: str = "",
    begun: int = 0,
) -> Review:
    """The pending review, or an empty one, with a verdict of VERDICTS: one entry of the conversation, and its
    comments. body None: the text that waits with them. expected, base: the head, and the shown name of the base, that
    was looked at; others cannot be approved. begun: the id of the pending review that was looked at, 0 for none.

    Raises Conflict when it was submitted already, or the head or the base is another one, Unprocessable, Denied.
    """
    return review(actor, pull, verdict, body, (), expected=expected, base=base, begun=begun)


def review(
    actor: Actor,
    pull: PullRequest,
    verdict: str,
    body: str | None,
    more: Sequence[Said],
    *,
    expected: str = "",
    base: str = "",
    begun: int = 0,
) -> Review:
    """The same with comments that were not added before."""
    user = speaking(actor, pull.issue)
    state, text = _verdict(pull, user, verdict), None if body is None else checked_body(body).strip()
    head = branches.ends(pull)[1]
    if expected and expected != head and state == State.APPROVED:
        raise Conflict("The branch has new commits.", details="Look at what changed, then approve.")
    values = [_checked(actor, pull, said) for said in more]
    with transaction.atomic():
        if base and state == State.APPROVED and base != shown(_base(pull)):
            raise Conflict(
                "Its base was changed in the meantime.", details="Look at what it changes now, then approve."
            )
        mine = _own(pull, user)
        if begun not in {0, mine.pk}:
            raise Conflict(
                "You submitted this review, or discarded it, in the meantime: perhaps in another tab.",
                details="Go back to copy what you wrote, then reload the page.",
            )
        _keep(mine, values)
        comments, text = list(waiting(mine)), mine.body if text is None else text
        if not text and not comments and state != State.APPROVED:
            raise Unprocessable("The review says nothing.", details="Write a text, or comment on lines first.")
        _publish(actor, mine, comments, state, text, head)
    return mine


def _base(pull: PullRequest) -> str:
    """Behind a lock: until the caller's transaction ends, it stays that."""
    locked = PullRequest.objects.select_for_update(of=("self",)).filter(pk=pull.pk)
    return locked.values_list("base", flat=True).get()


def _publish(actor: Actor, mine: Review, comments: list[Comment], state: State, body: str, head: str) -> None:
    issue, now = mine.pull.issue, timezone.now()
    still = Review.objects.filter(pk=mine.pk, state=State.PENDING)
    if not still.update(state=state, submitted=now, head_id=head, body=""):
        raise Conflict("This review was submitted already.", details="Reload the page.")
    entry = record(issue, Entry.Kind.REVIEWED, actor.user, body=body, review=mine.pk, state=state, head=head)
    Review.objects.filter(pk=mine.pk).update(entry=entry)
    for comment in comments:
        if comment.thread:
            said = conversation.comment(actor, issue, comment.body, thread=comment.thread, review=mine.pk)
        else:
            spot = Spot(Thread.Kind.LINE, comment.path, comment.rev, comment.detail)
            said = threads.write(actor, issue, spot, comment.body, review=mine.pk)
        Comment.objects.filter(pk=comment.pk).update(entry=said, thread=said.thread, body="")
    mine.state, mine.submitted, mine.head_id, mine.entry, mine.body = state, now, head, entry, ""
    outbox.announce(PULL_CHANGED, {"pull_id": mine.pull_id})  # it may be merged now, where somebody waits for that


def edit(actor: Actor, found: Review, body: str) -> None:
    """What its author says with it; what it said before stays in its history. Raises Denied, Unprocessable."""
    _, user = taking_part(actor, found.pull.repository)
    if found.author_id != user.pk:
        raise Denied("Only its author changes what a review says.")
    if found.entry is not None:
        found.entry.issue = found.pull.issue
        conversation.edit_comment(actor, found.entry, body)
        return
    with transaction.atomic():
        _lock(found)
        Review.objects.filter(pk=found.pk).update(body=checked_body(body).strip())


def dismiss(actor: Actor, found: Review, why: str) -> None:
    """Take an approval, or a request for changes, back. For writers. Raises Denied, Unprocessable."""
    user = triaging(actor, found.pull.repository)
    why = something(why)
    with transaction.atomic():
        standing = Review.objects.filter(pk=found.pk, state__in=(State.APPROVED, State.CHANGES_REQUESTED))
        was = standing.values_list("state", flat=True).first()
        now = timezone.now()
        if not standing.update(state=State.DISMISSED, dismissed=now, dismissed_by=user, why=why):
            raise Unprocessable("Only an approval or a request for changes that stands can be dismissed.")
        name = found.author.username if found.author else ""
        record(found.pull.issue, "dismissed", user, body=why, review=found.pk, name=name, state=was)
        repository = found.pull.repository
        audit.record(
            "review.dismiss",
            actor,
            subject=f"#{found.pull.number} of {repository.full_name}",
            of=repository,
            before={"author": name, "state": was, "head": found.head_id},
        )
        if entry := Entry.objects.filter(review=found).first():
            Entry.objects.filter(pk=entry.pk).update(detail={**entry.detail, "dismissed": user.username})
        outbox.announce(PULL_CHANGED, {"pull_id": found.pull_id})


def review_of(actor: Actor, pull: PullRequest, review_id: int) -> Review:
    """One that was submitted, or the actor's own. Raises NotFound."""
    found = Review.objects.filter(pull=pull, pk=min(review_id, 2**63 - 1)).select_related("author", "entry").first()
    if found is None or (found.state == State.PENDING and (actor.user is None or found.author_id != actor.user.pk)):
        raise NotFound("There is no such review here.")
    found.pull = pull
    return found


def visible(actor: Actor, pull: PullRequest) -> QuerySet[Review]:
    """Those that were submitted and the actor's own, oldest first."""
    mine = Q(author=actor.user_id) if actor.user_id else Q(pk=None)
    rows = Review.objects.filter(~Q(state=State.PENDING) | mine, pull=pull)
    return rows.select_related("author", "entry").order_by("pk")


def _verdict(pull: PullRequest, user: User, verdict: str) -> State:
    if verdict not in VERDICTS:
        raise Unprocessable(f"A review ends with one of {', '.join(VERDICTS)}.")
    state = VERDICTS[verdict]
    if state != State.COMMENTED and pull.issue.author_id == user.pk:
        raise Unprocessable("Nobody approves their own pull request, or asks themselves for changes.",
                            details="Comment instead, or ask somebody else to review it.")  # fmt: skip
    if state != State.COMMENTED and not pull.issue.is_open:
        raise Unprocessable(f"This pull request is {pull.issue.state} already.", details="Comment instead.")
    return state


def _checked(actor: Actor, pull: PullRequest, said: Said) -> dict[str, Any]:
    body = something(said.body)
    if said.thread is not None:
        if said.thread.issue_id != pull.pk:
            raise NotFound("That thread does not exist.")
        return {"thread": said.thread, "body": body}
    assert said.spot
    spot = threads.checked_spot(actor, pull.repository, said.spot)
    return {"path": spot.path, "rev": spot.rev, "detail": spot.detail, "body": body}


def _own(pull: PullRequest, user: User) -> Review:
    """The pending review of this user, made if there is none, locked until the caller's transaction ends."""
    for _ in range(3):
        mine = Review.objects.filter(pull=pull, author=user, state=State.PENDING).first()
        if mine is None:
            try:
                with transaction.atomic():
                    mine = Review.objects.create(pull=pull, author=user, head_id=pull.head_id, created=timezone.now())
            except IntegrityError:  # another request of theirs began one just now
                continue
        mine.pull = pull
        if Review.objects.filter(pk=mine.pk, state=State.PENDING).update(created=F("created")):
            return mine
    raise Conflict("Your review was submitted at this moment.", details="Reload the page, then go on.")


def _keep(mine: Review, values: Sequence[dict[str, Any]]) -> list[Comment]:
    """Inside the caller's transaction, behind the lock of the review."""
    if mine.comments.count() + len(values) > MOST_COMMENTS:
        raise Unprocessable(f"A review has at most {MOST_COMMENTS} comments.", details="Submit it, then go on.")
    return [Comment.objects.create(review=mine, created=timezone.now(), **one) for one in values]


def _lock(found: Review) -> None:
    if not Review.objects.filter(pk=found.pk, state=State.PENDING).update(created=F("created")):
        raise Conflict("This review was submitted already.", details="Edit the comment in the conversation.")
