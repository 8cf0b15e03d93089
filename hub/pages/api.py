"""The page that describes the REST API, and the address DagsHub's client reports its use to."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST, require_safe

from hub.accounts.http import HubRequest


@require_safe
def docs(request: HubRequest) -> HttpResponse:
    return render(request, "hub/api_docs.html")


@csrf_exempt
@require_POST
def analytics(request: HubRequest) -> HttpResponse:
    """Nothing is kept: the client only must not fail."""
    return HttpResponse(status=204)
