"""An answer that a job makes: its states as codes of HTTP, in JSON, and in sentences."""

from __future__ import annotations

from typing import Any, NotRequired, TypedDict

from django.urls import reverse

from datasets.comparison.diffs import Compared
from hub.jobs.models import Job
from repos.git.read import Rev, shown
from repos.models import Repository

WAITING = ("queued", "running")
RETRY_SECONDS = "1"


def status_code(state: str) -> int:
    """202 while it is made; 409 when that was cancelled, 422 when it cannot be made."""
    return {"queued": 202, "running": 202, "cancelled": 409, "failed": 422}.get(state, 200)


def headers(state: str) -> dict[str, str]:
    return {"Retry-After": RETRY_SECONDS} if state in WAITING else {}


def why_not(state: str, job: Job | None) -> list[str]:
    """Sentences that say why there is no answer and will be none."""
    if state == "cancelled":
        return ["This work was cancelled."]
    return [job.error] if state == "failed" and job and job.error else []


class Progress(TypedDict):
    done: int
    total: int | None


class RevObject(TypedDict):
    """kind: branch, tag or commit."""

    name: str
    kind: str
    commit: str


class Answer(TypedDict):
    """What a job makes: the rest is there when state is done. progress, cancel_url: while it is under way."""

    repository: str
    state: str
    url: str
    progress: NotRequired[Progress]
    cancel_url: NotRequired[str]
    error: NotRequired[str]
    details: NotRequired[str]
    again_url: NotRequired[str]


def rev(found: Rev) -> RevObject:
    return {"name": shown(found.name), "kind": found.kind, "commit": found.commit}


def compared(asked: Compared, page: str, state: str) -> dict[str, Any]:
    """What begins every answer about two revisions."""
    return {
        "repository": asked.repository.full_name,
        "base": rev(asked.base),
        "head": rev(asked.head),
        "state": state,
        "url": asked.permalink(page),
    }


def shape(repository: Repository, state: str, job: Job | None, why: list[str] | None = None) -> dict[str, object]:
    """What JSON says of the job while there is no answer. why: sentences, if others than why_not()."""
    if job is not None and state in WAITING:
        return {
            "progress": {"done": job.done, "total": job.total},
            "cancel_url": verb(repository, "diff_cancel", job),
        }
    if job is not None and state in {"failed", "cancelled"}:
        return {
            "error": " ".join(why or why_not(state, job)),
            "details": "Start it again with a POST to again_url.",
            "again_url": verb(repository, "diff_again", job),
        }
    return {}


def verb(repository: Repository, name: str, job: Job) -> str:
    return reverse(f"datasets:{name}", args=[repository.owner.name, repository.name, job.pk])
