"""Attach files without scripts: a plain form, and then what to write into the text; remove them."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from hub.accounts.actor import Area
from hub.accounts.http import HubRequest
from hub.lib.paging import page_of
from repos import access
from repos.access import Access
from repos.attachments import attaching
from repos.attachments.models import Attachment

PAGE_ROWS = 20


@login_required
@require_safe
def page(request: HubRequest, owner: str, name: str) -> HttpResponse:
    """?made=: tokens of those that were just attached."""
    repository = access.repository_for(request.actor, owner, name, need=Access.READ, area=Area.ISSUES)
    tokens = request.GET.getlist("made")[: attaching.MAX_FILES]
    rows = Attachment.objects.filter(repository=repository, token__in=tokens, uploader=request.user)
    made = [(row, attaching.markdown(repository, row)) for row in rows.order_by("pk")]
    context = {"repository": repository, "tab": "issues", "made": made, "attaching": attaching}
    here = page_of(attaching.removable(request.actor, repository), request.GET.get("page", "1"), PAGE_ROWS)
    context |= {"page": here, "files": [(row, attaching.address(repository, row)) for row in here.rows]}
    return render(request, "attachments/page.html", context)


@login_required
@require_POST
def remove(request: HubRequest, owner: str, name: str, token: str) -> HttpResponse:
    repository = access.repository_for(request.actor, owner, name, need=Access.READ, area=Area.ISSUES)
    attaching.remove(request.actor, repository, token)
    messages.success(request, "Removed. Texts that name it say so.")
    return redirect("attachments:page", owner, name)
