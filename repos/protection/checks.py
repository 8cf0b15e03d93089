"""What rules ask of a pull request besides reviews: statuses, and that it holds every commit of its base."""

from __future__ import annotations

from collections.abc import Iterator

from repos.git.read import shown
from repos.pulls import branches, requirements
from repos.pulls.models import PullRequest
from repos.pulls.requirements import Unmet
from repos.statuses import marks
from repos.statuses.models import Status

State = Status.State


@requirements.register
def statuses_succeeded(pull: PullRequest, base: str, head: str) -> Iterator[Unmet]:
    asked = pull.asked
    if asked is None or not asked.statuses:
        return
    mark = marks.mark_of(pull.repository, head)
    for context in asked.statuses:
        status = mark.of(context)
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
    step = f"Run: git fetch origin && git merge origin/{shown(pull.base)} && git push"
    yield Unmet("Up to date", f"{shown(pull.base)} has commits that this branch lacks.", step, by_rule=True)
