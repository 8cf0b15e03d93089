"""Threads about places: begin one, reply, resolve. htmx gets the thread as it is then, others the way to it."""

from __future__ import annotations

import json
from typing import Any

from django.contrib.auth.decorators import login_required
from django.db import transaction
from django.http import HttpResponse, QueryDict
from django.shortcuts import render
from django.views.decorators.http import require_POST, require_safe

from hub.accounts.http import HubRequest
from hub.lib.errors import Invalid, NotFound, Unprocessable
from hub.lib.numbers import whole
from repos.issues import opening, threads, timeline
from repos.issues.models import Issue, Thread
from repos.issues.rights import rights_of, taking_part
from repos.issues.threads import Spot
from repos.issues.views.gate import number_in, readable
from repos.issues.views.talk import form, to_entry
from repos.models import Repository

MOST_DETAIL_CHARACTERS = 10_000


@require_safe
def thread(request: HubRequest, owner: str, name: str, thread_id: int) -> HttpResponse:
    """The way to a thread in its conversation; for htmx its fragment, or with ?before= some of what it hides."""
    found = threads.thread_of(readable(request, owner, name), thread_id)
    if before := request.GET.get("before", ""):
        rights = rights_of(request.actor, found.repository)
        hidden = timeline.hidden_of(found, request.actor, rights, before=before)
        return render(request, "issues/_thread_comments.html", _of(found) | {"shown": hidden, "some": hidden.comments})
    return _settled(request, found)


@login_required
@require_POST
def reply(request: HubRequest, owner: str, name: str, thread_id: int) -> HttpResponse:
    found = threads.thread_of(readable(request, owner, name), thread_id)
    entry = threads.reply(request.actor, found, request.POST.get("body", ""))
    return _settled(request, found) if request.headers.get("HX-Request") else to_entry(found.issue, entry)


@login_required
@require_POST
def resolve(request: HubRequest, owner: str, name: str, thread_id: int) -> HttpResponse:
    found = threads.thread_of(readable(request, owner, name), thread_id)
    threads.resolve(request.actor, found)
    return _settled(request, found)


@login_required
@require_POST
def unresolve(request: HubRequest, owner: str, name: str, thread_id: int) -> HttpResponse:
    found = threads.thread_of(readable(request, owner, name), thread_id)
    threads.unresolve(request.actor, found)
    return _settled(request, found)


@login_required
@form
def begin(request: HubRequest, owner: str, name: str) -> HttpResponse:
    """From the page of a place: into an issue that is there, or into a new one."""
    repository = readable(request, owner, name)
    taking_part(request.actor, repository)
    fields = request.POST if request.method == "POST" else request.GET
    spot = threads.checked_spot(request.actor, repository, _spot(fields))
    if request.method != "POST":
        return _form(request, repository, spot, fields)
    try:
        with transaction.atomic():  # a new issue is opened with what is said in it, or not at all
            issue = _issue(request, repository)
            entry = threads.write(request.actor, issue, spot, request.POST.get("body", ""))
    except (Unprocessable, NotFound) as error:
        return _form(request, repository, spot, fields, error)
    return to_entry(issue, entry)


def _issue(request: HubRequest, repository: Repository) -> Issue:
    """The one whose number is given, else a new one."""
    if number := number_in(request, "issue"):
        return opening.issue_of(repository, number)
    return opening.open_issue(request.actor, repository, title=request.POST.get("title", ""))


def _spot(fields: QueryDict) -> Spot:
    """Raises Invalid on a detail that is no JSON object."""
    try:
        detail = json.loads(fields.get("detail", "{}")[:MOST_DETAIL_CHARACTERS])
    except (ValueError, RecursionError) as error:
        raise Invalid("The detail of a place is a JSON object.") from error
    if not isinstance(detail, dict):
        raise Invalid("The detail of a place is a JSON object.")
    return Spot(fields.get("kind", ""), fields.get("path", ""), fields.get("rev", ""), detail)


def _form(
    request: HubRequest,
    repository: Repository,
    spot: Spot,
    fields: QueryDict,
    error: Unprocessable | NotFound | None = None,
) -> HttpResponse:
    listed = Issue.objects.filter(repository=repository, state=Issue.State.OPEN).order_by("-updated")
    asked = whole(fields.get("issue", ""))
    chosen = listed.filter(number=asked) if asked is not None else ()
    recent = list(dict.fromkeys([*chosen, *listed[:20]]))
    context: dict[str, Any] = {"repository": repository, "tab": "issues", "spot": spot, "error": error}
    context |= {"detail": fields.get("detail", "{}"), "recent": recent, "fields": fields}
    context["shown"] = threads.shown_spot(request.actor, repository, spot)
    return render(request, "issues/begin.html", context, status=error.code if error else 200)


def _settled(request: HubRequest, found: Thread) -> HttpResponse:
    """The fragment with a thread as it is now, or the way to it."""
    if not request.headers.get("HX-Request"):
        return to_entry(found.issue, found.comments.order_by("pk")[0])
    found = threads.thread_of(found.repository, found.pk)
    rights = rights_of(request.actor, found.repository)
    (shown,) = timeline.shown_threads(found.repository, request.actor, rights, [found])
    return render(request, "issues/_thread.html", _of(found) | {"shown": shown})


def _of(found: Thread) -> dict[str, Any]:
    return {"repository": found.repository, "issue": found.issue}
