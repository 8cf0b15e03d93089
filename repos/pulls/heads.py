"""The branch of a pull request that is over: delete it, have it back."""

from __future__ import annotations

from django.db import transaction

from hub.accounts.actor import Actor, Area
from hub.lib.errors import Conflict, Denied, NotFound, Unprocessable
from repos import access, publishing, rules
from repos.git.read import shown
from repos.git.store import ZERO, RefChange
from repos.issues.conversation import record
from repos.models import Access
from repos.pulls import branches
from repos.pulls.models import PullRequest


def delete_branch(actor: Actor, pull: PullRequest, *, via: str = "web") -> None:
    """Where nobody pushed since. Raises Denied, Conflict, NotFound (it is gone already) or Unprocessable."""
    _over(pull)
    access.check(actor, pull.source, need=Access.WRITE, area=Area.REPO)
    _delete(actor, pull, via)
    with transaction.atomic():
        record(pull.issue, "head_deleted", actor.user, branch=shown(pull.head))


def delete_if_wanted(actor: Actor, pull: PullRequest, *, via: str = "web") -> None:
    """What whoever merged has asked for. Safe to run twice and at the same moment; that it cannot be is said in the
    conversation, since the merge itself went well."""
    wanted = PullRequest.objects.filter(pk=pull.pk, delete_branch=True).exclude(merged=None)
    if not wanted.exists():
        return
    why = ""
    try:
        _delete(actor, pull, via)
    except (Conflict, Denied, NotFound, Unprocessable) as error:
        if branches.head_tip(pull) is not None:
            why = error.message
    with transaction.atomic():
        if wanted.update(delete_branch=False):
            kind = "head_kept" if why else "head_deleted"
            record(pull.issue, kind, actor.user, branch=shown(pull.head), **({"why": why} if why else {}))


def restore_branch(actor: Actor, pull: PullRequest, *, via: str = "web") -> None:
    """As it was when this was merged or closed: refs/pull keeps its commits. Raises Denied, Conflict, Unprocessable."""
    _over(pull)
    access.check(actor, pull.source, need=Access.WRITE, area=Area.REPO)  # before it is told what branches there are
    name = shown(pull.head)
    if branches.head_tip(pull) is not None:
        raise Conflict(f"There is a branch '{name}' already.", details="Delete or rename that one first.")
    publishing.publish(pull.source, actor, [RefChange(pull.head_ref, ZERO, pull.head_id)], via=via)
    with transaction.atomic():
        record(pull.issue, "head_restored", actor.user, branch=name)


def stays(pull: PullRequest) -> bool:
    """The default branch, and one that a rule is for: what is merged from there goes on."""
    return pull.head == pull.source.default_branch or rules.asked_of(pull.source, pull.head) is not None


def _over(pull: PullRequest) -> None:
    if pull.issue.is_open:
        raise Unprocessable("Merge or close the pull request first.")


def _delete(actor: Actor, pull: PullRequest, via: str) -> None:
    if pull.head == pull.source.default_branch:
        raise Denied("The default branch stays.")
    publishing.publish(pull.source, actor, [RefChange(pull.head_ref, pull.head_id, ZERO)], via=via)
