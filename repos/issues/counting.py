"""The counts of open issues and pull requests that the tabs show; written with each change, made again when asked."""

from __future__ import annotations

from django.db.models import F

from repos.issues.models import Issue
from repos.models import Repository


def add(issue: Issue, change: int) -> None:
    """One more or one less is open; inside the transaction that makes it so."""
    field = "pulls_count" if issue.is_pull else "issues_count"
    # A count that is wrong stops nobody from closing anything.
    counted = Repository.objects.filter(pk=issue.repository_id, **{f"{field}__gte": -change if change < 0 else 0})
    counted.update(**{field: F(field) + change})


def recount(repository_id: int) -> dict[str, int]:
    """What the counts ought to be."""
    open_ones = Issue.objects.filter(repository_id=repository_id, state=Issue.State.OPEN)
    pulls = open_ones.filter(is_pull=True).count()
    return {"issues_count": open_ones.filter(is_pull=False).count(), "pulls_count": pulls}
