"""Attach files without scripts: a plain form, and then what to write into the text."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from hub.accounts.actor import Area
from hub.accounts.http import HubRequest
from repos import access
from repos.access import Access
from repos.attachments import attaching
from repos.attachments.models import Attachment


@login_required
@require_safe
def page(request: HubRequest, owner: str, name: str) -> HttpResponse:
    """?made=: tokens of those that were just attached."""
    repository = access.repository_for(request.actor, owner, name, need=Access.READ, area=Area.ISSUES)
    tokens = request.GET.getlist("made")[: attaching.MAX_FILES]
    rows = Attachment.objects.filter(repository=repository, token__in=tokens, uploader=request.user)
    made = [(row, attaching.markdown(repository, row)) for row in rows.order_by("pk")]
    context = {"repository": repository, "tab": "issues", "made": made, "attaching": attaching}
    return render(request, "attachments/page.html", context)
