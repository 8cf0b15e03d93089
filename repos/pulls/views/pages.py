"""The list of pull requests, and one of them: its conversation and the tabs beside it."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from hub.accounts.http import HubRequest
from repos.git import history
from repos.git.read import Rev
from repos.issues.views.issue import conversation_of
from repos.issues.views.lists import list_page
from repos.place import Place, store_of, url
from repos.pulls import branches, origins
from repos.pulls.views.context import context_of
from repos.pulls.views.gate import pull_at, readable
from repos.statuses.marks import marks_of

COMMITS_SHOWN = 250
PANELS = {
    "data": (("What changed in the data", "datasets/diff"),),
    "experiments": (
        ("What changed in the metrics", "experiments/diff"),
        ("What changed in the plots", "datasets/plots"),
    ),
    "pipelines": (("What changed in the pipelines", "pipelines/diff"),),
}
OF_DATA = ("datasets/diff", "datasets/plots")  # asked of where the data lies


@require_safe
def index(request: HubRequest, owner: str, name: str) -> HttpResponse:
    return list_page(request, readable(request, owner, name), kind="pull")


@require_safe
def conversation(request: HubRequest, owner: str, name: str, number: int) -> HttpResponse:
    pull = pull_at(request, owner, name, number)
    reopen = reverse("pulls:reopen", args=[owner, name, number])
    context = {**context_of(pull, "conversation"), **conversation_of(request, pull.issue), "reopen_url": reopen}
    fragment = request.headers.get("HX-Request") and request.GET.get("after")
    return render(request, "issues/_entries.html" if fragment else "pulls/conversation.html", context)


@require_safe
def commits(request: HubRequest, owner: str, name: str, number: int) -> HttpResponse:
    pull = pull_at(request, owner, name, number)
    base, head = branches.ends(pull)
    page = history.log(store_of(pull.repository), head, without=base, limit=COMMITS_SHOWN)
    place = Place(pull.repository, Rev(head, "commit", head))
    found = marks_of(pull.repository, [commit.sha for commit in page.commits])
    context = {"place": place, "commits": page.commits, "marks": found, "more_commits": bool(page.after)}
    return render(request, "pulls/commits.html", {**context_of(pull, "commits"), **context})


@require_safe
def panel(request: HubRequest, owner: str, name: str, number: int, which: str) -> HttpResponse:
    """Slots for what upper apps show of these two commits; they are loaded by their addresses."""
    pull = pull_at(request, owner, name, number)
    base, head = branches.ends(pull)
    compared = f"{branches.parted(pull.repository, base, head)}...{head}"
    lies = origins.data_of(request.actor, pull)
    slots = []
    for heading, page in PANELS[which]:
        where = lies if page in OF_DATA else pull.repository
        asked = f"?pull={number}" if where == pull.repository else ""  # what is said of it is said there
        slots.append((heading, f"{url(where, page, compared)}{asked}"))
    return render(request, "pulls/panel.html", {**context_of(pull, which), "slots": slots})
