"""Open a pull request from one branch of a repository into another, and open it again."""

from __future__ import annotations

from django.db import transaction
from django.db.models import F

from hub.accounts import audit
from hub.accounts.actor import Actor
from hub.jobs import outbox
from hub.lib.errors import Conflict, Denied, NotFound, Unprocessable
from repos import access
from repos.git.read import shown
from repos.issues import opening, states
from repos.issues.conversation import record
from repos.issues.models import Counter, Issue
from repos.issues.rights import require, taking_part
from repos.issues.texts import checked, checked_body, checked_title
from repos.models import Access, Repository
from repos.pulls import branches, merging, origins, signals
from repos.pulls.models import PullRequest
from repos.pulls.origins import Head

MOST_NAME_CHARACTERS = 250


def open_pull(
    actor: Actor,
    repository: Repository,
    *,
    title: str,
    body: str = "",
    base: str,
    head: str,
    draft: bool = False,
    agreed: bool = False,
) -> PullRequest:
    """head: a branch here, or "owner:branch" of a fork. agreed: that the commits of a private fork become public.

    Raises NotFound (no such branch), Unprocessable (nothing to merge), Conflict (it is open already).
    """
    taking_part(actor, repository)
    named = origins.named(actor, repository, head)
    origins.require_gift(actor, repository, named.repository, agreed=agreed)
    base_id, head_id = _comparable(repository, base, named)
    fork = named.repository if named.repository != repository else None
    brought = 0
    if fork is not None:
        _check_only(repository, base, named.branch, fork)
        checked_title(title)  # nothing comes for a request that cannot be opened
        checked_body(body)
        # Before the row: whoever sees it finds its commits.
        brought = origins.bring(repository, fork, head_id, giver=actor.user)
    with transaction.atomic():
        issue = opening.open_issue(actor, repository, title=title, body=body, is_pull=True)
        _check_only(repository, base, named.branch, fork, issue)  # behind the lock of the numbers
        pull = PullRequest.objects.create(
            issue=issue,
            base=base,
            head=named.branch,
            head_repository=fork,
            agreed=agreed,
            brought=brought,
            base_id=base_id,
            head_id=head_id,
            draft=draft,
        )
        if fork is not None and origins.warning(repository, fork):
            audit.record(
                "fork.publish",
                actor,
                subject=f"{shown(named.branch)} of {fork.full_name} as #{issue.number} of {repository.full_name}",
                of=fork,
            )
        outbox.announce(signals.PULL_CHANGED, {"pull_id": pull.pk})
    branches.pin(pull, head_id)
    return pull


def reopen(actor: Actor, pull: PullRequest) -> None:
    """With the branches as they are now. Raises what open_pull raises, and Denied; Unprocessable once it is merged."""
    rights, _ = taking_part(actor, pull.repository)
    require(rights.change(pull.issue), "reopen this")
    states.check_unmerged(pull.issue)
    base_id, head_id = _comparable(pull.repository, pull.base, _head_of(pull))
    _require_gift(actor, pull, head_id)
    brought = 0
    if pull.head_repository is not None:
        brought = origins.bring(pull.repository, pull.head_repository, head_id, giver=pull.issue.author)
    with transaction.atomic():
        alone(pull.repository)
        _check_only(pull.repository, pull.base, pull.head, pull.head_repository, pull.issue)
        PullRequest.objects.filter(pk=pull.pk).update(base_id=base_id, head_id=head_id, brought=F("brought") + brought)
        states.reopen(actor, pull.issue)
        outbox.announce(signals.PULL_CHANGED, {"pull_id": pull.pk})
    branches.pin(pull, head_id)


def _head_of(pull: PullRequest) -> Head:
    """Raises Unprocessable when it is a fork's that gives nothing more."""
    if not origins.gives(pull):
        raise Unprocessable("The fork that this came from is gone, or gives no more.", details="Open another one.")
    return Head(pull.source, pull.head)


def _require_gift(actor: Actor, pull: PullRequest, head_id: str) -> None:
    """What was pushed to a private fork while the request was closed is given by those who may push there. Raises
    Denied."""
    fork = pull.head_repository
    if fork is None or not fork.private or head_id == pull.head_id:
        return
    if access.access_for(actor, fork) < Access.WRITE:
        raise Denied(
            "The fork that this came from is private, and its branch has moved since.",
            details="Ask whoever may push to it to reopen this.",
        )


def change_base(actor: Actor, pull: PullRequest, base: str) -> None:
    """Ask to be merged into another branch. Raises what open_pull raises, and Conflict while it is being merged."""
    rights, user = taking_part(actor, pull.repository)
    require(rights.change(pull.issue), "change the base of this")
    if not pull.issue.is_open:
        raise Unprocessable(f"This pull request is {pull.issue.state} already.", details="Reload the page.")
    if base == pull.base:
        return
    base_id, _ = _comparable(pull.repository, base, _head_of(pull))
    with transaction.atomic():
        alone(pull.repository)
        _check_only(pull.repository, base, pull.head, pull.head_repository, pull.issue)
        free = PullRequest.objects.filter(pk=pull.pk, base=pull.base, claimed=None, issue__state=Issue.State.OPEN)
        if not free.update(base=base, base_id=base_id, merge_commit=""):
            raise Conflict("Somebody merges or changes this right now.", details="Look again in a moment.")
        record(pull.issue, "retargeted", user, **{"from": shown(pull.base), "to": shown(base)})
        outbox.announce(signals.PULL_CHANGED, {"pull_id": pull.pk})
    pull.base, pull.base_id = base, base_id


def pull_of(repository: Repository, number: int) -> PullRequest:
    """As it is: what a hub that died in a merge has left is settled by whoever looks. Raises NotFound."""
    issue = opening.issue_of(repository, number, is_pull=True)
    pull = PullRequest.objects.select_related("merged_by", "head_repository__owner").get(pk=issue.pk)
    pull.issue = issue
    if pull.claimed:
        merging.settle(pull)
    return pull


def _comparable(repository: Repository, base: str, head: Head) -> tuple[str, str]:
    """The tips of two branches of which head has what base has not."""
    for name in (base, head.branch):
        checked(name, "The branch's name")
        if not name or len(name) > MOST_NAME_CHARACTERS:
            raise NotFound("There is no such branch here.", details="Name a branch to merge, and one to merge into.")
    base_id, head_id = _tip(repository, base), _tip(head.repository, head.branch)
    start = origins.merge_base(repository, base_id, head.repository, head_id)
    if start is None:
        raise branches.unrelated()
    if start == head_id:
        raise Unprocessable(
            f"'{shown(base)}' has every commit of '{shown(head.branch)}' already.", details="Push a commit to it first."
        )
    return base_id, head_id


def _tip(repository: Repository, branch: str) -> str:
    tip = branches.tip(repository, branch)
    if tip is None:
        raise NotFound(f"There is no branch '{shown(branch)[:100]}' here.", details="Push it first.")
    return tip


def alone(repository: Repository) -> None:
    """Inside the caller's transaction: until it ends nobody else opens, reopens or changes the base of one here."""
    Counter.objects.select_for_update().filter(repository=repository).first()


def _check_only(
    repository: Repository, base: str, head: str, fork: Repository | None, issue: Issue | None = None
) -> None:
    same = PullRequest.objects.filter(
        issue__repository=repository, issue__state=Issue.State.OPEN, base=base, head=head, head_repository=fork
    ).exclude(issue=issue)
    if (number := same.values_list("issue__number", flat=True).first()) is not None:
        raise Conflict(f"#{number} asks for that already.", details=f"Push to '{shown(head)}': it follows.")
