"""What the merge box shows of requirements: what is unmet, the statuses, a merge that waits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from repos.protection import waiting
from repos.protection.models import AutoMerge
from repos.pulls import branches, requirements
from repos.pulls.models import PullRequest
from repos.pulls.requirements import Unmet
from repos.statuses import marks
from repos.statuses.marks import Mark
from repos.statuses.models import Status

MOST_STATUSES = 20  # the commit's page has all of them


@dataclass(frozen=True)
class Checks:
    """statuses: some of those that mark counts. seen: names what the merge box was drawn for; when it is another, the
    whole box is drawn again."""

    unmet: Sequence[Unmet]
    mark: Mark
    statuses: Sequence[Status]
    head: str
    waiting: AutoMerge | None
    seen: str

    @property
    def live(self) -> bool:
        """Whether to look again by itself."""
        return bool(self.unmet) or self.mark.runs or self.waiting is not None


def checks_of(pull: PullRequest, head: str, unmet: Sequence[Unmet]) -> Checks:
    """Of an open pull request whose head is there."""
    waits = waiting.waiting_for(pull)
    seen = f"{head}.{len(unmet)}.{waits.user_id if waits else 0}.{int(pull.draft)}"
    mark = marks.mark_of(pull.repository, head)
    statuses = list(marks.statuses_of(pull.repository, head)[:MOST_STATUSES]) if mark.total else []
    return Checks(unmet, mark, statuses, head, waits, seen)


def checks_now(pull: PullRequest) -> Checks | None:
    """None: the merge box says something else now."""
    tips = branches.tips_of(pull)
    if not pull.issue.is_open or pull.claimed or tips.base is None or tips.head is None:
        return None
    return checks_of(pull, tips.head, requirements.unmet(pull, tips.base, tips.head))
