"""/settings/pull-requests: how they may be merged, what becomes of their branches, whether they get a summary."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from hub.accounts.http import HubRequest
from hub.lib.errors import Unprocessable
from repos import repositories, ways
from repos.models import Repository
from repos.pulls import summaries
from repos.views.settings.gate import administered


class MergingForm(forms.Form):
    merge = forms.BooleanField(required=False, label=ways.LABELS["merge"], help_text="Every commit stays as it is.")
    squash = forms.BooleanField(
        required=False, label=ways.LABELS["squash"], help_text="The base has one commit for each pull request."
    )
    rebase = forms.BooleanField(
        required=False,
        label=ways.LABELS["rebase"],
        help_text="Each commit is put on the base again, its author kept; the history is one line.",
    )
    usual = forms.ChoiceField(
        label="What the merge box proposes", choices=[(method, ways.LABELS[method]) for method in ways.METHODS]
    )
    delete_merged_branches = forms.BooleanField(
        required=False,
        label="Propose to delete the branch after the merge",
        help_text="It can be restored on the pull request's page.",
    )
    summaries = forms.BooleanField(
        required=False,
        label="Write a summary into each pull request",
        help_text="One comment, kept up to date: the metrics of its runs against the base, what changed in the data, "
        "and whether columns drifted. Each reader sees what they may read.",
    )


@require_http_methods(["GET", "HEAD", "POST"])
def page(request: HubRequest, owner: str, name: str) -> HttpResponse:
    repository = administered(request, owner, name)
    form = MergingForm(request.POST if request.method == "POST" else None, initial=_present(repository))
    if request.method == "POST" and form.is_valid():
        wanted = form.cleaned_data
        try:
            methods = ways.changed(repository, {method: wanted[method] for method in ways.METHODS}, wanted["usual"])
            delete = wanted["delete_merged_branches"]
            repositories.update(request.actor, repository, merge_methods=methods, delete_merged_branches=delete)
            summaries.want(repository, wanted=wanted["summaries"])
            messages.success(request, "Settings saved.")
            return redirect("pulls:settings", owner, name)
        except Unprocessable as error:
            form.add_error(None, f"{error.message} {error.details}")
    context = {"repository": repository, "tab": "settings", "section": "pulls", "form": form}
    return render(request, "pulls/settings.html", context, status=422 if form.errors else 200)


def _present(repository: Repository) -> dict[str, Any]:
    allowed = ways.allowed(repository)
    return {
        **{method: method in allowed for method in ways.METHODS},
        "usual": allowed[0],
        "delete_merged_branches": repository.delete_merged_branches,
        "summaries": summaries.wanted(repository),
    }
