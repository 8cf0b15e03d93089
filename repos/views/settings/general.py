"""/settings: description, website, topics, default branch."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from hub.accounts.http import HubRequest
from hub.lib.errors import Unprocessable
from repos import repositories
from repos.models import Repository
from repos.views.settings.gate import administered


class GeneralForm(forms.Form):
    description = forms.CharField(max_length=350, required=False)
    website = forms.URLField(max_length=200, required=False, assume_scheme="https")
    topics = forms.CharField(required=False, max_length=900, help_text="Up to 20 words, separated by spaces or commas.")
    default_branch = forms.CharField(max_length=250, help_text="What a clone checks out and pages show first.")

    def clean_topics(self) -> list[str]:
        return str(self.cleaned_data["topics"]).replace(",", " ").split()


@require_http_methods(["GET", "HEAD", "POST"])
def general(request: HubRequest, owner: str, name: str) -> HttpResponse:
    repository = administered(request, owner, name)
    form = GeneralForm(request.POST if request.method == "POST" else None, initial=_present(repository))
    if request.method == "POST" and form.is_valid():
        try:
            repositories.update(request.actor, repository, **form.cleaned_data)
            messages.success(request, "Settings saved.")
            return redirect("repos:settings", owner, name)
        except Unprocessable as error:
            form.add_error(None, f"{error.message} {error.details}")
    context = {"repository": repository, "tab": "settings", "section": "general", "form": form}
    return render(request, "repos/settings/general.html", context, status=422 if form.errors else 200)


def _present(repository: Repository) -> dict[str, Any]:
    return {
        "description": repository.description,
        "website": repository.website,
        "topics": " ".join(repository.topics.order_by("name").values_list("name", flat=True)),
        "default_branch": repository.default_branch,
    }
