"""A page of issues: every condition and the order in SQL, the next page found by where this one ended."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet

from hub.accounts.actor import Actor
from hub.accounts.models import User
from hub.lib.errors import Invalid
from repos.issues.models import Entry, Issue, Label
from repos.issues.query import SORTS, Query
from repos.issues.rights import SAID
from repos.models import Repository

PAGE_ROWS = 25
MOST_COUNTED = 1_000
MOST_READ = 20_000  # texts in which words are looked for
AUTHORS_OF = 200  # issues whose authors a menu offers
_STATES: dict[str, tuple[str, ...]] = {"closed": (Issue.State.CLOSED, Issue.State.MERGED)}
_CURSOR = re.compile(r"(?:([0-9T:.+Z-]{1,40})_)?(\d{1,10})")


@dataclass(frozen=True)
class IssuePage:
    """after: where the next page begins, "" at the end. partial: the words were looked for in MOST_READ texts only."""

    rows: list[Issue]
    after: str
    partial: bool = False


def page(repository: Repository, actor: Actor, query: Query, *, kind: str, after: str = "") -> IssuePage:
    """kind: issue or pull, where the query says nothing. Raises Invalid for a bad cursor. Ten statements at most."""
    rows = ordered(matching(repository, actor, query, kind=kind), query)
    if after:
        rows = rows.filter(_beyond(query, after))
    ids = list(rows.values_list("pk", flat=True)[: PAGE_ROWS + 1])  # alone: whole rows are slow to put in order
    found = list(ordered(for_lists(Issue.objects.filter(pk__in=ids[:PAGE_ROWS])), query).defer("body"))
    for issue in found:
        issue.repository = repository
    more = len(ids) > PAGE_ROWS and bool(found)
    partial = bool(query.words) and _qualified(repository, actor, query, kind=kind)[MOST_READ:].exists()
    return IssuePage(found, _cursor(query, found[-1]) if more else "", partial)


def counts(repository: Repository, actor: Actor, query: Query, *, kind: str) -> dict[str, int]:
    """How many are open and how many are not, of what else the query says; at most one more than MOST_COUNTED."""

    def count(*states: str) -> int:
        return matching(repository, actor, query, kind=kind, states=states)[: MOST_COUNTED + 1].count()

    return {"open": count(Issue.State.OPEN), "closed": count(*_STATES["closed"])}


def recent_authors(repository: Repository, *, kind: str) -> list[str]:
    """Names of those who opened the latest ones, the last first."""
    rows = Issue.objects.filter(repository=repository, is_pull=kind == "pull", author__isnull=False)
    names = rows.order_by("-number").values_list("author__username", flat=True)[:AUTHORS_OF]
    return list(dict.fromkeys(names))


def for_lists(rows: QuerySet[Issue]) -> QuerySet[Issue]:
    return rows.select_related("author", "milestone", "pull").prefetch_related("labels", "assignees")


def matching(
    repository: Repository, actor: Actor, query: Query, *, kind: str, states: Sequence[str] = ()
) -> QuerySet[Issue]:
    """Of nothing at all where a name is unknown. Words and mentions are looked for in the first MOST_READ of what else
    matches.

    states: instead of the query's.
    """
    rows = _qualified(repository, actor, query, kind=kind, states=states)
    if not (query.words or query.mentioned):
        return rows
    rows = Issue.objects.filter(pk__in=ordered(rows, query).values("pk")[:MOST_READ])
    for word in query.words:
        rows = rows.filter(Q(title__icontains=word) | Q(body__icontains=word))
    for name in query.mentioned:
        rows = rows.filter(_mentions(actor, name))
    return rows


def _mentions(actor: Actor, name: str) -> Q:
    """In the text or in a comment, as repos.issues.references finds it there."""
    name = (actor.user.username if actor.user else "@") if name == "@me" else name.lstrip("@")
    said = {"body__icontains": f"@{name}", "body__iregex": rf"(^|[^\w@/.#&-])@{re.escape(name)}($|[^\w@-])"}
    return Q(**said) | Q(Exists(Entry.objects.filter(issue=OuterRef("pk"), kind__in=SAID, **said)))


def _qualified(
    repository: Repository, actor: Actor, query: Query, *, kind: str, states: Sequence[str] = ()
) -> QuerySet[Issue]:
    """What matches but for the words."""
    rows = Issue.objects.filter(repository=repository, is_pull=(query.kind or kind) == "pull")
    if wanted := states or _STATES.get(query.state, (query.state,) if query.state else ()):
        rows = rows.filter(state__in=wanted)
    if query.draft is not None:
        rows = rows.filter(pull__draft=query.draft)
    for name in query.authors:
        rows = rows.filter(author=_person(actor, query, name))
    for name in query.assignees:
        rows = rows.filter(pk__in=_through(Issue.assignees, user_id=_person(actor, query, name)))
    for find, name in query.people:
        rows = rows.filter(pk__in=find(_person(actor, query, name)))
    rows = _by_labels(repository, rows, query)
    if query.milestone is not None:
        rows = rows.filter(milestone__repository=repository, milestone__title__iexact=query.milestone)
    if query.since:
        rows = rows.filter(updated__gte=query.since)
    if "milestone" in query.has:
        rows = rows.filter(milestone__isnull=False)
    if "assignee" in query.has:
        rows = rows.filter(Exists(_of_row(Issue.assignees)))
    if "milestone" in query.lacks:
        rows = rows.filter(milestone=None)
    if "assignee" in query.lacks:
        rows = rows.filter(~Exists(_of_row(Issue.assignees)))
    return rows


def ordered(rows: QuerySet[Issue], query: Query) -> QuerySet[Issue]:
    sign, by = "-" if query.descending else "", SORTS[query.sort]
    return rows.order_by(*dict.fromkeys([f"{sign}{by}", f"{sign}number"]))


def _person(actor: Actor, query: Query, name: str) -> int:
    """The id of a user; 0, which nobody has, for an unknown one."""
    if name == "@me":
        return actor.user_id or 0
    key = name.lstrip("@").lower()
    if ("user", key) not in query.ids:
        found = User.objects.filter(owner__name_key=key).values_list("pk", flat=True).first()
        query.ids["user", key] = found or 0
    return query.ids["user", key]


def _label(repository: Repository, query: Query, name: str) -> int:
    key = name.lower()
    if ("label", key) not in query.ids:
        found = Label.objects.filter(repository=repository, name_key=key).values_list("pk", flat=True).first()
        query.ids["label", key] = found or 0
    return query.ids["label", key]


def _by_labels(repository: Repository, rows: QuerySet[Issue], query: Query) -> QuerySet[Issue]:
    for name in query.labels:
        rows = rows.filter(pk__in=_through(Issue.labels, label_id=_label(repository, query, name)))
    for name in query.without_labels:
        rows = rows.filter(~Exists(_of_row(Issue.labels, label_id=_label(repository, query, name))))
    return rows.filter(~Exists(_of_row(Issue.labels))) if "label" in query.lacks else rows


def _of_row(relation: Any, **condition: Any) -> QuerySet[Any]:
    return relation.through.objects.filter(issue_id=OuterRef("pk"), **condition)


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
