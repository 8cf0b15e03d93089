"""The gate and the query of a list, as GitHub's clients send them."""

from __future__ import annotations

from rest_framework.request import Request

from hub.accounts.actor import Area
from hub.lib.api_schema import PAGES
from hub.lib.errors import Invalid
from repos import access
from repos.api import gate
from repos.issues.query import SORTS, Query, parse
from repos.models import Access, Repository

FILTERS = ("labels", "creator", "assignee", "milestone")
LISTED = {  # what a list is asked for, as the description of the API has it
    **PAGES,
    "state": ["open", "closed", "all"],
    "sort": list(SORTS),
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


def query_of(request: Request) -> Query:
    """q, a search as the page takes it, or state, labels, creator, assignee, milestone, sort, direction. Raises Invalid
    and QueryError."""
    asked = request.query_params
    if "q" in asked:
        for other in ("state", "sort", "direction", *FILTERS):
            if other in asked:
                raise Invalid(f"{other} stands beside q.", details="Say all of it in q, e.g. q=is:open sort:updated.")
        return parse(asked["q"])
    state, sort = asked.get("state", "open"), asked.get("sort", "created")
    direction = asked.get("direction", "desc")
    if state not in STATES or sort not in SORTS or direction not in {"asc", "desc"}:
        raise Invalid("state is open, closed or all; sort is created, updated or comments; direction is asc or desc.")
    if any("\0" in value for value in asked.values()):
        raise Invalid("No value holds a NUL character.")
    found = Query(state=STATES[state], sort=sort, descending=direction == "desc")
    found.labels = [name.strip() for name in asked.get("labels", "").split(",") if name.strip()][:20]
    found.authors = [asked["creator"]] if asked.get("creator") else []
    found.milestone = asked.get("milestone") or None
    if asked.get("assignee") == "none":
        found.lacks = ["assignee"]
    elif asked.get("assignee"):
        found.assignees = [asked["assignee"]]
    return found
