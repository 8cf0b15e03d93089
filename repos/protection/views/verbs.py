"""The part of the merge box that follows what happens, and merges that wait."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from hub.accounts.http import HubRequest
from repos.git.read import to_text
from repos.issues import triage
from repos.issues.rights import rights_of
from repos.issues.views.lists import MENU_ROWS
from repos.models import Access
from repos.protection import asking, boxes, owners, waiting
from repos.pulls import branches
from repos.pulls.models import PullRequest
from repos.pulls.views.gate import pull_at


@require_safe
def checks(request: HubRequest, owner: str, name: str, number: int) -> HttpResponse:
    """The fragment with what is unmet and the statuses; where the merge box itself is another now, it is loaded."""
    pull = pull_at(request, owner, name, number)
    found = boxes.checks_now(pull)
    stale = found is None or found.seen != request.GET.get("seen", found.seen)
    context = {"repository": pull.repository, "issue": pull.issue, "pull": pull, "checks": found}
    return render(request, "protection/_stale.html" if stale else "protection/_checks.html", context)


@require_safe
def reviewers(request: HubRequest, owner: str, name: str, number: int) -> HttpResponse:
    """The fragment of the side bar: who is asked, whose word stands, and what is wrong with .covey/OWNERS."""
    pull = pull_at(request, owner, name, number)
    return render(request, "protection/_reviewers.html", _asked(request, pull))


@login_required
@require_POST
def ask(request: HubRequest, owner: str, name: str, number: int) -> HttpResponse:
    pull = pull_at(request, owner, name, number)
    asking.ask(request.actor, pull, [request.POST.get("reviewer", "").strip().removeprefix("@")])
    return redirect(pull.issue)


@login_required
@require_POST
def unask(request: HubRequest, owner: str, name: str, number: int, username: str) -> HttpResponse:
    pull = pull_at(request, owner, name, number)
    asking.unask(request.actor, pull, [username])
    return redirect(pull.issue)


def _asked(request: HubRequest, pull: PullRequest) -> dict[str, Any]:
    rights, (base, head) = rights_of(request.actor, pull.repository), branches.ends(pull)
    may_ask = pull.issue.is_open and rights.change(pull.issue)
    people = triage.assignable(pull.repository).exclude(pk=pull.issue.author_id or 0)[:MENU_ROWS] if may_ask else []
    problems = owners.owners_at(pull.repository, base).problems
    return {
        "repository": pull.repository,
        "issue": pull.issue,
        "reviewers": asking.reviewers(pull),
        "rights": rights,
        "head_id": head,
        "may_ask": may_ask,
        "people": people,
        "problems": problems,
    }


@login_required
@require_POST
def auto_merge(request: HubRequest, owner: str, name: str, number: int) -> HttpResponse:
    pull = pull_at(request, owner, name, number, need=Access.WRITE)
    title, text = request.POST.get("title", "").strip(), request.POST.get("message", "").strip()
    waiting.begin(
        request.actor,
        pull,
        method=request.POST.get("method", ""),
        message=f"{title}\n\n{text}".strip(),
        expected=to_text(request.POST.get("expected", "").encode("utf-8", "replace")),
        delete_branch=request.POST.get("delete_branch") == "1",
    )
    return redirect(pull.issue)


@login_required
@require_POST
def cancel_auto_merge(request: HubRequest, owner: str, name: str, number: int) -> HttpResponse:
    pull = pull_at(request, owner, name, number, need=Access.WRITE)
    waiting.cancel(request.actor, pull)
    return redirect(pull.issue)
