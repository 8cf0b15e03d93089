"""What is said about one place, in all issues and pull requests: a panel that the page of that place loads."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from hub.accounts.http import HubRequest
from hub.lib.errors import Invalid
from hub.lib.paging import page_of
from repos.issues import threads, timeline
from repos.issues.models import Thread
from repos.issues.rights import rights_of
from repos.issues.views.gate import readable

PAGE_THREADS = 10


@require_safe
def at_place(request: HubRequest, owner: str, name: str) -> HttpResponse:
    """?kind=&path=, and ?page=: the newest first. ?rev=: of the place, where its kind has one to begin a thread at."""
    repository = readable(request, owner, name)
    kind, path = request.GET.get("kind", ""), request.GET.get("path", "")
    if kind not in Thread.Kind.values or not path:
        raise Invalid("A place has a kind and a path.", details=f"Kinds: {', '.join(Thread.Kind.values)}.")
    said = threads.at(repository, request.actor, kind, path)
    page = page_of(said[::-1], request.GET.get("page", "1"), PAGE_THREADS)
    rights = rights_of(request.actor, repository)
    context: dict[str, Any] = {"repository": repository, "tab": "issues", "kind": kind, "path": path, "page": page}
    context["shown"] = timeline.shown_threads(repository, request.actor, rights, page.rows)
    context["count"] = len(said)
    context["next_url"] = _address(kind, path, page.next) if page.next else ""
    if kind in {Thread.Kind.RUN, Thread.Kind.MODEL} and rights.user:  # others are chosen on their page, row or region
        context["begin"] = urlencode({"kind": kind, "path": path, "issue": request.GET.get("issue", "")})
    fragment = request.headers.get("HX-Request")
    return render(request, "issues/_said.html" if fragment else "issues/said.html", context)


def _address(kind: str, path: str, page: int) -> str:
    return "?" + urlencode({"kind": kind, "path": path, "page": page})
