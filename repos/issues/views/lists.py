"""The list of issues, and that of pull requests, which differs in words only."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from hub.accounts.http import HubRequest
from repos.issues import labels, listing, milestones, query, saved, triage
from repos.issues.query import QueryError
from repos.issues.rights import rights_of
from repos.issues.views.gate import readable
from repos.models import Repository

MENU_ROWS = 100
SORTS = {
    "created-desc": "Newest",
    "created-asc": "Oldest",
    "updated-desc": "Recently updated",
    "updated-asc": "Least recently updated",
    "comments-desc": "Most comments",
}


@require_safe
def index(request: HubRequest, owner: str, name: str) -> HttpResponse:
    return list_page(request, readable(request, owner, name), kind="issue")


def list_page(request: HubRequest, repository: Repository, *, kind: str) -> HttpResponse:
    """kind: issue or pull."""
    asked = request.GET.get("q", query.DEFAULT).strip()
    context: dict[str, Any] = {
        "repository": repository,
        "tab": "pulls" if kind == "pull" else "issues",
        "kind": kind,
        "asked": asked,
        "rights": rights_of(request.actor, repository),
        **_searches(request, repository, asked, kind=kind),
    }
    try:
        wanted = query.parse(asked)
    except QueryError as error:
        marked = {"before": asked[: error.position], "at": asked[error.position :]}
        return render(request, "issues/list.html", {**context, "error": error, **marked}, status=422)
    page = listing.page(repository, request.actor, wanted, kind=kind, after=request.GET.get("after", ""))
    shown = {
        "rows": page.rows,
        "partial": listing.MOST_READ if page.partial else 0,
        "next_url": "?" + urlencode({"q": asked, "after": page.after}) if page.after else "",
        "counts": listing.counts(repository, request.actor, wanted, kind=kind),
        "most": listing.MOST_COUNTED,
        "state": wanted.state,
        "back": urlencode({"kind": kind, "q": asked, "after": request.GET.get("after", "")}),
        **_menus(request, repository, asked, kind=kind),
    }
    return render(request, "issues/list.html", {**context, **shown})


def _searches(request: HubRequest, repository: Repository, asked: str, *, kind: str) -> dict[str, Any]:
    """The usual searches and the saved ones: (name, address, whether it is this one), and what may be done to each."""
    rights = rights_of(request.actor, repository)
    rows = saved.usable(repository, request.actor, kind=kind)
    named = [*saved.usual(request.actor, kind=kind), *((row.name, row.query) for row in rows)]
    may_change = [(row, saved.may_change(request.actor, row, triage=rights.triage)) for row in rows]
    return {"searches": [(name, search(text), text == asked) for name, text in named], "saved": may_change}


def _menus(request: HubRequest, repository: Repository, asked: str, *, kind: str) -> dict[str, Any]:
    """What one click does to the search: (what it says, address, whether it is so)."""
    names = list(labels.listed(repository).values_list("name", flat=True)[:MENU_ROWS])
    titles = list(milestones.open_numbers(repository)[:MENU_ROWS])
    people = list(triage.assignable(repository).values_list("username", flat=True)[:MENU_ROWS])
    me = ["@me"] if request.actor.user else []

    def offered(key: str, values: list[str], lacking: str = "") -> list[tuple[str, str, bool]]:
        rows = [("no", key, lacking)] if lacking else []
        rows += [(key, value, "Me" if value == "@me" else value) for value in values]
        return [(said, *_one_click(asked, *term)) for *term, said in rows]

    return {
        "open_url": search(_with(asked, "is", "open")),
        "closed_url": search(_with(asked, "is", "closed")),
        "menus": [
            ("Author", offered("author", [*me, *listing.recent_authors(repository, kind=kind)])),
            ("Label", offered("label", names, "No label")),
            ("Milestone", offered("milestone", [title for _, title in titles], "No milestone")),
            ("Assignee", offered("assignee", [*me, *people], "Nobody")),
            ("Sort", [(word, *_one_click(asked, "sort", value)) for value, word in SORTS.items()]),
        ],
        "all_labels": names,
        "all_milestones": titles,
        "all_people": people,
    }


def _one_click(asked: str, key: str, value: str) -> tuple[str, bool]:
    text, stood = query.toggled(asked, key, value)
    return search(text), stood


def _with(asked: str, key: str, value: str) -> str:
    text, stood = query.toggled(asked, key, value)
    return asked if stood else text


def search(text: str) -> str:
    return "?" + urlencode({"q": text.strip()})
