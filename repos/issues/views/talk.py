"""Comments and texts: write, change, remove, and what they said before."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from hub.accounts.http import HubRequest
from hub.lib.errors import Unprocessable
from hub.lib.paging import page_of
from repos.issues import conversation, opening, states, timeline
from repos.issues.models import Entry, Issue
from repos.issues.rights import SAID, require, rights_of
from repos.issues.views.gate import readable

PAGE_ROWS = 20
form = require_http_methods(["GET", "HEAD", "POST"])


@login_required
@require_POST
def comment(request: HubRequest, owner: str, name: str, number: int) -> HttpResponse:
    issue = opening.issue_of(readable(request, owner, name), number)
    entry = conversation.comment(request.actor, issue, request.POST.get("body", ""))
    return to_entry(issue, entry)


@login_required
@form
def edit(request: HubRequest, owner: str, name: str, number: int) -> HttpResponse:
    """The title and, for its author, the text."""
    issue = opening.issue_of(readable(request, owner, name), number)
    rights = rights_of(request.actor, issue.repository)
    require(rights.change(issue), "edit this")
    if request.method != "POST":
        return _form(request, issue, title=issue.title, body=issue.body)
    title, body = request.POST.get("title", ""), request.POST.get("body", issue.body)
    try:
        with transaction.atomic():
            states.rename(request.actor, issue, title)
            if rights.edit(issue):
                conversation.edit_body(request.actor, issue, body)
    except Unprocessable as error:
        return _form(request, issue, title=title, body=body, error=error)
    return redirect(issue)


@login_required
@form
def edit_comment(request: HubRequest, owner: str, name: str, entry_id: int) -> HttpResponse:
    entry = opening.comment_of(readable(request, owner, name), entry_id, also=SAID)
    require(rights_of(request.actor, entry.issue.repository).edit_comment(entry), "edit this comment")
    if request.method != "POST":
        return _form(request, entry.issue, entry=entry, body=entry.body)
    body = request.POST.get("body", "")
    try:
        conversation.edit_comment(request.actor, entry, body)
    except Unprocessable as error:
        return _form(request, entry.issue, entry=entry, body=body, error=error)
    return to_entry(entry.issue, entry)


@login_required
@require_POST
def remove_comment(request: HubRequest, owner: str, name: str, entry_id: int) -> HttpResponse:
    entry = opening.comment_of(readable(request, owner, name), entry_id)
    conversation.remove_comment(request.actor, entry)
    return to_entry(entry.issue, entry)


@require_safe
def history(request: HubRequest, owner: str, name: str, number: int) -> HttpResponse:
    """What the issue's text said before."""
    issue = opening.issue_of(readable(request, owner, name), number)
    return _history(request, issue, None, issue.body)


@require_safe
def comment_history(request: HubRequest, owner: str, name: str, entry_id: int) -> HttpResponse:
    entry = opening.comment_of(readable(request, owner, name), entry_id, also=SAID)
    return _history(request, entry.issue, entry, entry.body)


def _history(request: HubRequest, issue: Issue, entry: Entry | None, now: str) -> HttpResponse:
    rows = issue.revisions.filter(entry=entry).select_related("editor").order_by("-pk")
    context = {**_of(issue), "entry": entry, "now": now, "page": page_of(rows, request.GET.get("page", "1"), PAGE_ROWS)}
    return render(request, "issues/history.html", context)


def _form(
    request: HubRequest,
    issue: Issue,
    *,
    body: str,
    title: str = "",
    entry: Entry | None = None,
    error: Unprocessable | None = None,
) -> HttpResponse:
    may_edit = entry is not None or rights_of(request.actor, issue.repository).edit(issue)
    context = {**_of(issue), "entry": entry, "title": title, "body": body, "may_edit": may_edit, "error": error}
    return render(request, "issues/edit.html", context, status=error.code if error else 200)


def _of(issue: Issue) -> dict[str, object]:
    return {"repository": issue.repository, "issue": issue, "tab": "pulls" if issue.is_pull else "issues"}


def to_entry(issue: Issue, entry: Entry) -> HttpResponse:
    """Back to the conversation, at the page where this entry, or the thread it belongs to, is the first."""
    stands = Entry.objects.filter(thread=entry.thread_id).order_by("pk")[0].pk if entry.thread_id else entry.pk
    before = timeline.standing(issue).filter(pk__lt=stands).order_by("-pk").values_list("pk", flat=True)
    last = before.first() if before.count() >= timeline.PAGE_ENTRIES else None
    page = f"?after={last}" if last else ""
    return redirect(f"{issue.get_absolute_url()}{page}#comment-{entry.pk}")
