"""Open, merge, reopen, make ready, change the base, delete the branch or have it back: one address each."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from hub.accounts.http import HubRequest, refusals_told
from hub.lib.errors import Conflict, NotFound, Unprocessable
from repos import browsing
from repos.git.read import to_text
from repos.issues.models import Issue
from repos.issues.rights import require, rights_of
from repos.issues.views.bulk import changed
from repos.issues.views.verbs import said_beside
from repos.models import Access
from repos.publishing import RefGone
from repos.pulls import drafts, heads, merging, opening, reverting, updating
from repos.pulls.merging import CannotMerge, Order
from repos.pulls.origins import NotGiven
from repos.pulls.requirements import RequirementsUnmet
from repos.pulls.views.context import context_of
from repos.pulls.views.gate import pull_at, readable

MOST_BRANCHES = 500  # to choose a base from


@login_required
@require_POST
def create(request: HubRequest, owner: str, name: str) -> HttpResponse:
    repository = readable(request, owner, name)
    fields = {field: request.POST.get(field, "") for field in ("title", "body", "base", "head")}
    draft = request.POST.get("draft") == "1"
    try:
        agreed = request.POST.get("commits_become_public") == "1"
        pull = opening.open_pull(request.actor, repository, **fields, draft=draft, agreed=agreed)
    except (Unprocessable, Conflict) as error:
        context = {"repository": repository, "tab": "pulls", "error": error, "draft": draft, **fields}
        if isinstance(error, NotGiven):
            context["warning"] = error.warning
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
    with refusals_told(request, (CannotMerge, RequirementsUnmet)):
        merging.merge(request.actor, pull, order)
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
def bulk_reopen(request: HubRequest, owner: str, name: str) -> HttpResponse:
    """Each as if alone: its branches are looked at again."""
    repository = readable(request, owner, name)

    def reopen(issue: Issue) -> None:
        pull = opening.pull_of(repository, issue.number)
        if not pull.issue.is_open:
            opening.reopen(request.actor, pull)

    return changed(request, repository, reopen, "open")


@login_required
@require_POST
def delete_branch(request: HubRequest, owner: str, name: str, number: int) -> HttpResponse:
    pull = pull_at(request, owner, name, number, need=Access.WRITE)
    with refusals_told(request, (Conflict, Unprocessable, RefGone)):
        heads.delete_branch(request.actor, pull)
    return redirect(pull.issue)


@login_required
@require_POST
def restore_branch(request: HubRequest, owner: str, name: str, number: int) -> HttpResponse:
    pull = pull_at(request, owner, name, number, need=Access.WRITE)
    heads.restore_branch(request.actor, pull)
    return redirect(pull.issue)


@login_required
@require_POST
def revert(request: HubRequest, owner: str, name: str, number: int) -> HttpResponse:
    pull = pull_at(request, owner, name, number, need=Access.WRITE)
    with refusals_told(request):
        return redirect(reverting.revert(request.actor, pull).issue)
    return redirect(pull.issue)


@login_required
@require_POST
def update_branch(request: HubRequest, owner: str, name: str, number: int) -> HttpResponse:
    pull = pull_at(request, owner, name, number)  # who writes a fork may only read this
    with refusals_told(request):
        updating.update_branch(request.actor, pull, expected=request.POST.get("expected", ""))
    return redirect(pull.issue)


@login_required
@require_POST
def ready(request: HubRequest, owner: str, name: str, number: int) -> HttpResponse:
    pull = pull_at(request, owner, name, number)
    drafts.mark_ready(request.actor, pull)
    return redirect(pull.issue)


@login_required
@require_POST
def to_draft(request: HubRequest, owner: str, name: str, number: int) -> HttpResponse:
    pull = pull_at(request, owner, name, number)
    drafts.mark_draft(request.actor, pull)
    return redirect(pull.issue)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def change_base(request: HubRequest, owner: str, name: str, number: int) -> HttpResponse:
    """A page that names the branches, since there may be many."""
    pull = pull_at(request, owner, name, number)
    require(rights_of(request.actor, pull.repository).change(pull.issue), "change the base of this")
    error = None
    if request.method == "POST":
        try:
            opening.change_base(request.actor, pull, to_text(request.POST.get("base", "").encode("utf-8", "replace")))
            return redirect(pull.issue)
        except (Unprocessable, Conflict, NotFound) as caught:
            error = caught
    names = [row.name for row in browsing.branches(pull.repository)[:MOST_BRANCHES] if row.name != pull.head]
    context = {**context_of(pull, ""), "names": names, "error": error}
    return render(request, "pulls/base_form.html", context, status=error.code if error else 200)
