"""What rules ask of a pull request besides reviews: statuses, and that it holds every commit of its base."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from repos.git.read import shown, typed
from repos.issues import triage
from repos.protection import owners
from repos.pulls import branches, requirements
from repos.pulls.models import PullRequest
from repos.pulls.requirements import Unmet
from repos.reviews import standing
from repos.statuses import marks
from repos.statuses.models import Status

State = Status.State
MOST_TOLD = 20  # sets of owners
NOBODY_CAN = f"Nobody of that name may approve here: give them write access, or change {owners.FILE} in the base."


@requirements.register
def statuses_succeeded(pull: PullRequest, base: str, head: str) -> Iterator[Unmet]:
    asked = pull.asked
    if asked is None or not asked.statuses:
        return
    rows = marks.statuses_of(pull.repository, head).filter(context__in=asked.statuses)
    found = {status.context: status for status in rows}
    for context in asked.statuses:
        status = found.get(context)
        if status is None:
            step = f"It is reported for the commit {head[:7]}, by whatever sends the status “{context}”."
            yield Unmet(f"Status {context}", "has not been reported yet.", step, by_rule=True, pending=True)
        elif status.state == State.PENDING:
            yield Unmet(f"Status {context}", "is still running.", status.description, by_rule=True, pending=True)
        elif status.state != State.SUCCESS:
            said = f"is “{status.get_state_display().lower()}”."
            yield Unmet(f"Status {context}", said, "Push a commit that mends it, or run it again.", by_rule=True)


@requirements.register
def up_to_date(pull: PullRequest, base: str, head: str) -> Iterator[Unmet]:
    asked = pull.asked
    if asked is None or not asked.up_to_date or branches.merge_base(pull.repository, base, head) == base:
        return
    step = f"Run: git fetch origin && git merge origin/{typed(pull.base)} && git push"
    yield Unmet("Up to date", f"{shown(pull.base)} has commits that this branch lacks.", step, by_rule=True)


@requirements.register
def owners_approve(pull: PullRequest, base: str, head: str) -> Iterator[Unmet]:
    """One of the owners of each touched path; what is their own pull request's they need not approve. As with approvals
    they count while they may write here: a name that the file gives may be nobody's yet, and anybody's tomorrow."""
    if pull.asked is None or not pull.asked.owners:
        return
    found = owners.touched(pull.repository, base, head)
    if not found:
        return
    words = standing.approvals(pull, head if pull.asked.approvals_of_head else "")
    agreed = {word.author.username.lower() for word in words}
    if pull.issue.author:
        agreed |= _who_can(pull, {pull.issue.author.username.lower()})
    lacking = [(names, path) for names, path in found.items() if not agreed & set(names)][:MOST_TOLD]
    can = _who_can(pull, {name for names, _ in lacking for name in names}) if lacking else set()
    for names, path in lacking:
        why = f"{path} is owned by {' or '.join(f'@{name}' for name in names)}."
        able = [f"@{name}" for name in names if name in can]
        step = f"Ask {' or '.join(able)} to approve." if able else NOBODY_CAN
        yield Unmet("Owners", why, step, by_rule=True)


def _who_can(pull: PullRequest, names: Collection[str]) -> set[str]:
    """Whose approval counts here, of names in lower case."""
    people = triage.assignable(pull.repository).filter(owner__name_key__in=names)
    return set(people.order_by().values_list("owner__name_key", flat=True))
