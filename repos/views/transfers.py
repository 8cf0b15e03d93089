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
from repos.models import Transfer


@login_required
@require_safe
def page(request: HubRequest) -> HttpResponse:
    rows = Transfer.objects.filter(recipient=request.user.owner_id, repository__deleted=None)
    rows = rows.select_related("repository__owner", "offered_by").order_by("-pk")[:100]
    return render(request, "repos/transfers.html", {"rows": rows})


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
