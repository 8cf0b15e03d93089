"""What one click does to an issue or a pull request; each leads back to it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.contrib.auth.decorators import login_required
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from hub.accounts.http import HubRequest
from hub.lib.numbers import whole
from repos.issues import conversation, labels, milestones, opening, states, triage
from repos.issues.models import Issue, Label
from repos.issues.views.gate import number_in, readable, writable


@login_required
@require_POST
def close(request: HubRequest, owner: str, name: str, number: int) -> HttpResponse:
    issue = opening.issue_of(readable(request, owner, name), number)
    with said_beside(request, issue):
        states.close(request.actor, issue)
    return redirect(issue)


@login_required
@require_POST
def reopen(request: HubRequest, owner: str, name: str, number: int) -> HttpResponse:
    issue = opening.issue_of(readable(request, owner, name), number, is_pull=False)
    with said_beside(request, issue):
        states.reopen(request.actor, issue)
    return redirect(issue)


@contextmanager
def said_beside(request: HubRequest, issue: Issue) -> Iterator[None]:
    """What was written beside a button becomes a comment, if what the button does succeeds."""
    with transaction.atomic():
        if request.POST.get("body", "").strip():
            conversation.comment(request.actor, issue, request.POST["body"])
        yield


@login_required
@require_POST
def lock(request: HubRequest, owner: str, name: str, number: int) -> HttpResponse:
    issue = opening.issue_of(writable(request, owner, name), number)
    states.lock(request.actor, issue, True)
    return redirect(issue)


@login_required
@require_POST
def unlock(request: HubRequest, owner: str, name: str, number: int) -> HttpResponse:
    issue = opening.issue_of(writable(request, owner, name), number)
    states.lock(request.actor, issue, False)
    return redirect(issue)


@login_required
@require_POST
def set_labels(request: HubRequest, owner: str, name: str, number: int) -> HttpResponse:
    """Exactly those that are ticked; one that was removed meanwhile is passed over."""
    issue = opening.issue_of(writable(request, owner, name), number)
    ids = [pk for text in request.POST.getlist("label") if (pk := whole(text)) is not None]
    chosen = list(Label.objects.filter(repository=issue.repository, pk__in=ids[: labels.MOST]))
    triage.set_labels(request.actor, issue, chosen)
    return redirect(issue)


@login_required
@require_POST
def set_assignees(request: HubRequest, owner: str, name: str, number: int) -> HttpResponse:
    issue = opening.issue_of(writable(request, owner, name), number)
    stay = list(issue.assignees.select_related("owner"))
    asked = {text.lower() for text in request.POST.getlist("assignee")}
    kept = [person for person in stay if person.owner.name_key in asked]
    new = triage.people_named(issue.repository, asked - {person.owner.name_key for person in kept})
    triage.set_assignees(request.actor, issue, [*kept, *new])
    return redirect(issue)


@login_required
@require_POST
def set_milestone(request: HubRequest, owner: str, name: str, number: int) -> HttpResponse:
    issue = opening.issue_of(writable(request, owner, name), number)
    wanted = number_in(request, "milestone")
    triage.set_milestone(request.actor, issue, milestones.milestone_of(issue.repository, wanted) if wanted else None)
    return redirect(issue)
