"""The fragment above the files: what waits to be submitted."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from hub.accounts.http import HubRequest
from repos.git.read import shown
from repos.issues.rights import rights_of
from repos.pulls import branches
from repos.pulls.views.gate import pull_at
from repos.reviews import reviewing


@require_safe
def bar(request: HubRequest, owner: str, name: str, number: int) -> HttpResponse:
    """head, base: what the page shows, which is what can be approved there however long it has been open."""
    pull = pull_at(request, owner, name, number)
    review, rights = reviewing.pending_of(request.actor, pull), rights_of(request.actor, pull.repository)
    context = {
        "repository": pull.repository,
        "issue": pull.issue,
        "head_id": request.GET.get("head") or branches.ends(pull)[1],
        "base_shown": request.GET.get("base") or shown(pull.base),
        "count": review.comments.count() if review else 0,
        "begun": review.pk if review else 0,
        "text": review.body if review else "",
        "may_review": rights.comment(pull.issue),
        "may_decide": pull.issue.is_open and request.actor.user_id != pull.issue.author_id,
        "may_apply": pull.issue.is_open and rights.triage,
    }
    return render(request, "reviews/_bar.html", context)
