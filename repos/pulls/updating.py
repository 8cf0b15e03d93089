"""Bring a pull request's branch up to date, also a fork's: merge the base into it, as people do before they merge the
other way."""

from __future__ import annotations

from hub.accounts.actor import Actor, Area
from hub.accounts.models import User
from hub.lib.errors import Conflict, HubError, NotFound, Unprocessable
from repos import access, publishing, repositories
from repos.git.read import shown
from repos.git.store import RefChange
from repos.pulls import branches, building, drivers, origins, rights
from repos.pulls.models import PullRequest
from repos.storage import store

ATTEMPTS = 5


def update_branch(actor: Actor, pull: PullRequest, *, expected: str = "", via: str = "web") -> str:
    """The head's new tip. expected: the head that was looked at, "" when that does not matter.

    Raises Denied, Conflict (both sides changed the same; it moves all the time), Unprocessable (it has all of the base
    already, it is not the expected head, the request is over), NotFound (a branch is gone).
    """
    user = _updater(actor, pull)
    if not pull.issue.is_open:
        raise Unprocessable(f"This pull request is {pull.issue.state} already.")
    for attempt in range(1, ATTEMPTS + 1):
        base, head = branches.tip(pull.repository, pull.base), branches.head_tip(pull)
        if base is None or head is None:
            raise NotFound(f"The branch '{shown(pull.head if base else pull.base)}' is gone.")
        if expected and expected != head:
            raise Unprocessable("The branch has another head than expected.", details="Look at it, then try again.")
        try:
            return _once(actor, user, pull, base, head, via)
        except _Moved:
            if attempt == ATTEMPTS:
                raise
    raise AssertionError("unreachable")


def may_update(actor: Actor, pull: PullRequest) -> bool:
    try:
        _updater(actor, pull)
    except HubError:
        return False
    return True


def _updater(actor: Actor, pull: PullRequest) -> User:
    """Whoever may merge; of a fork whoever writes it, with a token that reads data, which comes along."""
    if pull.head_repository is None:
        return rights.merging(actor, pull.repository)
    access.require_scope(actor, Area.DATA, write=False)
    return rights.writing_head(actor, pull)


class _Moved(Conflict):
    """A branch moved between reading it and swapping it."""


def _once(actor: Actor, user: User, pull: PullRequest, base: str, head: str, via: str) -> str:
    target = pull.source
    if pull.head_repository is not None:
        _bring(pull, base, head)
    if branches.merge_base(target, base, head) == base:
        raise Unprocessable(f"'{shown(pull.head)}' has every commit of '{shown(pull.base)}' already.")
    with store().quarantine(target.pk) as quarantine:
        message = f"Merge branch '{shown(pull.base)}' into {shown(pull.head)}"
        commit = building.joined(target, user, quarantine, head, base, message)
        change = RefChange(pull.head_ref, head, commit)
        # Of a fork the base lies in another store: that it moves meanwhile is no harm, it is only newer then.
        unmoved = {} if pull.head_repository is not None else {pull.base_ref: base}
        try:
            publishing.publish(target, actor, [change], quarantine=quarantine, unmoved=unmoved, via=via)
        except Conflict as error:
            raise _Moved(error.message, details=error.details) from error
    return commit


def _bring(pull: PullRequest, base: str, head: str) -> None:
    """The fork gets what it merges, and the data that this names. Safe to run twice."""
    if pull.repository.private:
        repositories.keep_private(pull.source)
    origins.bring(pull.source, pull.repository, base)
    drivers.lend(pull.repository, pull.source, [base], [head], beat=drivers.unwatched)
