"""/new: make a repository."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from hub.accounts.http import HubRequest
from hub.lib.errors import Unprocessable
from repos import repositories, starting
from repos.repositories import Start


class NewRepositoryForm(forms.Form):
    name = forms.CharField(max_length=100, help_text="Letters, digits, '-', '_' and '.'.")
    description = forms.CharField(max_length=350, required=False)
    visibility = forms.ChoiceField(
        choices=[
            ("private", "Private: only you and people you invite"),
            ("public", "Public: anyone who reaches this hub may read it"),
        ],
        widget=forms.RadioSelect,
        initial="private",
    )
    readme = forms.BooleanField(required=False, label="Add a README")
    dvc = forms.BooleanField(
        required=False, label="Set up DVC", help_text="Commits .dvc/config with this repository as the data remote."
    )
    gitignore = forms.ChoiceField(
        required=False, label=".gitignore", choices=[("", "None"), *((name, name) for name in starting.GITIGNORES)]
    )
    licence = forms.ChoiceField(
        required=False, label="Licence", choices=[("", "None"), *((name, name) for name in starting.LICENCES)]
    )

    @property
    def start(self) -> Start:
        chosen: dict[str, Any] = self.cleaned_data
        return Start(**{name: chosen[name] for name in ("readme", "gitignore", "licence", "dvc")})


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HubRequest) -> HttpResponse:
    form = NewRepositoryForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        chosen = form.cleaned_data
        try:
            repository = repositories.create(
                request.actor,
                request.user.owner,
                chosen["name"],
                description=chosen["description"],
                private=chosen["visibility"] == "private",
                start=form.start,
            )
            return redirect(repository)
        except Unprocessable as error:
            form.add_error("name", f"{error.message} {error.details}")
    return render(request, "repos/new.html", {"form": form}, status=422 if form.errors else 200)
