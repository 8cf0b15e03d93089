"""The list of files in conflict, and the places of one of them."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_safe

from hub.accounts.http import HubRequest
from hub.jobs import jobs
from hub.jobs.models import Job
from hub.lib.errors import Busy, HubError
from hub.lib.paging import page_number
from repos.pulls.conflicts import choosing, listing, places, resolving
from repos.pulls.conflicts.files import File
from repos.pulls.conflicts.listing import Listing, TooMany
from repos.pulls.conflicts.views import shown
from repos.pulls.drivers import Choice, NotKept
from repos.pulls.models import PullRequest
from repos.pulls.views.context import context_of
from repos.pulls.views.gate import pull_at

PAGE = 50
MOST_PAGES = 100_000


@require_safe
def index(request: HubRequest, owner: str, name: str, number: int) -> HttpResponse:
    pull = pull_at(request, owner, name, number)
    if not pull.issue.is_open:
        return redirect(pull.issue)
    return listed(request, pull)


def listed(request: HubRequest, pull: PullRequest, *, error: HubError | None = None, message: str = "") -> HttpResponse:
    """error: why the commit was not made; message: as it was typed."""
    ours, theirs = listing.tips(pull)
    job = resolving.latest(pull, ours, theirs) or resolving.under_way(pull)
    context = {**context_of(pull, "conversation"), "error": error, "message": message, "refused": None}
    context["may_choose"] = choosing.may_choose(request.actor, pull)
    context |= {"at_work": job if job and job.state in jobs.OPEN else None, "found": None, "unknown": None}
    if job and job.state in jobs.OPEN and request.headers.get("HX-Request"):
        return render(request, "pulls/_conflicts_waiting.html", context)
    if request.headers.get("HX-Request"):
        return HttpResponse("It is ready.", headers={"HX-Redirect": _after(pull)})
    if job and job.state not in jobs.OPEN and listing.tips(pull) != (ours, theirs):
        return redirect(_after(pull))  # it ended while this page was asked for
    try:
        found = listing.listing(pull, ours, theirs, user_id=request.actor.user_id)
    except (Busy, TooMany) as refusal:
        return render(request, "pulls/conflicts.html", {**context, "unknown": refusal})
    if found is None or context["at_work"]:
        return render(request, "pulls/conflicts.html", context)
    if not found.files and Job.objects.filter(**_done(pull)).exists():
        return redirect(pull.issue)  # a worker has resolved them while this page was asked for
    if job and not error:
        context["refused"] = _refused(job)
    context |= _of_listing(request, pull, found)
    return render(request, "pulls/conflicts.html", context, status=error.code if error else 200)


def _after(pull: PullRequest) -> str:
    """Where to go when a worker has ended: to the request when nothing is in conflict any more."""
    ours, theirs = listing.tips(pull)
    job = resolving.latest(pull, ours, theirs)
    page = "pulls:conflicts" if job is None or "commit" not in (job.result or {}) else "pulls:pull"
    if job is None and Job.objects.filter(**_done(pull)).exists():
        page = "pulls:pull"  # the tip moved by the very commit
    return reverse(page, args=[pull.repository.owner.name, pull.repository.name, pull.number])


def _done(pull: PullRequest) -> dict[str, Any]:
    ours, _ = listing.tips(pull)
    return {"kind": resolving.RESOLVE, "key__startswith": f"{resolving.RESOLVE}:{pull.pk}:", "result__commit": ours}


def _refused(job: Job) -> resolving.AttemptObject | None:
    told = resolving.answer(job)
    return told if told["state"] == "failed" else None


def _of_listing(request: HubRequest, pull: PullRequest, found: Listing) -> dict[str, Any]:
    left = choosing.undecided(pull, request.actor.user, found)
    rows = [{"file": file, "left": left[file.digest], "done": file.total - left[file.digest]} for file in found.files]
    return {
        "found": found,
        "rows": rows,
        "left": sum(1 for row in rows if row["left"]),
        "next": next((row["file"] for row in rows if row["left"]), None),
        "notes": [note for file in found.files if file.opened for note in file.opened.notes],
    }


@require_safe
def file(request: HubRequest, owner: str, name: str, number: int, digest: str) -> HttpResponse:
    pull = pull_at(request, owner, name, number)
    ours, theirs = listing.tips(pull)
    found = listing.listing(pull, ours, theirs, user_id=request.actor.user_id)
    if found is None:
        return redirect("pulls:conflicts", owner, name, number)
    page = page_number(request.GET.get("page", "1"), most=MOST_PAGES)
    return asked(request, pull, found, found.find(digest), page)


def asked(
    request: HubRequest,
    pull: PullRequest,
    found: Listing,
    file: File,
    page: int,
    *,
    typed: dict[int, Choice] | None = None,
    wrong: dict[int, str] | None = None,
) -> HttpResponse:
    """The places of a page. typed: what was sent just now, instead of what is kept; wrong: what is wrong with it."""
    choosing.require_shown(request.actor, pull, file)
    start = (page - 1) * PAGE
    try:
        some = places.of(pull.repository, found, file, start, PAGE)
    except NotKept:
        listing.look_again(pull, found.ours, found.theirs, user_id=request.actor.user_id)
        return redirect("pulls:conflicts", pull.repository.owner.name, pull.repository.name, pull.number)
    kept = None
    if request.actor.user is not None:
        kept = choosing.chosen(pull, request.actor.user, file, range(start, start + PAGE))
    rows = [shown.row(pull, found, place, kept, typed or {}, wrong or {}) for place in some]
    pages = max(1, -(-file.total // PAGE))
    context = {
        **context_of(pull, "conversation"),
        "file": file,
        "rows": rows,
        "kept": kept,
        "may_choose": choosing.may_choose(request.actor, pull),
        "page": page,
        "pages": pages,
        "left": choosing.undecided(pull, request.actor.user, found)[file.digest],
        "wrong": wrong,
    }
    return render(request, "pulls/conflict.html", context, status=422 if wrong else 200)
