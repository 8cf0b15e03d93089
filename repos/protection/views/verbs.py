"""The part of the merge box that follows what happens, and merges that wait."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from hub.accounts.http import HubRequest
from repos.git.read import to_text
from repos.models import Access
from repos.protection import boxes, waiting
from repos.pulls.views.gate import pull_at


@require_safe
def checks(request: HubRequest, owner: str, name: str, number: int) -> HttpResponse:
    """The fragment with what is unmet and the statuses; where the merge box itself is another now, it is loaded."""
    pull = pull_at(request, owner, name, number)
    found = boxes.checks_now(pull)
    stale = found is None or found.seen != request.GET.get("seen", found.seen)
    context = {"repository": pull.repository, "issue": pull.issue, "pull": pull, "checks": found}
    return render(request, "protection/_stale.html" if stale else "protection/_checks.html", context)


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
