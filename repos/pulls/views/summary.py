"""The hub's summary of a pull request, and whether a repository wants any."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from hub.accounts.http import HubRequest
from hub.lib.errors import NotFound
from repos.pulls import summaries
from repos.pulls.views.gate import pull_at
from repos.views.settings.gate import administered


@require_safe
def summary(request: HubRequest, owner: str, name: str, number: int) -> HttpResponse:
    """The fragment, as new as it can be; while a newer one is made it asks again."""
    pull = pull_at(request, owner, name, number)
    entry, waits = summaries.looked_at(pull)
    if entry is None:
        raise NotFound("This pull request has no summary.", details="It gets one when metrics or data differ.")
    return HttpResponse(summaries.html(entry, request.actor, on_page=False, waits=waits))


@require_safe
def settings(request: HubRequest, owner: str, name: str) -> HttpResponse:
    repository = administered(request, owner, name)
    context = {"repository": repository, "tab": "settings", "section": "summaries"}
    return render(request, "pulls/settings.html", {**context, "wanted": summaries.wanted(repository)})


@require_POST
def switch(request: HubRequest, owner: str, name: str) -> HttpResponse:
    repository = administered(request, owner, name)
    wanted = request.POST.get("summaries") == "1"
    summaries.want(repository, wanted=wanted)
    messages.success(request, f"Pull requests {'get' if wanted else 'no longer get'} a summary.")
    return redirect("pulls:settings", owner, name)
