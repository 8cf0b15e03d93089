"""The Files tab of a pull request: its files page by page, one whose lines come later, marks, and the plain text."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from hub.accounts.http import HubRequest
from hub.lib.errors import NotFound
from repos.git import diff, read
from repos.place import store_of
from repos.pulls import changed, filehtml
from repos.pulls import viewed as marks
from repos.pulls.changed import Ends
from repos.pulls.views.context import context_of
from repos.pulls.views.gate import pull_at
from repos.views.commit import options_of
from repos.views.places import page_number, rest_of


@require_safe
def files(request: HubRequest, owner: str, name: str, number: int) -> HttpResponse:
    pull, options = pull_at(request, owner, name, number), options_of(request)
    found = changed.page(request.actor, pull, options, number=page_number(request))
    urls = [reverse(f"pulls:{verb}", args=[owner, name, number]) for verb in ("viewed", "unviewed")]
    marking = filehtml.Marking(*urls) if request.actor.user is not None else None
    sections = filehtml.sections(found.files, options, marking)
    context = {"found": found, "sections": sections, "options": options, "marking": marking}
    return render(request, "pulls/files.html", {**context_of(pull, "files"), **context})


@require_safe
def tree(request: HubRequest, owner: str, name: str, number: int) -> HttpResponse:
    """The fragment with the tree of all changed files, as the page of that number shows it."""
    pull = pull_at(request, owner, name, number)
    return HttpResponse(changed.tree(request.actor, pull, options_of(request), number=page_number(request)))


@require_safe
def notebooks(request: HubRequest, owner: str, name: str, number: int) -> HttpResponse:
    """Slots for what the app that compares data shows of each notebook; they are loaded as they come into view."""
    pull = pull_at(request, owner, name, number)
    found, total = changed.notebooks(pull)
    context = {"notebooks": found, "total": total}
    return render(request, "pulls/notebooks.html", {**context_of(pull, "notebooks"), **context})


@require_safe
def one(request: HubRequest, owner: str, name: str, number: int, rest: str) -> HttpResponse:
    """The fragment with one file's lines: base/head/path."""
    pull, options = pull_at(request, owner, name, number), options_of(request)
    base, _, more = rest_of(request).partition("/diff/")[2].partition("/")
    head, _, path = more.partition("/")
    if not (read.FULL_ID.fullmatch(base) and read.FULL_ID.fullmatch(head) and path) or "\0" in path:
        raise NotFound()
    found = changed.one(request.actor, pull, Ends(base, head), path, options)
    return HttpResponse(filehtml.body(found, options, alone=True))


@login_required
@require_POST
def mark(request: HubRequest, owner: str, name: str, number: int, viewed: bool) -> HttpResponse:
    """file: what viewed.name_of says. A script gets no body; a form leads back to the file."""
    pull = pull_at(request, owner, name, number)
    anchor = marks.mark(request.actor, pull, request.POST.get("file", ""), viewed=viewed)
    if "application/json" in request.headers.get("Accept", ""):
        return HttpResponse(status=204)
    back = reverse("pulls:files", args=[owner, name, number])
    query = "".join(c for c in request.POST.get("query", "")[:200] if c.isalnum() or c in "=&")
    return redirect(f"{back}?{query}#{anchor}")


@require_safe
def text(request: HubRequest, owner: str, name: str, number: int) -> HttpResponseBase:
    """What `git diff` says, as it says it."""
    pull = pull_at(request, owner, name, number)
    ends = changed.ends_of(pull)
    kind = "text/plain; charset=utf-8"
    if request.method == "HEAD":
        return HttpResponse(content_type=kind)
    answer = StreamingHttpResponse(diff.text(store_of(pull.repository), ends.base, ends.head), content_type=kind)
    answer["Cache-Control"] = "private, no-store"
    return answer
