"""Labels, assignees and the milestone of one issue."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from django.db import transaction
from django.db.models import Q, QuerySet

from hub.accounts.actor import Actor
from hub.accounts.models import User
from hub.lib.errors import NotFound, Unprocessable
from repos.issues.conversation import record
from repos.issues.models import Entry, Issue, Label, Milestone
from repos.issues.rights import triaging
from repos.issues.texts import checked
from repos.models import Access, Membership, Repository

MOST_LABELS, MOST_ASSIGNEES = 100, 10


def set_labels(actor: Actor, issue: Issue, labels: Collection[Label]) -> None:
    """Exactly these. Raises Unprocessable on too many."""
    user = triaging(actor, issue.repository)
    if len(labels) > MOST_LABELS:
        raise Unprocessable(f"An issue has at most {MOST_LABELS} labels.")
    with transaction.atomic():
        _lock(issue)
        had, wanted = {row.pk: row for row in issue.labels.all()}, {row.pk: row for row in labels}
        issue.labels.set(labels)
        for kind, rows in ((Entry.Kind.LABELLED, wanted), (Entry.Kind.UNLABELLED, had)):
            for pk in rows.keys() - (had if rows is wanted else wanted).keys():
                record(issue, kind, user, label={"name": rows[pk].name, "colour": rows[pk].colour})


def set_assignees(actor: Actor, issue: Issue, people: Iterable[User]) -> None:
    """Exactly these. Raises Unprocessable on somebody who may not write, and on too many."""
    user, wanted = triaging(actor, issue.repository), {person.pk: person for person in people}
    with transaction.atomic():
        _lock(issue)
        had = {person.pk: person for person in issue.assignees.all()}
        # Who lost access since stays until they are taken off.
        check_assignees(issue.repository, [person for pk, person in wanted.items() if pk not in had])
        if len(wanted) > MOST_ASSIGNEES:
            raise Unprocessable(f"An issue has at most {MOST_ASSIGNEES} assignees.")
        issue.assignees.set(wanted.values())
        for pk in wanted.keys() - had.keys():
            record(issue, Entry.Kind.ASSIGNED, user, name=wanted[pk].username)
        for pk in had.keys() - wanted.keys():
            record(issue, Entry.Kind.UNASSIGNED, user, name=had[pk].username)


def set_milestone(actor: Actor, issue: Issue, milestone: Milestone | None) -> None:
    user = triaging(actor, issue.repository)
    with transaction.atomic():
        before = _lock(issue).milestone
        if before == milestone:
            return
        Issue.objects.filter(pk=issue.pk).update(milestone=milestone)
        titles = {"from": before.title if before else "", "to": milestone.title if milestone else ""}
        record(issue, Entry.Kind.MILESTONED, user, **titles)


def assignable(repository: Repository) -> QuerySet[User]:
    """Those who may write, by name."""
    writers = Membership.objects.filter(repository=repository, access__gte=Access.WRITE).values("user_id")
    people = User.objects.filter(Q(owner=repository.owner_id) | Q(pk__in=writers), is_active=True)
    return people.order_by("username")


def people_named(repository: Repository, names: Collection[str]) -> list[User]:
    """Raises NotFound on a name that nobody who may write has."""
    keys = {name.lower() for name in names}
    if any("\0" in key for key in keys):
        raise NotFound("No name holds a NUL character.")
    found = list(assignable(repository).filter(owner__name_key__in=keys).select_related("owner"))
    if missing := keys - {person.owner.name_key for person in found}:
        raise NotFound(
            f"{sorted(missing)[0][:40]!r} cannot be assigned.",
            details="Name people with write access to the repository.",
        )
    return found


def once_assigned(repository: Repository, name: str) -> list[User]:
    """Whoever of this name is assigned here, whether or not they may still write. Raises NotFound."""
    here = Issue.objects.filter(repository=repository, assignees__isnull=False).values("assignees")
    found = list(User.objects.filter(owner__name_key=checked(name, "The name").lower(), pk__in=here))
    if not found:
        raise NotFound(f"Nobody called {name[:40]!r} is assigned here.")
    return found


def check_assignees(repository: Repository, people: Collection[User]) -> None:
    if people:
        people_named(repository, [person.username for person in people])


def _lock(issue: Issue) -> Issue:
    return Issue.objects.select_for_update(of=("self",)).select_related("milestone").get(pk=issue.pk)
