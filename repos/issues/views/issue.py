"""One issue: its text, its conversation, and beside it labels, assignees and the milestone."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_safe

from hub.accounts.http import HubRequest
from repos.issues import labels, milestones, opening, timeline, triage
from repos.issues.models import Issue
from repos.issues.rights import Rights, rights_of
from repos.issues.views.gate import readable
from repos.issues.views.lists import MENU_ROWS


@require_safe
def issue(request: HubRequest, owner: str, name: str, number: int) -> HttpResponse:
    found = opening.issue_of(readable(request, owner, name), number)
    if found.is_pull:
        return redirect(found)
    context = conversation_of(request, found)
    fragment = request.headers.get("HX-Request") and request.GET.get("after")
    return render(request, "issues/_entries.html" if fragment else "issues/issue.html", {**context, "tab": "issues"})


def conversation_of(request: HubRequest, issue: Issue) -> dict[str, Any]:
    """What the templates of a conversation and of its side bar need; pull requests show the same."""
    rights = rights_of(request.actor, issue.repository)
    return {
        "repository": issue.repository,
        "issue": issue,
        "conversation": timeline.conversation(issue, request.actor, rights, after=request.GET.get("after", "")),
        "first_page": not request.GET.get("after"),
        "rights": rights,
        "reopen_url": reverse("issues:reopen", args=[*issue.repository.full_name.split("/"), issue.number]),
        "may_comment": rights.comment(issue),
        "may_change": rights.change(issue),
        "may_edit": rights.edit(issue),
        **_sidebar(issue, rights),
    }


def _sidebar(issue: Issue, rights: Rights) -> dict[str, Any]:
    has, assigned = list(issue.labels.order_by("name_key")), list(issue.assignees.order_by("username"))
    shown: dict[str, Any] = {"labels": has, "assignees": assigned}
    if rights.triage:
        shown["all_labels"] = labels.listed(issue.repository)
        shown["all_people"] = list(dict.fromkeys([*assigned, *triage.assignable(issue.repository)[:MENU_ROWS]]))
        shown["all_milestones"] = milestones.listed(issue.repository)[:MENU_ROWS]
    return shown
