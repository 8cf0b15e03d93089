"""Pages whose answer a job makes: they show how far it is, and who may stop it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from django.http import HttpResponse, JsonResponse
from django.shortcuts import render

from datasets import answers
from hub.accounts.http import HubRequest
from hub.jobs.models import Job
from repos.models import Repository


def page(
    request: HubRequest,
    template: str,
    state: str,
    context: Callable[[], dict[str, Any]],
    *,
    progress: str = "datasets/_diff_progress.html",
) -> HttpResponse:
    """A page that waits asks for its progress alone, and is sent here again when the work has ended: to this page, or
    to the one of another app (a pull request's) that holds it as a panel, which asks for all of it ("full")."""
    if not request.headers.get("HX-Request") or request.headers.get("HX-Request-Type") == "full":
        return render(request, template, context(), status=422 if state == "failed" else 200)
    if state in answers.WAITING:
        return render(request, progress, context())
    return HttpResponse("It is ready.", headers={"HX-Redirect": _place(request)})


def _place(request: HubRequest) -> str:
    """The path the person looks at; of this hub, wherever the header claims to be."""
    parts = urlsplit(request.headers.get("HX-Current-URL", ""))
    if not parts.path.startswith("/") or parts.path.startswith("//"):
        return request.get_full_path()
    return f"{parts.path}?{parts.query}" if parts.query else parts.path


def as_json(state: str, answer: dict[str, Any]) -> JsonResponse:
    headers = {"Cache-Control": "private, no-cache", **answers.headers(state)}
    return JsonResponse(answer, status=answers.status_code(state), headers=headers)


def controls(request: HubRequest, repository: Repository, job: Job | None) -> dict[str, Any]:
    """What templates need to cancel a job, to start it again and to come back."""
    here = {"here": request.get_full_path()}
    if job is None:
        return here
    return here | {
        "cancel_url": answers.verb(repository, "diff_cancel", job),
        "again_url": answers.verb(repository, "diff_again", job),
        "may_stop": repository.can_write or (job.user_id is not None and job.user_id == request.actor.user_id),
    }
