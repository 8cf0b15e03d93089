"""Bring a pull request's branch up to date: merge the base into it, as people do before they merge the other way."""

from __future__ import annotations

from hub.accounts.actor import Actor
from hub.accounts.models import User
from hub.lib.errors import Conflict, NotFound, Unprocessable
from repos import publishing
from repos.git.read import shown
from repos.git.store import RefChange
from repos.pulls import branches, building, rights
from repos.pulls.models import PullRequest
from repos.storage import store

ATTEMPTS = 5


def update_branch(actor: Actor, pull: PullRequest, *, expected: str = "", via: str = "web") -> str:
    """The head's new tip. expected: the head that was looked at, "" when that does not matter.

    Raises Denied, Conflict (both sides changed the same; it moves all the time), Unprocessable (it has all of the base
    already, it is not the expected head, the request is over), NotFound (a branch is gone).
    """
    user = rights.merging(actor, pull.repository)
    if not pull.issue.is_open:
        raise Unprocessable(f"This pull request is {pull.issue.state} already.")
    if pull.head_repository is not None:
        raise Unprocessable("The branch is a fork's.", details="Sync the fork, then merge its base into the branch.")
    for attempt in range(1, ATTEMPTS + 1):
        tips = branches.now(pull)
        if tips.base is None or tips.head is None:
            raise NotFound(f"The branch '{shown(pull.head if tips.base else pull.base)}' is gone.")
        if expected and expected != tips.head:
            raise Unprocessable("The branch has another head than expected.", details="Look at it, then try again.")
        try:
            return _once(actor, user, pull, tips.base, tips.head, via)
        except _Moved:
            if attempt == ATTEMPTS:
                raise
    raise AssertionError("unreachable")


class _Moved(Conflict):
    """A branch moved between reading it and swapping it."""


def _once(actor: Actor, user: User, pull: PullRequest, base: str, head: str, via: str) -> str:
    repository = pull.repository
    if branches.merge_base(repository, base, head) == base:
        raise Unprocessable(f"'{shown(pull.head)}' has every commit of '{shown(pull.base)}' already.")
    with store().quarantine(repository.pk) as quarantine:
        message = f"Merge branch '{shown(pull.base)}' into {shown(pull.head)}"
        commit = building.joined(repository, user, quarantine, head, base, message)
        change, unmoved = RefChange(pull.head_ref, head, commit), {pull.base_ref: base}
        try:
            publishing.publish(repository, actor, [change], quarantine=quarantine, unmoved=unmoved, via=via)
        except Conflict as error:
            raise _Moved(error.message, details=error.details) from error
    return commit
