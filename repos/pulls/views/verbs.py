"""Open, merge, reopen, delete the branch: one address each."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from hub.accounts.http import HubRequest
from hub.lib.errors import Conflict, Unprocessable
from repos.git.read import to_text
from repos.issues.views.verbs import said_beside
from repos.models import Access
from repos.pulls import merging, opening
from repos.pulls.merging import CannotMerge, Order
from repos.pulls.requirements import RequirementsUnmet
from repos.pulls.views.gate import pull_at, readable


@login_required
@require_POST
def create(request: HubRequest, owner: str, name: str) -> HttpResponse:
    repository = readable(request, owner, name)
    fields = {field: request.POST.get(field, "") for field in ("title", "body", "base", "head")}
    try:
        pull = opening.open_pull(request.actor, repository, **fields)
    except (Unprocessable, Conflict) as error:
        context = {"repository": repository, "tab": "pulls", "error": error, **fields}
        return render(request, "pulls/new.html", context, status=error.code)
    return redirect(pull.issue)


@login_required
@require_POST
def merge(request: HubRequest, owner: str, name: str, number: int) -> HttpResponse:
    pull = pull_at(request, owner, name, number, need=Access.WRITE)
    title, text = request.POST.get("title", "").strip(), request.POST.get("message", "").strip()
    order = Order(
        method=request.POST.get("method", "merge"),
        message=f"{title}\n\n{text}".strip(),
        expected=to_text(request.POST.get("expected", "").encode("utf-8", "replace")),
        delete_branch=request.POST.get("delete_branch") == "1",
        waive=request.POST.get("waive") == "1",
    )
    try:
        merging.merge(request.actor, pull, order)
    except (CannotMerge, RequirementsUnmet):
        messages.error(request, "It cannot be merged as it is; below is why.")
    return redirect(pull.issue)


@login_required
@require_POST
def reopen(request: HubRequest, owner: str, name: str, number: int) -> HttpResponse:
    pull = pull_at(request, owner, name, number)
    with said_beside(request, pull.issue):
        opening.reopen(request.actor, pull)
    return redirect(pull.issue)


@login_required
@require_POST
def delete_branch(request: HubRequest, owner: str, name: str, number: int) -> HttpResponse:
    pull = pull_at(request, owner, name, number, need=Access.WRITE)
    merging.delete_branch(request.actor, pull)
    return redirect(pull.issue)
