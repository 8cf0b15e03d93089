"""/settings/data: which columns name a row of a table."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from datasets.tracked import declared_keys
from hub.accounts.http import HubRequest
from hub.lib.errors import Unprocessable
from hub.lib.paging import page_of
from repos.models import Repository
from repos.views.settings.gate import administered

PAGE_ROWS = 50


@require_safe
def page(request: HubRequest, owner: str, name: str) -> HttpResponse:
    return _page(request, administered(request, owner, name))


@require_POST
def add(request: HubRequest, owner: str, name: str) -> HttpResponse:
    repository = administered(request, owner, name)
    pattern, columns = request.POST.get("pattern", ""), request.POST.get("columns", "")
    try:
        declared_keys.put(repository, pattern, columns.split(","))
    except Unprocessable as error:
        given = {"pattern": pattern, "columns": columns, "problem": f"{error.message} {error.details}".strip()}
        return _page(request, repository, given, status=422)
    messages.success(request, f"Rows of {pattern.strip()} are named by {columns.strip()}.")
    return redirect("datasets:keys", owner, name)


@require_POST
def remove(request: HubRequest, owner: str, name: str, key_id: int) -> HttpResponse:
    repository = administered(request, owner, name)
    repository.table_keys.filter(pk=key_id).delete()
    return redirect("datasets:keys", owner, name)


def _page(
    request: HubRequest, repository: Repository, given: dict[str, str] | None = None, *, status: int = 200
) -> HttpResponse:
    rows = page_of(repository.table_keys.order_by("pattern"), request.GET.get("page", "1"), PAGE_ROWS)
    context = {"repository": repository, "tab": "settings", "section": "data", "page": rows, **(given or {})}
    return render(request, "datasets/keys.html", context, status=status)
