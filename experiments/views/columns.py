"""Choosing the columns of the table: kept for the person, and led back to an address that names them."""

from __future__ import annotations

from django.http import HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.views.decorators.http import require_POST

from experiments.table import state
from experiments.table.addresses import link
from experiments.views.runs import readable
from hub.accounts.http import HubRequest
from repos.models import Repository


@require_POST
def choose(request: HubRequest, owner: str, name: str) -> HttpResponse:
    repository = readable(request, owner, name)
    chosen = state.choice(request.POST)
    state.remember(request.actor, repository, chosen)
    return back(request, repository, **{**dict.fromkeys(state.COLUMN_FIELDS), **dict(chosen.lists())})


@require_POST
def forget(request: HubRequest, owner: str, name: str) -> HttpResponse:
    """The columns that most of the runs have, as before anybody chose."""
    repository = readable(request, owner, name)
    state.forget(request.actor, repository)
    return back(request, repository, **dict.fromkeys(state.COLUMN_FIELDS))


def back(request: HubRequest, repository: Repository, **changes: object) -> HttpResponse:
    """To the table as the query of this address says it, with something changed."""
    here = reverse("experiments:runs", args=[repository.owner.name, repository.name])
    return HttpResponseRedirect(here + link(request.GET, **changes))
