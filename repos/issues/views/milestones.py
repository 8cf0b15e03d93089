"""The page of milestones with their progress, and what changes them."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from django import forms
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from hub.accounts.http import HubRequest
from hub.lib.errors import Unprocessable
from hub.lib.paging import page_of
from repos.issues import milestones, timeline
from repos.issues.models import Milestone
from repos.issues.references import references_of
from repos.issues.rights import rights_of
from repos.issues.texts import BODY_CHARACTERS
from repos.issues.views.gate import readable, writable
from repos.issues.views.lists import search
from repos.models import Repository

PAGE_ROWS = 20
form_methods = require_http_methods(["GET", "HEAD", "POST"])


class MilestoneForm(forms.Form):
    title = forms.CharField(max_length=200, help_text="What will be reached, e.g. Clean labels.")
    description = forms.CharField(
        max_length=BODY_CHARACTERS, required=False, widget=forms.Textarea(attrs={"rows": 6}), help_text="Markdown."
    )
    due = forms.DateField(required=False, widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"))


@require_safe
def page(request: HubRequest, owner: str, name: str) -> HttpResponse:
    repository, closed = readable(request, owner, name), request.GET.get("state") == "closed"
    rows = page_of(milestones.listed(repository, closed=closed), request.GET.get("page", "1"), PAGE_ROWS)
    mentioned = references_of(repository, request.actor, [row.description for row in rows.rows])
    context = {
        "repository": repository,
        "tab": "issues",
        "page": rows,
        "closed": closed,
        "shown": [(row, timeline.rendered(row.description, mentioned), _search(row)) for row in rows.rows],
        "rights": rights_of(request.actor, repository),
    }
    return render(request, "issues/milestones.html", context)


@login_required
@form_methods
def new(request: HubRequest, owner: str, name: str) -> HttpResponse:
    repository = writable(request, owner, name)
    form = MilestoneForm(request.POST or None)
    if _saved(form, partial(milestones.create, request.actor, repository)):
        return redirect("issues:milestones", owner, name)
    return _form(request, repository, form, None)


@login_required
@form_methods
def edit(request: HubRequest, owner: str, name: str, number: int) -> HttpResponse:
    repository = writable(request, owner, name)
    milestone = milestones.milestone_of(repository, number)
    now = {"title": milestone.title, "description": milestone.description, "due": milestone.due}
    form = MilestoneForm(request.POST or None, initial=now)
    if _saved(form, partial(milestones.change, request.actor, milestone)):
        return redirect("issues:milestones", owner, name)
    return _form(request, repository, form, milestone)


@login_required
@require_POST
def close(request: HubRequest, owner: str, name: str, number: int) -> HttpResponse:
    milestones.close(request.actor, milestones.milestone_of(writable(request, owner, name), number), True)
    return redirect("issues:milestones", owner, name)


@login_required
@require_POST
def reopen(request: HubRequest, owner: str, name: str, number: int) -> HttpResponse:
    milestones.close(request.actor, milestones.milestone_of(writable(request, owner, name), number), False)
    return redirect("issues:milestones", owner, name)


@login_required
@require_POST
def remove(request: HubRequest, owner: str, name: str, number: int) -> HttpResponse:
    milestones.remove(request.actor, milestones.milestone_of(writable(request, owner, name), number))
    return redirect("issues:milestones", owner, name)


def _saved(form: MilestoneForm, save: Callable[..., object]) -> bool:
    if not form.is_valid():
        return False
    try:
        save(**form.cleaned_data)
    except Unprocessable as error:
        form.add_error(None, str(error))
    return not form.errors


def _search(milestone: Milestone) -> str:
    return search(f'is:open milestone:"{milestone.title}"')


def _form(
    request: HubRequest, repository: Repository, form: MilestoneForm, milestone: Milestone | None
) -> HttpResponse:
    context = {"repository": repository, "tab": "issues", "form": form, "milestone": milestone}
    return render(request, "issues/milestone_form.html", context, status=422 if form.errors else 200)
