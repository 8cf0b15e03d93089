"""What changed between two versions of a pull request, and since its reader said something of it."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from hub.accounts.http import HubRequest
from repos.pulls import ranges
from repos.pulls.views.context import context_of
from repos.pulls.views.gate import pull_at
from repos.views.commit import options_of
from repos.views.places import rest_of


@require_safe
def choose(request: HubRequest, owner: str, name: str, number: int) -> HttpResponse:
    """?old=&new= lead to their page; else all versions, and what is new since the reader's last word."""
    pull = pull_at(request, owner, name, number)
    old, new = request.GET.get("old", ""), request.GET.get("new", "")
    if old and new:
        return redirect("pulls:range-between", owner, name, number, f"{old[:80]}...{new[:80]}")
    known = ranges.versions(pull)
    context = {"versions": known, "since": ranges.last_seen(request.actor, pull, known), "latest": known[-1]}
    return render(request, "pulls/range.html", {**context_of(pull, "range"), **context})


@require_safe
def between(request: HubRequest, owner: str, name: str, number: int, rest: str) -> HttpResponse:
    """old...new: full ids of two versions."""
    pull, options = pull_at(request, owner, name, number), options_of(request)
    old, _, new = rest_of(request).partition("/range/")[2].partition("...")
    found, known = ranges.between(pull, old, new, options), ranges.versions(pull)
    context = {"versions": known, "found": found, "old": old, "new": new, "options": options, "latest": known[-1]}
    return render(request, "pulls/range.html", {**context_of(pull, "range"), **context})
