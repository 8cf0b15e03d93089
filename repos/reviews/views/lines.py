"""Comments on lines of the Files tab: the form that opens below them, and what it sends."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from hub.accounts.http import HubRequest
from hub.lib.errors import Conflict, Denied, Invalid, NotFound, Unprocessable
from hub.lib.numbers import whole
from repos.issues import threads, timeline
from repos.issues.models import Entry, Thread
from repos.issues.rights import rights_of, taking_part
from repos.issues.threads import Spot
from repos.pulls.models import PullRequest
from repos.pulls.views.gate import pull_at
from repos.reviews import reviewing
from repos.reviews.lines import lines_at, range_of
from repos.reviews.models import Comment
from repos.reviews.reviewing import Said

# The bar above the files counts again. What was clicked is gone by then, so the page's body is told.
CHANGED = {"HX-Trigger": '{"review-changed": {"target": "body"}}'}


@login_required
@require_safe
def form(request: HubRequest, owner: str, name: str, number: int) -> HttpResponse:
    """The fragment with an empty form for some lines. Raises what a comment on them would raise."""
    pull = pull_at(request, owner, name, number)
    taking_part(request.actor, pull.repository)
    spot = threads.checked_spot(request.actor, pull.repository, _spot(request.GET))
    return _form(request, pull, spot, "")


@login_required
@require_POST
def comment(request: HubRequest, owner: str, name: str, number: int) -> HttpResponse:
    """Said at once, outside of a review."""
    pull, body = pull_at(request, owner, name, number), request.POST.get("body", "")
    spot = _spot(request.POST)
    try:
        entry = threads.begin(request.actor, pull.issue, spot, body)
    except (Unprocessable, Conflict, Denied, NotFound) as error:
        return _refused(request, pull, spot, body, error)
    return _thread(request, pull, entry)


@login_required
@require_POST
def add(request: HubRequest, owner: str, name: str, number: int) -> HttpResponse:
    """Into the pending review, which may begin here; thread: that it answers, else the lines."""
    pull, body = pull_at(request, owner, name, number), request.POST.get("body", "")
    if thread_id := request.POST.get("thread", ""):
        thread = threads.thread_of(pull.repository, timeline.number_of(thread_id))
        made = reviewing.add(request.actor, pull, Said(body, thread=thread))
        return _pending(request, pull, made)
    spot = _spot(request.POST)
    try:
        made = reviewing.add(request.actor, pull, Said(body, spot))
    except (Unprocessable, Conflict, Denied, NotFound) as error:
        return _refused(request, pull, spot, body, error)
    return _pending(request, pull, made)


@login_required
@require_POST
def change(request: HubRequest, owner: str, name: str, number: int, comment_id: int) -> HttpResponse:
    pull = pull_at(request, owner, name, number)
    found = reviewing.pending_comment(request.actor, pull, comment_id)
    reviewing.change(found, request.POST.get("body", ""))
    return _pending(request, pull, reviewing.pending_comment(request.actor, pull, comment_id))


@login_required
@require_POST
def remove(request: HubRequest, owner: str, name: str, number: int, comment_id: int) -> HttpResponse:
    pull = pull_at(request, owner, name, number)
    reviewing.remove(reviewing.pending_comment(request.actor, pull, comment_id))
    return HttpResponse("", headers=CHANGED) if _htmx(request) else _to_files(pull)


def _spot(fields: Mapping[str, str]) -> Spot:
    """Raises Invalid on what is no number."""
    detail: dict[str, Any] = {key: whole(text) for key in ("start", "line") if (text := fields.get(key, ""))}
    if None in detail.values():
        raise Invalid("Lines are named by their numbers.")
    return Spot(
        Thread.Kind.LINE, fields.get("path", ""), fields.get("rev", ""), detail | {"side": fields.get("side", "")}
    )


def _form(
    request: HubRequest, pull: PullRequest, spot: Spot, body: str, error: Unprocessable | None = None
) -> HttpResponse:
    asked = range_of(spot.detail)
    context = {"repository": pull.repository, "issue": pull.issue, "spot": spot, "range": asked, "body": body}
    context |= {"error": error, "begun": reviewing.pending_of(request.actor, pull) is not None}
    if asked.side == "new":
        context["lines"] = "\n".join(lines_at(pull.repository, spot.rev, spot.path)[asked.start - 1 : asked.line])
    return render(request, "reviews/_form.html", context, status=error.code if error else 200)


def _refused(request: HubRequest, pull: PullRequest, spot: Spot, body: str, error: Any) -> HttpResponse:
    """The form again with what was written, if there are such lines."""
    if not _htmx(request):
        raise error
    try:
        spot = threads.checked_spot(request.actor, pull.repository, spot)
    except (NotFound, Unprocessable):
        raise error from None
    return _form(request, pull, spot, body, error)


def _thread(request: HubRequest, pull: PullRequest, entry: Entry) -> HttpResponse:
    if not _htmx(request):
        return redirect(f"{pull.issue.get_absolute_url()}/files#thread-{entry.thread_id}")
    found = threads.thread_of(pull.repository, entry.thread_id or 0)
    (shown,) = timeline.shown_threads(
        pull.repository, request.actor, rights_of(request.actor, pull.repository), [found]
    )
    return render(request, "issues/_thread.html", {"repository": pull.repository, "issue": pull.issue, "shown": shown})


def _pending(request: HubRequest, pull: PullRequest, made: Comment) -> HttpResponse:
    if not _htmx(request):
        return _to_files(pull)
    context = {"repository": pull.repository, "pull": pull, "comment": made}
    answer = render(request, "reviews/_pending.html", context)
    answer.headers["HX-Trigger"] = CHANGED["HX-Trigger"]
    return answer


def _to_files(pull: PullRequest) -> HttpResponse:
    return redirect(reverse("pulls:files", args=[*pull.repository.full_name.split("/"), pull.number]))


def _htmx(request: HubRequest) -> bool:
    return bool(request.headers.get("HX-Request"))
