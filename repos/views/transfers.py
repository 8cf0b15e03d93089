"""/transfers: repositories offered to me."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from hub.accounts.http import HubRequest
from hub.lib.errors import Unprocessable
from repos import transfers


@login_required
@require_safe
def page(request: HubRequest) -> HttpResponse:
    return render(request, "repos/transfers.html", {"rows": transfers.offers_to(request.actor)[:100]})


@login_required
@require_POST
def accept(request: HubRequest, transfer_id: int) -> HttpResponse:
    transfer = transfers.offer_for(request.actor, transfer_id)
    try:
        repository = transfers.accept(request.actor, transfer)
    except Unprocessable as error:
        messages.error(request, f"{error.message} Rename yours first, then accept.")
        return redirect("repos:transfers")
    messages.success(request, "It is yours now.")
    return redirect(repository)


@login_required
@require_POST
def decline(request: HubRequest, transfer_id: int) -> HttpResponse:
    transfers.decline(request.actor, transfers.offer_for(request.actor, transfer_id))
    messages.success(request, "Declined.")
    return redirect("repos:transfers")
