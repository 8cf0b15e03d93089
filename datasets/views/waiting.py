"""Pages whose answer a job makes: they show how far it is, and who may stop it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

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
    """A page that waits asks for its progress alone, and is sent here again when the work has ended."""
    if not request.headers.get("HX-Request"):
        return render(request, template, context(), status=422 if state == "failed" else 200)
    if state in answers.WAITING:
        return render(request, progress, context())
    return HttpResponse("It is ready.", headers={"HX-Redirect": request.get_full_path()})


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
