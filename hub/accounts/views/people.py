"""Settings → People: administrators let people in or keep them out, and make other administrators."""

from __future__ import annotations

from collections.abc import Callable

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from hub.accounts import people
from hub.accounts.actor import Actor
from hub.accounts.http import HubRequest, require_typed
from hub.accounts.models import User
from hub.lib.errors import Conflict, HubError, Unprocessable
from hub.lib.paging import page_of, words_of

PAGE_SIZE = 50


@login_required
@require_safe
def index(request: HubRequest) -> HttpResponse:
    people.require_administrator(request.actor)
    q = words_of(request.GET.get("q", ""))
    page = page_of(people.matching(q), request.GET.get("page", "1"), PAGE_SIZE)
    return render(request, "account/people.html", {"page": page, "q": q})


@login_required
@require_safe
def person(request: HubRequest, user_id: int) -> HttpResponse:
    people.require_administrator(request.actor)
    return _show(request, people.find(user_id))


@login_required
@require_POST
def deactivate(request: HubRequest, user_id: int) -> HttpResponse:
    return _change(
        request, user_id, people.deactivate, "{} is deactivated: nothing of theirs lets anybody in any more."
    )


@login_required
@require_POST
def reactivate(request: HubRequest, user_id: int) -> HttpResponse:
    return _change(request, user_id, people.reactivate, "{} may come in again.")


@login_required
@require_POST
def make_administrator(request: HubRequest, user_id: int) -> HttpResponse:
    return _change(request, user_id, people.make_administrator, "{} administers this hub now.")


@login_required
@require_POST
def revoke_administrator(request: HubRequest, user_id: int) -> HttpResponse:
    return _change(request, user_id, people.revoke_administrator, "{} does not administer this hub any more.")


def _change(request: HubRequest, user_id: int, act: Callable[[Actor, int], User], told: str) -> HttpResponse:
    """Gate, the name in writing, the act; what was refused is said on the person's page."""
    people.require_administrator(request.actor)
    found = people.find(user_id)
    try:
        require_typed(request, found.username)
        act(request.actor, user_id)
    except (Unprocessable, Conflict) as error:
        return _show(request, found, act=act.__name__, problem=error)
    messages.success(request, told.format(found.username))
    if found.pk == request.user.pk and act is not people.reactivate:
        return redirect("home")  # what one took from oneself takes this page along
    return redirect("settings_person", user_id)


def _show(request: HubRequest, found: User, *, act: str = "", problem: HubError | None = None) -> HttpResponse:
    live = found.tokens.filter(revoked=None).count()
    context = {"person": found, "tokens": live, "act": act, "problem": problem}
    return render(request, "account/person.html", context, status=problem.code if problem else 200)
