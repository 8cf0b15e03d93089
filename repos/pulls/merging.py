"""Merge a pull request: exactly once, safely while others push, and told apart from a crash by asking git.

claim (a row) → merge in a quarantine → publish, which swaps the base and checks the head in one step → finish (rows).
A hub killed in between leaves a claim. Whether its merge commit is in the base says which side of the swap it died on;
the next push event, beat, or attempt to merge settles it.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from hub.accounts import audit
from hub.accounts.actor import Actor
from hub.accounts.models import User
from hub.jobs import outbox
from hub.lib.errors import Conflict, Denied, HubError, NotFound, Unprocessable
from repos import access, publishing, ways
from repos.git.read import shown, to_bytes
from repos.git.store import RefChange
from repos.git.turns import turn
from repos.issues import closing, states
from repos.issues.conversation import record
from repos.issues.models import Issue
from repos.issues.texts import checked
from repos.place import store_of
from repos.pulls import branches, building, drivers, heads, origins, requirements, rights, signals, verdicts
from repos.pulls.building import CannotMerge, Ends
from repos.pulls.models import PullRequest
from repos.storage import store

__all__ = ["CannotMerge", "Order", "merge"]
logger = logging.getLogger("covey.pulls")
ATTEMPTS = 5
TURN_SECONDS = 10
ABANDONED_AFTER = timedelta(seconds=60)
MAX_MESSAGE_CHARACTERS = 10_000


@dataclass(frozen=True)
class Order:
    """expected: the head that whoever merges has looked at; "" when they do not care. message: "" is the usual one.

    waive: without what the rules of the base ask, which is for administrators whom they do not bind.
    """

    method: str = "merge"
    message: str = ""
    expected: str = ""
    delete_branch: bool = False
    via: str = "web"
    waive: bool = False


def merge(actor: Actor, pull: PullRequest, order: Order) -> str:
    """The commit that the base has now. Raises Conflict (moved, or changed on both sides), Denied, Unprocessable."""
    user = rights.merging(actor, pull.repository)
    ways.require(pull.repository, order.method)
    checked(order.message, "The message")
    settle(pull)  # another attempt may have died
    if order.waive:
        _waive(actor, pull)
    _claim(pull)
    try:
        with _in_turn(pull):
            commit = _attempts(actor, user, pull, order)
            finish(pull, commit, user)
    except HubError:
        _release(pull)
        raise
    heads.delete_if_wanted(actor, pull, via=order.via)
    return commit


def _waive(actor: Actor, pull: PullRequest) -> None:
    """Raises Denied."""
    if not requirements.may_waive(pull, access.access_for(actor, pull.repository)):
        raise Denied("The rules of this branch bind you too.", details="Do what the pull request's page lists.")
    repository = pull.repository
    audit.record(
        "branch_rule.waive",
        actor,
        subject=f"#{pull.number} of {repository.full_name} into {shown(pull.base)}",
        of=repository,
    )


def _claim(pull: PullRequest) -> None:
    """One at a time. Raises Conflict."""
    free = PullRequest.objects.filter(pk=pull.pk, claimed=None, merged=None, issue__state=Issue.State.OPEN)
    pull.claimed = timezone.now()
    if free.filter(draft=False, base=pull.base).update(claimed=pull.claimed, merge_commit=""):
        return
    now = PullRequest.objects.select_related("issue").get(pk=pull.pk)
    if now.claimed:
        raise Conflict("Somebody merges this right now.", details="Look again in a moment.")
    if now.issue.is_open and now.draft:
        raise Conflict("This is a draft.", details="Mark it as ready for review first.")
    if now.issue.is_open:
        raise Conflict("Its base was changed in the meantime.", details="Reload the page, then merge.")
    raise Conflict(f"This pull request is {now.issue.state} already.", details="Reload the page.")


def _release(pull: PullRequest) -> None:
    """Only the claim that this attempt, or the one that died, has made."""
    with transaction.atomic():
        if PullRequest.objects.filter(pk=pull.pk, merged=None, claimed=pull.claimed).update(claimed=None):
            outbox.announce(signals.PULL_CHANGED, {"pull_id": pull.pk})  # its head may have moved meanwhile


def _attempts(actor: Actor, user: User, pull: PullRequest, order: Order) -> str:
    for attempt in range(1, ATTEMPTS + 1):
        tips = branches.now(pull)
        if tips.base is None or tips.head is None:
            gone = pull.head if tips.base else pull.base
            raise NotFound(f"The branch '{shown(gone)}' is gone.", details="Push it again, or close the pull request.")
        if pull.head_repository is not None and branches.head_moved(pull):
            raise Conflict("The branch has new commits, which are on their way.", details="Look again in a moment.")
        if order.expected and order.expected != tips.head:
            raise Conflict("The branch has new commits.", details="Look at them, then merge.")
        try:
            return _once(actor, user, pull, order, tips.base, tips.head)
        except _Moved:
            if attempt == ATTEMPTS:
                raise
    raise AssertionError("unreachable")


@contextmanager
def _in_turn(pull: PullRequest) -> Iterator[None]:
    """Merges into one branch come one after the other, or each would be made anew for every other. Only work is saved:
    the swap decides, and who has waited long enough goes ahead."""
    base = hashlib.sha256(to_bytes(pull.base_ref)).hexdigest()[:16]
    with turn(store_of(pull.repository), f"merge-{base}", most_seconds=TURN_SECONDS):
        yield


class _Moved(Conflict):
    """A branch moved between reading it and swapping it."""


def _once(actor: Actor, user: User, pull: PullRequest, order: Order, base: str, head: str) -> str:
    repository = pull.repository
    start = branches.merge_base(repository, base, head)
    if start is None:
        raise branches.unrelated()
    if start == head:
        raise Unprocessable("There is nothing to merge.", details="The base has every commit of the branch already.")
    requirements.require(pull, base, head, waive=order.waive)
    if order.method != "rebase" and (known := verdicts.trouble(repository, base, head)):
        raise CannotMerge(known)
    if lender := origins.lender(pull):  # what it names is here before anything of ours names it
        drivers.lend(lender, repository, [head], [base], beat=lambda _done, _total: _renew(pull))
    with store().quarantine(repository.pk) as quarantine:
        text, ends = order.message[:MAX_MESSAGE_CHARACTERS], Ends(base, head)
        commit = building.built(pull, user, quarantine, ends, order.method, text, lambda _done, _total: _renew(pull))
        _write_ahead(pull, commit, order, user, ends)
        requirements.require(pull, base, head, waive=order.waive)  # the merge may have taken minutes
        try:
            publishing.publish(
                repository,
                actor,
                [RefChange(pull.base_ref, base, commit)],
                quarantine=quarantine,
                unmoved={pull.merged_ref: head},
                via=order.via,
                reviewed=True,
            )
        except Conflict as error:
            raise _Moved(error.message, details=error.details) from error
    return commit


def _write_ahead(pull: PullRequest, commit: str, order: Order, user: User, ends: Ends) -> None:
    """Before the swap: who finds the claim of a dead hub looks for this commit in the base. Of commits that were
    replayed it is the last, which the base has exactly when it has them all."""
    deletes = order.delete_branch and not heads.stays(pull)
    what = {"merge_commit": commit, "method": order.method, "merged_by": user, "delete_branch": deletes}
    _renew(pull, base_id=ends.base, head_id=ends.head, **what)


def _renew(pull: PullRequest, **values: object) -> None:
    """Keep the claim, which says more now. Raises Conflict when it is lost."""
    mine, pull.claimed = PullRequest.objects.filter(pk=pull.pk, merged=None, claimed=pull.claimed), timezone.now()
    if not mine.update(claimed=pull.claimed, **values):
        raise Conflict("Somebody else settled this merge.", details="Reload the page.")


def finish(pull: PullRequest, commit: str, user: User | None) -> bool:
    """Write down that the base has the merge. user: whoever brought it there, where no attempt of ours did. Safe to
    run twice. False when it was written down already."""
    now = timezone.now()
    with transaction.atomic():
        row = PullRequest.objects.select_for_update(of=("self",)).select_related("merged_by").get(pk=pull.pk)
        ours = row.merge_commit == commit
        user = row.merged_by if ours else user
        said = {} if ours else {"merge_commit": commit, "merged_by": user, "method": "", "delete_branch": False}
        if not PullRequest.objects.filter(pk=pull.pk, merged=None).update(merged=now, claimed=None, **said):
            return False
        issue = pull.issue
        what = {"commit": commit, "base": shown(pull.base)}
        if not states.end(issue, user, Issue.State.MERGED, **what):  # somebody closed it at that moment
            Issue.objects.filter(pk=issue.pk).update(state=Issue.State.MERGED)
            record(issue, Issue.State.MERGED, user, **what)
        if pull.base == pull.repository.default_branch:
            closing.obey(pull.repository, f"{issue.title}\n{issue.body}", user, pull=issue.number)
        outbox.announce(signals.PULL_MERGED, {"pull_id": pull.pk})
    _read_again(pull)
    return True


def settle(pull: PullRequest) -> None:
    """Of a claim whose hub died: merged exactly when its commit is in the base; else free to be merged again. The row
    is read again."""
    if pull.merged is None and pull.merge_commit and branches.contains(pull.repository, pull.base, pull.merge_commit):
        finish(pull, pull.merge_commit, None)
    elif pull.claimed and pull.claimed < timezone.now() - ABANDONED_AFTER:
        _release(pull)
    _read_again(pull)


def _read_again(pull: PullRequest) -> None:
    pull.refresh_from_db(fields=["merged", "merged_by", "merge_commit", "claimed", "base_id", "head_id"])
    pull.issue.refresh_from_db(fields=["state", "closed", "closed_by"])


def abandoned() -> list[PullRequest]:
    """Claims that nobody settled in time, the oldest first."""
    old = timezone.now() - ABANDONED_AFTER
    rows = PullRequest.objects.filter(Q(claimed__lt=old), merged=None)
    return list(rows.select_related("issue__repository__owner").order_by("claimed")[:500])
