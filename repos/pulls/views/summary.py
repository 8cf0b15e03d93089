"""The hub's summary of a pull request."""

from __future__ import annotations

from django.http import HttpResponse
from django.views.decorators.http import require_safe

from hub.accounts.http import HubRequest
from hub.lib.errors import NotFound
from repos.pulls import summaries
from repos.pulls.views.gate import pull_at


@require_safe
def summary(request: HubRequest, owner: str, name: str, number: int) -> HttpResponse:
    """The fragment, as new as it can be; while a newer one is made it asks again."""
    pull = pull_at(request, owner, name, number)
    entry, waits = summaries.looked_at(pull)
    if entry is None:
        raise NotFound("This pull request has no summary.", details="It gets one when metrics or data differ.")
    return HttpResponse(summaries.html(entry, request.actor, on_page=False, waits=waits))
