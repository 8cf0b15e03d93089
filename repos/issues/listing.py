"""A page of issues: every condition and the order in SQL, the next page found by where this one ended."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Q, QuerySet

from hub.accounts.actor import Actor
from hub.accounts.models import User
from hub.lib.errors import Invalid
from repos.issues.models import Issue, Label
from repos.issues.query import SORTS, Query
from repos.models import Repository

PAGE_ROWS = 25
MOST_COUNTED = 1_000
AUTHORS_OF = 200  # issues whose authors a menu offers
_CURSOR = re.compile(r"(?:([0-9T:.+Z-]{1,40})_)?(\d{1,10})")


@dataclass(frozen=True)
class IssuePage:
    """after: where the next page begins, "" at the end."""

    rows: list[Issue]
    after: str


def page(repository: Repository, actor: Actor, query: Query, *, kind: str, after: str = "") -> IssuePage:
    """kind: issue or pull, where the query says nothing. Raises Invalid for a bad cursor. Five statements at most."""
    rows = ordered(matching(repository, actor, query, kind=kind), query)
    if after:
        rows = rows.filter(_beyond(query, after))
    found = list(for_lists(rows).defer("body")[: PAGE_ROWS + 1])
    for issue in found:
        issue.repository = repository
    shown = found[:PAGE_ROWS]
    return IssuePage(shown, _cursor(query, shown[-1]) if len(found) > PAGE_ROWS else "")


def counts(repository: Repository, actor: Actor, query: Query, *, kind: str) -> dict[str, int]:
    """How many are open and how many are not, of what else the query says; at most one more than MOST_COUNTED."""
    rows = matching(repository, actor, query, kind=kind, any_state=True)
    still_open = Q(state=Issue.State.OPEN)
    return {
        "open": rows.filter(still_open)[: MOST_COUNTED + 1].count(),
        "closed": rows.filter(state__in=[Issue.State.CLOSED, Issue.State.MERGED])[: MOST_COUNTED + 1].count(),
    }


def recent_authors(repository: Repository, *, kind: str) -> list[str]:
    """Names of those who opened the latest ones, the last first."""
    rows = Issue.objects.filter(repository=repository, is_pull=kind == "pull", author__isnull=False)
    names = rows.order_by("-number").values_list("author__username", flat=True)[:AUTHORS_OF]
    return list(dict.fromkeys(names))


def for_lists(rows: QuerySet[Issue]) -> QuerySet[Issue]:
    return rows.select_related("author", "milestone", "pull").prefetch_related("labels", "assignees")


def matching(
    repository: Repository, actor: Actor, query: Query, *, kind: str, any_state: bool = False
) -> QuerySet[Issue]:
    """Of nothing at all where a name is unknown."""
    rows = Issue.objects.filter(repository=repository, is_pull=(query.kind or kind) == "pull")
    if query.state and not any_state:
        states = {"closed": [Issue.State.CLOSED, Issue.State.MERGED]}.get(query.state, [query.state])
        rows = rows.filter(state__in=states)
    if query.draft is not None:
        rows = rows.filter(pull__draft=query.draft)
    for name in query.authors:
        rows = rows.filter(author=_person(actor, name))
    for name in query.assignees:
        rows = rows.filter(pk__in=_through(Issue.assignees, user_id=_person(actor, name)))
    for find, name in query.people:
        rows = rows.filter(pk__in=find(_person(actor, name)))
    rows = _by_labels(repository, rows, query)
    if query.milestone is not None:
        rows = rows.filter(milestone__repository=repository, milestone__title__iexact=query.milestone)
    if "milestone" in query.lacks:
        rows = rows.filter(milestone=None)
    if "assignee" in query.lacks:
        rows = rows.exclude(pk__in=_through(Issue.assignees, issue__repository=repository))
    for word in query.words:
        rows = rows.filter(Q(title__icontains=word) | Q(body__icontains=word))
    return rows


def ordered(rows: QuerySet[Issue], query: Query) -> QuerySet[Issue]:
    sign, by = "-" if query.descending else "", SORTS[query.sort]
    return rows.order_by(*dict.fromkeys([f"{sign}{by}", f"{sign}number"]))


def _person(actor: Actor, name: str) -> int:
    """The id of a user; 0, which nobody has, for an unknown one."""
    if name == "@me":
        return actor.user_id or 0
    return User.objects.filter(owner__name_key=name.lstrip("@").lower()).values_list("pk", flat=True).first() or 0


def _by_labels(repository: Repository, rows: QuerySet[Issue], query: Query) -> QuerySet[Issue]:
    wanted = {name.lower() for name in (*query.labels, *query.without_labels)}
    known: dict[str, int] = {}
    if wanted:
        labels = Label.objects.filter(repository=repository, name_key__in=wanted)
        known = dict(labels.values_list("name_key", "pk"))
    for name in query.labels:
        rows = rows.filter(pk__in=_through(Issue.labels, label_id=known.get(name.lower(), 0)))
    for name in query.without_labels:
        rows = rows.exclude(pk__in=_through(Issue.labels, label_id=known.get(name.lower(), 0)))
    return rows.exclude(pk__in=_through(Issue.labels, issue__repository=repository)) if "label" in query.lacks else rows


def _through(relation: Any, **condition: Any) -> QuerySet[Any]:
    return relation.through.objects.filter(**condition).values("issue_id")


# ---- where a page ended --------------------------------------------------------------------------
def _cursor(query: Query, last: Issue) -> str:
    if query.sort == "created":
        return str(last.number)
    value = last.updated.isoformat() if query.sort == "updated" else last.comments_count
    return f"{value}_{last.number}"


def _beyond(query: Query, after: str) -> Q:
    match = _CURSOR.fullmatch(after)
    try:
        if match is None or (match[1] is None) != (query.sort == "created"):
            raise ValueError(after)
        number, value = min(int(match[2]), 2**31 - 1), _value(query, match[1])
    except ValueError as error:
        raise Invalid("That page of the list does not exist.", details="Begin again at the first page.") from error
    step, by = "lt" if query.descending else "gt", SORTS[query.sort]
    if value is None:
        return Q(**{f"number__{step}": number})
    # The first condition is implied by the second; with it an index is entered at the right place.
    return Q(**{f"{by}__{step}e": value}) & (
        Q(**{f"{by}__{step}": value}) | Q(**{by: value, f"number__{step}": number})
    )


def _value(query: Query, text: str | None) -> datetime | int | None:
    if text is None:
        return None
    if query.sort == "comments":
        return min(int(text), 2**31 - 1)
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(text)
    return moment
