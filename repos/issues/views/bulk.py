"""What is done to the ticked rows of a list (number=…); the address of each verb carries the search, to lead back."""

from __future__ import annotations

from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_POST

from hub.accounts.http import HubRequest
from hub.lib.errors import Invalid
from hub.lib.numbers import LARGEST_NUMBER, whole
from repos.issues import bulk, labels, milestones, triage
from repos.issues.bulk import Act
from repos.issues.views.gate import number_in, readable
from repos.models import Repository

MOST_TOLD = 10


@login_required
@require_POST
def close(request: HubRequest, owner: str, name: str) -> HttpResponse:
    return changed(request, readable(request, owner, name), bulk.closing(request.actor), "closed")


@login_required
@require_POST
def reopen(request: HubRequest, owner: str, name: str) -> HttpResponse:
    return changed(request, readable(request, owner, name), bulk.reopening(request.actor), "open")


@login_required
@require_POST
def label(request: HubRequest, owner: str, name: str) -> HttpResponse:
    return _label(request, readable(request, owner, name), on=True)


@login_required
@require_POST
def unlabel(request: HubRequest, owner: str, name: str) -> HttpResponse:
    return _label(request, readable(request, owner, name), on=False)


@login_required
@require_POST
def milestone(request: HubRequest, owner: str, name: str) -> HttpResponse:
    """No number: out of any."""
    repository, number = readable(request, owner, name), number_in(request, "milestone")
    wanted = milestones.milestone_of(repository, number) if number else None
    said = f"in the milestone {wanted.title}" if wanted else "in no milestone"
    return changed(request, repository, bulk.putting_into(request.actor, wanted), said)


@login_required
@require_POST
def assign(request: HubRequest, owner: str, name: str) -> HttpResponse:
    repository = readable(request, owner, name)
    people = triage.people_named(repository, [_chosen(request, "assignee")])
    said = f"assigned to {people[0].username}"
    return changed(request, repository, bulk.assigning(request.actor, people), said)


@login_required
@require_POST
def unassign(request: HubRequest, owner: str, name: str) -> HttpResponse:
    """Also of somebody who lost access since."""
    repository = readable(request, owner, name)
    people = triage.once_assigned(repository, _chosen(request, "assignee"))
    said = f"no longer assigned to {people[0].username}"
    return changed(request, repository, bulk.assigning(request.actor, people, on=False), said)


def changed(request: HubRequest, repository: Repository, act: Act, said: str) -> HttpResponse:
    """Do it to each, tell how it went, and lead back to the list."""
    report = bulk.each(repository, _numbers(request), act)
    if report.done:
        count = len(report.done)
        messages.success(request, f"{count} {'is' if count == 1 else 'are'} {said}.")
    if report.refused:
        reasons = [f"#{number}: {error.message}" for number, error in report.refused.items()]
        rest = len(reasons) - MOST_TOLD
        more = [f"and {rest} more"] if rest > 0 else []
        messages.error(request, f"{len(reasons)} stayed as before. {' '.join([*reasons[:MOST_TOLD], *more])}")
    page = "pulls:index" if request.GET.get("kind") == "pull" else "issues:index"
    kept = {key: request.GET[key] for key in ("q", "after") if request.GET.get(key)}
    return redirect(f"{reverse(page, args=repository.full_name.split('/'))}?{urlencode(kept)}".rstrip("?"))


def _label(request: HubRequest, repository: Repository, *, on: bool) -> HttpResponse:
    wanted = labels.named(repository, [_chosen(request, "label")])
    said = f"labelled {wanted[0].name}" if on else f"without the label {wanted[0].name}"
    return changed(request, repository, bulk.labelling(request.actor, wanted, on=on), said)


def _chosen(request: HubRequest, field: str) -> str:
    text = request.POST.get(field, "").strip()
    if not text:
        raise Invalid(f"No {field} is chosen.", details=f"Choose the {field} beside the button.")
    return text


def _numbers(request: HubRequest) -> list[int]:
    given = request.POST.getlist("number")
    numbers = [number for text in given if (number := whole(text, most=LARGEST_NUMBER)) is not None]
    if len(numbers) < len(given):
        raise Invalid("number must be whole numbers.")
    return numbers
