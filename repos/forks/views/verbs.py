"""Fork, try again, sync: one address each."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from hub.accounts.http import HubRequest, refusals_told
from hub.lib.errors import Unprocessable
from repos.forks import copying, making, syncing, upstream
from repos.forks.making import Wish
from repos.forks.views.gate import readable, writable


@login_required
@require_POST
def create(request: HubRequest, owner: str, name: str) -> HttpResponse:
    repository, asked = readable(request, owner, name), request.POST
    wish = Wish(
        asked.get("name", "").strip(),
        asked.get("description", ""),
        True if asked.get("visibility") == "private" else None,
        asked.get("only_default") == "1",
    )
    try:
        made, new = making.fork(request.actor, repository, wish)
    except Unprocessable as error:
        context = {"repository": repository, "tab": "files", "error": error, "name": wish.name, "wish": wish}
        return render(request, "forks/new.html", {**context, "description": wish.description}, status=422)
    if not new:
        messages.info(request, f"You have {made.full_name} of it already; here it is.")
    return redirect(made)


@login_required
@require_POST
def again(request: HubRequest, owner: str, name: str) -> HttpResponse:
    repository = writable(request, owner, name)
    copying.again(repository)
    return redirect(repository)


@login_required
@require_POST
def sync(request: HubRequest, owner: str, name: str) -> HttpResponse:
    repository = writable(request, owner, name)
    branch = request.POST.get("branch", "") or repository.default_branch
    with refusals_told(request):
        done = syncing.sync(request.actor, repository, branch)
        if isinstance(done, upstream.Synced):
            messages.success(request, syncing.DONE[done.kind].format(parent=done.parent.full_name))
    return redirect(repository)
