"""What the newest statuses say of commits: of a whole page of them in one query."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

from django.db.models import Max

from repos.models import Repository
from repos.statuses.models import Status

State = Status.State
_BAD = {State.ERROR, State.FAILURE}


@dataclass
class Mark:
    """The statuses of one commit, the newest of each context, by context."""

    statuses: list[Status] = field(default_factory=list)

    @property
    def state(self) -> str:
        """Of all together: failure, pending or success. Nothing said is pending, as GitHub has it."""
        states = {status.state for status in self.statuses}
        if states & _BAD:
            return State.FAILURE
        return State.SUCCESS if states == {State.SUCCESS} else State.PENDING

    @property
    def words(self) -> str:
        passed = sum(status.state == State.SUCCESS for status in self.statuses)
        what = {State.SUCCESS: "passed", State.PENDING: "still running", State.FAILURE: "failed"}[State(self.state)]
        counted = len(self.statuses)
        return f"Statuses: {what}, {passed} of {counted} succeeded"

    def of(self, context: str) -> Status | None:
        return next((status for status in self.statuses if status.context == context), None)


def marks_of(repository: Repository, shas: Collection[str]) -> dict[str, Mark]:
    """By commit; a commit of which nothing was said is not in it."""
    newest = Status.objects.filter(repository=repository, sha__in=set(shas)).order_by()
    ids = newest.values("sha", "context").annotate(newest=Max("pk")).values("newest")
    found: dict[str, Mark] = {}
    for status in Status.objects.filter(pk__in=ids).select_related("creator").order_by("context"):
        found.setdefault(status.sha, Mark()).statuses.append(status)
    return found


def mark_of(repository: Repository, sha: str) -> Mark:
    return marks_of(repository, [sha]).get(sha, Mark())
