"""What the newest statuses say of commits: of a whole page of them in one query, which reads no more than counts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from django.db.models import Case, Count, IntegerField, Max, QuerySet, Value, When

from repos.models import Repository
from repos.statuses.models import Status

State = Status.State
_BAD = {State.ERROR, State.FAILURE}
_FIRST = [State.FAILURE, State.ERROR, State.PENDING]  # what people look for


@dataclass(frozen=True)
class Mark:
    """counts: state → how many contexts of one commit are in it, by the newest status of each."""

    counts: Mapping[str, int] = field(default_factory=dict)

    @property
    def total(self) -> int:
        return sum(self.counts.values())

    @property
    def state(self) -> str:
        """Of all together: failure, pending or success. Nothing said is pending, as GitHub has it."""
        states = set(self.counts)
        if states & _BAD:
            return State.FAILURE
        return State.SUCCESS if states == {State.SUCCESS} else State.PENDING

    @property
    def runs(self) -> bool:
        """Whether one of them is still to come."""
        return bool(self.counts.get(State.PENDING))

    @property
    def words(self) -> str:
        what = {State.SUCCESS: "passed", State.PENDING: "still running", State.FAILURE: "failed"}[State(self.state)]
        return f"Statuses: {what}, {self.counts.get(State.SUCCESS, 0)} of {self.total} succeeded"


def marks_of(repository: Repository, shas: Collection[str]) -> dict[str, Mark]:
    """By commit; a commit of which nothing was said is not in it."""
    rows = Status.objects.filter(pk__in=_newest(repository, shas)).order_by().values_list("sha", "state")
    found: dict[str, dict[str, int]] = defaultdict(dict)
    for sha, state, count in rows.annotate(count=Count("pk")):
        found[sha][state] = count
    return {sha: Mark(counts) for sha, counts in found.items()}


def mark_of(repository: Repository, sha: str) -> Mark:
    return marks_of(repository, [sha]).get(sha, Mark())


def statuses_of(repository: Repository, sha: str) -> QuerySet[Status]:
    """The newest of each context, by context, with their creators: what failed first, then what still runs."""
    order = Case(
        *(When(state=state, then=Value(place)) for place, state in enumerate(_FIRST)),
        default=Value(len(_FIRST)),
        output_field=IntegerField(),
    )
    rows = Status.objects.filter(pk__in=_newest(repository, [sha])).select_related("creator")
    return rows.order_by(order, "context")


def _newest(repository: Repository, shas: Collection[str]) -> QuerySet[Status, int]:
    """The ids of the newest of each commit and context."""
    rows = Status.objects.filter(repository=repository, sha__in=set(shas)).order_by()
    return rows.values("sha", "context").annotate(newest=Max("pk")).values_list("newest", flat=True)
