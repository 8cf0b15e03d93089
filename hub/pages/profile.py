"""/{owner}: a person's page with the repositories that the one who looks may see."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from hub.accounts.http import HubRequest
from hub.accounts.models import Owner
from hub.lib.errors import NotFound
from hub.pages.listing import listing
from repos.models import Repository


@require_safe
def profile(request: HubRequest, owner: str) -> HttpResponse:
    found = Owner.objects.select_related("user").filter(name_key=owner.lower()).first()
    if found is None or (found.kind == Owner.Kind.USER and not found.user.is_active):
        raise NotFound()
    if found.name != owner:
        return redirect("profile", found.name)
    repositories = listing(Repository.objects.visible_to(request.actor).filter(owner=found), request.GET)
    person = found.user if found.kind == Owner.Kind.USER else None
    context = {"owner": found, "person": person, "listing": repositories}
    return render(request, "hub/profile.html", context)
