"""What must be so before a pull request is merged, besides that git can merge it.

Each app registers its own check; merging asks all of them before every attempt to swap and the merge box lists what
they say. They are asked often: a check costs few queries, and what is dear to compute it keeps by the two commits.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from hub.lib.errors import Conflict
from repos import rules
from repos.models import Access
from repos.pulls.models import PullRequest


@dataclass(frozen=True)
class Unmet:
    """name: of the requirement, e.g. "Approvals". why: one sentence. step: the one next step for a person.

    by_rule: a rule of the base asks for it, so those whom the rules do not bind may merge without it.
    pending: it may be met by itself in a moment, as a status that is not there yet.
    """

    name: str
    why: str
    step: str = ""
    by_rule: bool = False
    pending: bool = False


Check = Callable[[PullRequest, str, str], Iterable[Unmet]]
"""(pull, tip of the base, tip of the head: full ids) → what is not met. pull.asked: what the rules of the base ask."""

_checks: list[Check] = []


def register(check: Check) -> Check:
    """Ask this check from now on. May be used as a decorator, in a module that AppConfig.ready() imports."""
    _checks.append(check)
    return check


def unmet(pull: PullRequest, base: str, head: str) -> list[Unmet]:
    pull.asked = rules.asked_of(pull.repository, pull.base)  # once for all checks
    return [found for check in _checks for found in check(pull, base, head)]


class RequirementsUnmet(Conflict):
    """git could merge it, the people of the repository want something first."""

    def __init__(self, found: list[Unmet]) -> None:
        reasons = " ".join(f"{one.name}: {one.why}" for one in found[:5])
        step = next((one.step for one in found if one.step), "Look at the pull request's page.")
        super().__init__(f"This cannot be merged yet. {reasons}", details=step)
        self.unmet = found


def require(pull: PullRequest, base: str, head: str, *, waive: bool = False) -> None:
    """waive: without what only rules ask for; whoever says so was asked whether they may. Raises RequirementsUnmet."""
    if found := [one for one in unmet(pull, base, head) if not (waive and one.by_rule)]:
        raise RequirementsUnmet(found)


def may_waive(pull: PullRequest, granted: Access) -> bool:
    """Whether the rules of the base let go of whoever has this access."""
    asked = rules.asked_of(pull.repository, pull.base)
    return asked is not None and not asked.binds(granted)
