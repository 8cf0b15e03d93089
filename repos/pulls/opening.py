"""Open a pull request from one branch of a repository into another, and open it again."""

from __future__ import annotations

from django.db import transaction

from hub.accounts.actor import Actor
from hub.jobs import outbox
from hub.lib.errors import Conflict, NotFound, Unprocessable
from repos.git.read import shown
from repos.issues import opening, states
from repos.issues.conversation import record
from repos.issues.models import Counter, Issue
from repos.issues.rights import require, taking_part
from repos.issues.texts import checked
from repos.models import Repository
from repos.pulls import branches, merging, signals
from repos.pulls.models import PullRequest

MOST_NAME_CHARACTERS = 250


def open_pull(
    actor: Actor, repository: Repository, *, title: str, body: str = "", base: str, head: str, draft: bool = False
) -> PullRequest:
    """Raises NotFound (no such branch), Unprocessable (nothing to merge), Conflict (it is open already)."""
    taking_part(actor, repository)
    base_id, head_id = _comparable(repository, base, head)
    with transaction.atomic():
        issue = opening.open_issue(actor, repository, title=title, body=body, is_pull=True)
        _check_only(repository, base, head, issue)  # behind the lock of the numbers
        pull = PullRequest.objects.create(
            issue=issue, base=base, head=head, base_id=base_id, head_id=head_id, draft=draft
        )
        outbox.announce(signals.PULL_CHANGED, {"pull_id": pull.pk})
    branches.pin(pull, head_id)
    return pull


def reopen(actor: Actor, pull: PullRequest) -> None:
    """With the branches as they are now. Raises what open_pull raises."""
    base_id, head_id = _comparable(pull.repository, pull.base, pull.head)
    with transaction.atomic():
        alone(pull.repository)
        _check_only(pull.repository, pull.base, pull.head, pull.issue)
        PullRequest.objects.filter(pk=pull.pk).update(base_id=base_id, head_id=head_id)
        states.reopen(actor, pull.issue)
    branches.pin(pull, head_id)


def change_base(actor: Actor, pull: PullRequest, base: str) -> None:
    """Ask to be merged into another branch. Raises what open_pull raises, and Conflict while it is being merged."""
    rights, user = taking_part(actor, pull.repository)
    require(rights.change(pull.issue), "change the base of this")
    if not pull.issue.is_open:
        raise Unprocessable(f"This pull request is {pull.issue.state} already.", details="Reload the page.")
    if base == pull.base:
        return
    base_id, _ = _comparable(pull.repository, base, pull.head)
    with transaction.atomic():
        alone(pull.repository)
        _check_only(pull.repository, base, pull.head, pull.issue)
        free = PullRequest.objects.filter(pk=pull.pk, base=pull.base, claimed=None, issue__state=Issue.State.OPEN)
        if not free.update(base=base, base_id=base_id, merge_commit=""):
            raise Conflict("Somebody merges or changes this right now.", details="Look again in a moment.")
        record(pull.issue, "retargeted", user, **{"from": shown(pull.base), "to": shown(base)})
        outbox.announce(signals.PULL_CHANGED, {"pull_id": pull.pk})
    pull.base, pull.base_id = base, base_id


def pull_of(repository: Repository, number: int) -> PullRequest:
    """As it is: what a hub that died in a merge has left is settled by whoever looks. Raises NotFound."""
    issue = opening.issue_of(repository, number, is_pull=True)
    pull = PullRequest.objects.select_related("merged_by").get(pk=issue.pk)
    pull.issue = issue
    if pull.claimed:
        merging.settle(pull)
    return pull


def _comparable(repository: Repository, base: str, head: str) -> tuple[str, str]:
    """The tips of two branches of which head has what base has not."""
    for name in (base, head):
        checked(name, "The branch's name")
        if not name or len(name) > MOST_NAME_CHARACTERS:
            raise NotFound("There is no such branch here.", details="Name a branch to merge, and one to merge into.")
    found = branches.tips(repository, base, head)
    for name, tip in ((base, found.base), (head, found.head)):
        if tip is None:
            raise NotFound(f"There is no branch '{shown(name)[:100]}' here.", details="Push it first.")
    assert found.base is not None
    assert found.head is not None
    start = branches.merge_base(repository, found.base, found.head)
    if start is None:
        raise Unprocessable(
            "These branches have no common commit.", details="Rebase one on the other, then open the pull request."
        )
    if start == found.head:
        raise Unprocessable(
            f"'{shown(base)}' has every commit of '{shown(head)}' already.", details="Push a commit to it first."
        )
    return found.base, found.head


def alone(repository: Repository) -> None:
    """Inside the caller's transaction: until it ends nobody else opens, reopens or changes the base of one here."""
    Counter.objects.select_for_update().filter(repository=repository).first()


def _check_only(repository: Repository, base: str, head: str, issue: Issue) -> None:
    same = PullRequest.objects.filter(
        issue__repository=repository, issue__state=Issue.State.OPEN, base=base, head=head
    ).exclude(pk=issue.pk)
    if (number := same.values_list("issue__number", flat=True).first()) is not None:
        raise Conflict(f"#{number} asks for that already.", details=f"Push to '{shown(head)}': it follows.")
