"""Submit, discard, dismiss a review; apply suggestions."""

from __future__ import annotations

import re

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from hub.accounts.http import HubRequest
from hub.lib.errors import Invalid
from repos.issues.views.gate import number_in
from repos.issues.views.talk import to_entry
from repos.models import Access
from repos.pulls.views.gate import pull_at
from repos.reviews import reviewing, suggestions

_ENTRY = re.compile(r"([0-9]{1,18})(?:-([0-9a-f]{32}))?")


@login_required
@require_POST
def submit(request: HubRequest, owner: str, name: str, number: int) -> HttpResponse:
    pull = pull_at(request, owner, name, number)
    given = {field: request.POST.get(field, "") for field in ("verdict", "body", "expected", "base")}
    looked_at = {"expected": given["expected"], "base": given["base"]}
    review = reviewing.submit(
        request.actor, pull, given["verdict"], given["body"], begun=number_in(request, "review"), **looked_at
    )
    assert review.entry
    return to_entry(pull.issue, review.entry)


@login_required
@require_POST
def discard(request: HubRequest, owner: str, name: str, number: int) -> HttpResponse:
    pull = pull_at(request, owner, name, number)
    reviewing.discard(request.actor, pull)
    return redirect(f"{pull.issue.get_absolute_url()}/files")


@login_required
@require_POST
def dismiss(request: HubRequest, owner: str, name: str, number: int, review_id: int) -> HttpResponse:
    pull = pull_at(request, owner, name, number, need=Access.WRITE)
    reviewing.dismiss(request.actor, reviewing.review_of(request.actor, pull, review_id), request.POST.get("why", ""))
    return redirect(pull.issue)


@login_required
@require_POST
def apply(request: HubRequest, owner: str, name: str, number: int) -> HttpResponse:
    """entry: ids of the comments, one or several, each with the digest of its text as it was shown. Raises Invalid."""
    pull = pull_at(request, owner, name, number, need=Access.WRITE)
    asked = [_ENTRY.fullmatch(text) for text in request.POST.getlist("entry")[: suggestions.MOST + 1]]
    if None in asked:
        raise Invalid("Comments are named by their numbers.")
    seen = {int(match[1]): match[2] for match in asked if match and match[2]}
    ids, message = [int(match[1]) for match in asked if match], request.POST.get("message", "")[:500]
    suggestions.apply(request.actor, pull, ids, seen=seen, message=message)
    messages.success(request, "Applied as a commit.")
    return redirect(pull.issue)
