"""/settings/branches: what the branches ask for before they change."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from hub.accounts.http import HubRequest
from hub.lib.errors import Conflict, Unprocessable
from repos import rules
from repos.models import BranchRule, Repository
from repos.rules import Fields, Push
from repos.views.settings.gate import administered

PUSH = [
    (Push.WRITERS, "Everybody with write access"),
    (Push.ADMINS, "Administrators only"),
    (Push.NOBODY, "Nobody: changes come through pull requests"),
]


class RuleForm(forms.Form):
    pattern = forms.CharField(
        max_length=250,
        label="Branches",
        help_text="A name, or a pattern: * is anything but a slash, ** is anything. For example main, release/*.",
    )
    push = forms.ChoiceField(choices=PUSH, label="Who may push directly", initial=Push.NOBODY)
    approvals = forms.IntegerField(
        min_value=0, max_value=rules.MOST_APPROVALS, label="Approvals a pull request needs", initial=1
    )
    approvals_of_head = forms.BooleanField(
        required=False, label="An approval counts for the commit it was given", help_text="A push asks for new ones."
    )
    owners = forms.BooleanField(
        required=False,
        label="Owners must approve",
        help_text="Those whom .covey/OWNERS on the branch names for the files a pull request touches.",
    )
    statuses = forms.CharField(
        required=False,
        max_length=rules.MOST_STATUSES * (rules.CONTEXT_CHARACTERS + 2),
        widget=forms.Textarea(attrs={"rows": 3, "spellcheck": "false"}),
        label="Statuses that must have succeeded",
        help_text="One name a line, as your CI sends it in `context`. For example ci/tests.",
    )
    up_to_date = forms.BooleanField(
        required=False,
        label="Pull requests must be up to date",
        help_text="They hold every commit of the branch before they are merged.",
    )
    reviewed_data = forms.BooleanField(
        required=False,
        label="No unreviewed data change",
        help_text="Data that changed after the newest approval must be approved again.",
    )
    binds_admins = forms.BooleanField(
        required=False, initial=True, label="Administrators are bound too", help_text="Otherwise they may pass it all."
    )

    def fields_given(self) -> Fields:
        chosen = self.cleaned_data
        return Fields(**{**chosen, "statuses": tuple(chosen["statuses"].splitlines())})


@require_safe
def page(request: HubRequest, owner: str, name: str) -> HttpResponse:
    return _page(request, administered(request, owner, name), RuleForm())


@require_POST
def add(request: HubRequest, owner: str, name: str) -> HttpResponse:
    repository, form = administered(request, owner, name), RuleForm(request.POST)
    if form.is_valid():
        try:
            rule = rules.add(request.actor, repository, form.fields_given())
            messages.success(request, f"The rule for {rule.pattern} holds from now on.")
            return redirect("repos:branch-rules", owner, name)
        except (Unprocessable, Conflict) as error:
            form.add_error(None, f"{error.message} {error.details}".strip())
    return _page(request, repository, form, status=422)


@require_safe
def edit(request: HubRequest, owner: str, name: str, rule_id: int) -> HttpResponse:
    rule = rules.rule_of(administered(request, owner, name), rule_id)
    return _edit(request, rule, RuleForm(initial=_present(rule)))


@require_POST
def change(request: HubRequest, owner: str, name: str, rule_id: int) -> HttpResponse:
    rule, form = rules.rule_of(administered(request, owner, name), rule_id), RuleForm(request.POST)
    if form.is_valid():
        try:
            rules.change(request.actor, rule, form.fields_given())
            messages.success(request, "The rule is changed.")
            return redirect("repos:branch-rules", owner, name)
        except (Unprocessable, Conflict) as error:
            form.add_error(None, f"{error.message} {error.details}".strip())
    return _edit(request, rule, form, status=422)


@require_POST
def remove(request: HubRequest, owner: str, name: str, rule_id: int) -> HttpResponse:
    rule = rules.rule_of(administered(request, owner, name), rule_id)
    rules.remove(request.actor, rule)
    messages.success(request, f"The rule for {rule.pattern} is removed.")
    return redirect("repos:branch-rules", owner, name)


def _present(rule: BranchRule) -> dict[str, Any]:
    given = rules.fields_of(rule)
    return {**vars(given), "statuses": "\n".join(given.statuses)}


def _page(request: HubRequest, repository: Repository, form: RuleForm, *, status: int = 200) -> HttpResponse:
    context = {**_context(repository), "rules": rules.listed(repository), "form": form, "push_words": dict(PUSH)}
    return render(request, "repos/settings/branches.html", context, status=status)


def _edit(request: HubRequest, rule: BranchRule, form: RuleForm, *, status: int = 200) -> HttpResponse:
    context = {**_context(rule.repository), "rule": rule, "form": form}
    return render(request, "repos/settings/branch_rule.html", context, status=status)


def _context(repository: Repository) -> dict[str, Any]:
    return {"repository": repository, "tab": "settings", "section": "branches"}
