"""The list of issues, and that of pull requests, which differs in words only."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from hub.accounts.http import HubRequest
from repos.issues import labels, listing, milestones, query
from repos.issues.query import QueryError
from repos.issues.rights import rights_of
from repos.issues.views.gate import readable
from repos.models import Repository

MENU_ROWS = 100
SORTS = {
    "sort:created-desc": "Newest",
    "sort:created-asc": "Oldest",
    "sort:updated-desc": "Recently updated",
    "sort:updated-asc": "Least recently updated",
    "sort:comments-desc": "Most comments",
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
    }
    try:
        wanted = query.parse(asked)
    except QueryError as error:
        marked = {"before": asked[: error.position], "at": asked[error.position :]}
        return render(request, "issues/list.html", {**context, "error": error, **marked}, status=422)
    page = listing.page(repository, request.actor, wanted, kind=kind, after=request.GET.get("after", ""))
    shown = {
        "rows": page.rows,
        "next_url": "?" + urlencode({"q": asked, "after": page.after}) if page.after else "",
        "counts": listing.counts(repository, request.actor, wanted, kind=kind),
        "most": listing.MOST_COUNTED,
        "state": wanted.state,
        **_menus(repository, asked),
    }
    return render(request, "issues/list.html", {**context, **shown})


def _menus(repository: Repository, asked: str) -> dict[str, Any]:
    """What one click adds to the search: (what it says, address)."""
    rest = " ".join(word for word in asked.split() if not word.startswith(("is:open", "is:closed", "is:merged")))
    unsorted = " ".join(word for word in asked.split() if not word.startswith("sort:"))
    names = labels.listed(repository).values_list("name", flat=True)[:MENU_ROWS]
    titles = milestones.open_titles(repository)[:MENU_ROWS]
    return {
        "open_url": search(f"is:open {rest}"),
        "closed_url": search(f"is:closed {rest}"),
        "label_menu": [(name, search(f'{asked} label:"{name}"')) for name in names],
        "milestone_menu": [(title, search(f'{asked} milestone:"{title}"')) for title in titles],
        "sort_menu": [(word, search(f"{unsorted} {term}")) for term, word in SORTS.items()],
    }


def search(text: str) -> str:
    return "?" + urlencode({"q": text.strip()})
