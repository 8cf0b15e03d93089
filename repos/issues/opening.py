"""Open an issue: a number that nobody else gets, and everything about it in one transaction."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from hub.accounts.actor import Actor
from hub.accounts.models import User
from hub.lib.errors import NotFound
from repos.issues import counting, triage
from repos.issues.models import Counter, Entry, Issue, Label, Milestone
from repos.issues.rights import require, taking_part
from repos.issues.texts import checked_body, checked_title, tasks_of
from repos.models import Repository


def open_issue(
    actor: Actor,
    repository: Repository,
    *,
    title: str,
    body: str = "",
    labels: Collection[Label] = (),
    assignees: Iterable[User] = (),
    milestone: Milestone | None = None,
    by_template: Collection[Label] = (),
    is_pull: bool = False,
) -> Issue:
    """by_template: labels that a template of the repository gives; its writers chose them, so anybody may bring them.

    Raises Unprocessable, Denied when somebody without write access labels or assigns.
    """
    rights, user = taking_part(actor, repository)
    people = list(assignees)
    require(rights.triage or not (labels or people or milestone), "label or assign what you open")
    title, body, now = checked_title(title), checked_body(body), timezone.now()
    with transaction.atomic():
        issue = Issue.objects.create(
            repository=repository,
            number=next_number(repository.pk),
            is_pull=is_pull,
            title=title,
            body=body,
            author=user,
            created=now,
            updated=now,
            milestone=milestone,
            **tasks_of(body),
        )
        issue.labels.set([*labels, *by_template])
        triage.check_assignees(repository, people)
        issue.assignees.set(people)
        counting.add(issue, 1)
    return issue


def next_number(repository_id: int) -> int:
    """Inside the caller's transaction: until it ends, the row's lock makes others wait for the number after it."""
    return _next(repository_id, "last")


def next_milestone(repository_id: int) -> int:
    return _next(repository_id, "last_milestone")


def _next(repository_id: int, field: str) -> int:
    Counter.objects.get_or_create(repository_id=repository_id)
    Counter.objects.filter(pk=repository_id).update(**{field: F(field) + 1})
    return Counter.objects.values_list(field, flat=True).get(pk=repository_id)


def issue_of(repository: Repository, number: int, **kept: bool) -> Issue:
    """The issue or pull request of this number. Raises NotFound."""
    found = Issue.objects.filter(repository=repository, number=min(number, 2**31 - 1), **kept)
    issue = found.select_related("author", "milestone", "closed_by").first()
    if issue is None:
        raise NotFound(f"There is no #{number} in {repository.full_name}.")
    issue.repository = repository
    return issue


def comment_of(repository: Repository, entry_id: int, *, also: Iterable[str] = ()) -> Entry:
    """also: other kinds of entries. Raises NotFound, also for what belongs to another repository."""
    found = Entry.objects.filter(pk=min(entry_id, 2**63 - 1), issue__repository=repository)
    entry = found.filter(kind__in=[Entry.Kind.COMMENT, *also]).select_related("issue", "author").first()
    if entry is None:
        raise NotFound("That comment does not exist.")
    entry.issue.repository = repository
    return entry
