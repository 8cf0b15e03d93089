"""The gate and the query of a list, as GitHub's clients send them."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime

from django.db.models import Q
from django.http import QueryDict
from rest_framework.request import Request

from hub.accounts.actor import Area
from hub.accounts.models import User
from hub.lib.api_schema import PAGES
from hub.lib.errors import Invalid, Unprocessable
from hub.lib.numbers import whole
from repos import access
from repos.api import gate
from repos.issues.models import Milestone
from repos.issues.query import SORTS, Query, parse
from repos.models import Access, Repository

FILTERS = ("labels", "creator", "mentioned", "assignee", "milestone", "since")
LISTED = {  # what a list is asked for, as the description of the API has it
    **PAGES,
    "state": ["open", "closed", "all"],
    "sort": [*SORTS, "popularity"],
    "direction": ["asc", "desc"],
    **dict.fromkeys((*FILTERS, "q"), str),
}
STATES = {"open": "open", "closed": "closed", "all": ""}


def readable(request: Request, owner: str, name: str) -> Repository:
    return gate.repository_for(request, owner, name, area=Area.ISSUES)


def taking_part(request: Request, owner: str, name: str) -> Repository:
    """Before a change by whoever may read. The token's scope is told before what the body lacks; more is asked by
    the domain. Raises Unauthenticated."""
    actor, _ = gate.signed_in(request)
    repository = readable(request, owner, name)
    access.require_scope(actor, Area.ISSUES, write=True)
    return repository


def writable(request: Request, owner: str, name: str) -> Repository:
    return gate.repository_for(request, owner, name, need=Access.WRITE, area=Area.ISSUES)


def query_of(request: Request, repository: Repository, *, pulls: bool = False) -> Query:
    """q, a search as the page takes it, or what GitHub's lists take. Raises Invalid, Unprocessable and QueryError."""
    asked = request.query_params
    if "q" in asked:
        for other in ("state", "sort", "direction", *FILTERS):
            if other in asked:
                raise Invalid(f"{other} stands beside q.", details="Say all of it in q, e.g. q=is:open sort:updated.")
        return parse(asked["q"])
    if any("\0" in value for value in asked.values()):
        raise Invalid("No value holds a NUL character.")
    sort = _one_of(asked, "sort", (*SORTS, "popularity"), "created")
    usual = "asc" if pulls and sort != "created" else "desc"  # of GitHub's two lists
    found = Query(
        state=STATES[_one_of(asked, "state", STATES, "open")],
        sort="comments" if sort == "popularity" else sort,
        descending=_one_of(asked, "direction", ("asc", "desc"), usual) == "desc",
    )
    found.labels = [name.strip() for name in asked.get("labels", "").split(",") if name.strip()][:20]
    found.since = _moment(asked["since"]) if asked.get("since") else None
    found.authors, found.mentioned = _person(asked, "creator"), _person(asked, "mentioned")
    if not _any_or_none(found, asked, "assignee"):
        found.assignees = _person(asked, "assignee")
    if not _any_or_none(found, asked, "milestone"):
        found.milestone = _milestone(repository, asked.get("milestone", ""))
    return found


def _one_of(asked: QueryDict, name: str, known: Collection[str], usual: str) -> str:
    value = asked.get(name) or usual
    if value not in known:
        raise Unprocessable(f"{name} cannot be {value[:40]!r}.", details=f"It is one of {', '.join(known)}.")
    return value


def _moment(text: str) -> datetime:
    """A day or a moment; of no time zone: UTC."""
    try:
        moment = datetime.fromisoformat(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise Unprocessable(
            f"since is no moment: {text[:40]!r}.", details="Write it as 2026-01-31T09:00:00Z, a plus sign as %2B."
        ) from error


def _person(asked: QueryDict, name: str) -> list[str]:
    value = asked.get(name, "")
    if value and value != "@me" and not User.objects.filter(owner__name_key=value.lstrip("@").lower()).exists():
        raise Unprocessable(
            f"{name}: there is nobody called {value[:40]!r}.", details="Name somebody who has an account."
        )
    return [value] if value else []


def _any_or_none(query: Query, asked: QueryDict, name: str) -> bool:
    """Whether all is said: * is any at all, none is none."""
    value = asked.get(name)
    if value in {"*", "none"}:
        (query.has if value == "*" else query.lacks).append(name)
    return value in {"*", "none"}


def _milestone(repository: Repository, value: str) -> str | None:
    """The title of the milestone of this number, or of this title."""
    if not value:
        return None
    number = whole(value)
    which = Q(number=number) if number else Q(title__iexact=value)
    title = Milestone.objects.filter(which, repository=repository).values_list("title", flat=True).first()
    if title is None:
        raise Unprocessable(f"There is no milestone {value[:40]!r} here.", details="Send its number, none or *.")
    return title
