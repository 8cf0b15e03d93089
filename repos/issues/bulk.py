"""The same done to many issues or pull requests: each wholly or not at all, and told which were refused and why."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field

from django.db import transaction

from hub.accounts.actor import Actor
from hub.accounts.models import User
from hub.lib.errors import Conflict, Denied, HubError, Invalid, NotFound, Unprocessable
from repos.issues import states, triage
from repos.issues.models import Issue, Label, Milestone
from repos.models import Repository

MOST = 100
_REFUSED = (Denied, NotFound, Conflict, Unprocessable)
Act = Callable[[Issue], None]


@dataclass
class Report:
    """done: the numbers of those that are now as wanted. refused: number → why."""

    done: list[int] = field(default_factory=list)
    refused: dict[int, HubError] = field(default_factory=dict)


def each(repository: Repository, numbers: Collection[int], act: Act) -> Report:
    """act asks for the rights of each. repository: as the gate gave it. Raises Invalid for none and for too many."""
    wanted = list(dict.fromkeys(numbers))
    if not wanted:
        raise Invalid("None is ticked.", details="Tick some rows of the list first.")
    if len(wanted) > MOST:
        raise Invalid(f"At most {MOST} are changed at once.", details="Tick fewer.")
    report = Report()
    found = Issue.objects.filter(repository=repository, number__in=wanted).select_related("author", "milestone")
    rows = {issue.number: issue for issue in found}
    for number in wanted:
        try:
            with transaction.atomic():
                act(_one(repository, rows, number))
            report.done.append(number)
        except _REFUSED as error:
            report.refused[number] = error
    return report


def closing(actor: Actor) -> Act:
    return lambda issue: states.close(actor, issue)


def reopening(actor: Actor) -> Act:
    """Of issues; what a pull request needs its own package knows."""

    def reopen(issue: Issue) -> None:
        if issue.is_pull:
            raise Unprocessable("It is a pull request.", details="Reopen it in the list of pull requests.")
        states.reopen(actor, issue)

    return reopen


def labelling(actor: Actor, labels: Sequence[Label], *, on: bool = True) -> Act:
    """The other labels stay."""
    keys = {label.pk for label in labels}

    def label(issue: Issue) -> None:
        others = [one for one in issue.labels.all() if one.pk not in keys]
        triage.set_labels(actor, issue, [*others, *labels] if on else others)

    return label


def putting_into(actor: Actor, milestone: Milestone | None) -> Act:
    return lambda issue: triage.set_milestone(actor, issue, milestone)


def assigning(actor: Actor, people: Sequence[User], *, on: bool = True) -> Act:
    """Who else is assigned stays."""
    keys = {person.pk for person in people}

    def assign(issue: Issue) -> None:
        others = [one for one in issue.assignees.all() if one.pk not in keys]
        triage.set_assignees(actor, issue, [*others, *people] if on else others)

    return assign


def _one(repository: Repository, rows: dict[int, Issue], number: int) -> Issue:
    if number not in rows:
        raise NotFound("It does not exist.")
    rows[number].repository = repository
    return rows[number]
