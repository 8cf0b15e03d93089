"""/settings/storage: what takes the space, what is damaged, what is garbage and goes."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from datasets import attached
from datasets.s3.addresses import OWN
from datasets.storage import care, quotas, usage
from datasets.storage import garbage as collecting
from hub.accounts import people
from hub.accounts.http import HubRequest
from hub.jobs import jobs
from hub.jobs.models import Job
from hub.lib.errors import NotFound, Unprocessable
from hub.lib.paging import Page, page_number
from repos import access
from repos.access import Access, Area
from repos.models import Repository

R = TypeVar("R")
PER_PAGE = 50
DOING = {"usage": "Measuring…", "look": "Looking for what nothing needs…", "collect": "Removing what nothing needs…"}


def administered(request: HubRequest, owner: str, name: str) -> Repository:
    return access.repository_for(request.actor, owner, name, need=Access.ADMIN, area=Area.DATA)


@require_safe
def page(request: HubRequest, owner: str, name: str) -> HttpResponse:
    repository, number = administered(request, owner, name), _number(request)
    jobs_ = care.state(repository)
    if request.headers.get("HX-Request"):
        return _progress(request, repository, jobs_)
    context = _context(request, repository, jobs_)
    if found := care.measured(repository, jobs_["usage"]):
        context |= {
            "totals": totals(repository, care.result_of(jobs_["usage"])),
            "page": _page(found.datasets, number),
            "shared": care.shared(request.actor, found),
        }
    return render(request, "datasets/storage.html", context)


@require_safe
def dataset(request: HubRequest, owner: str, name: str) -> HttpResponse:
    """The versions of one dataset."""
    repository, number = administered(request, owner, name), _number(request)
    jobs_ = care.state(repository)
    if request.headers.get("HX-Request"):
        return _progress(request, repository, jobs_)
    found, path = care.measured(repository, jobs_["usage"]), request.GET.get("path", "")
    shown = _page(partial(found.versions, path), number) if found else None
    if shown is None or not shown.rows:
        raise NotFound("Nothing was measured there.", details="Measure again on the page before.")
    context = {"path": path, "page": shown}
    return render(request, "datasets/storage_dataset.html", _context(request, repository, jobs_) | context)


@require_safe
def garbage(request: HubRequest, owner: str, name: str) -> HttpResponse:
    """What the last look found, to confirm."""
    repository, number = administered(request, owner, name), _number(request)
    jobs_ = care.state(repository)
    if request.headers.get("HX-Request"):
        return _progress(request, repository, jobs_)
    context = _context(request, repository, jobs_)
    if found := care.listed(repository, jobs_["look"]):
        context |= {
            "left": found.sum(gone=False),
            "collected": _collected(jobs_),
            "page": _page(found.page, number),
        }
    return render(request, "datasets/storage_garbage.html", context)


# ---- verbs -------------------------------------------------------------------------------------
@require_POST
def measure(request: HubRequest, owner: str, name: str) -> HttpResponse:
    care.ask(usage.MEASURE, administered(request, owner, name), request.actor)
    return redirect("datasets:storage", owner, name)


@require_POST
def look(request: HubRequest, owner: str, name: str) -> HttpResponse:
    care.ask(collecting.LOOK, administered(request, owner, name), request.actor)
    return redirect("datasets:storage_garbage", owner, name)


@require_POST
def collect(request: HubRequest, owner: str, name: str) -> HttpResponse:
    care.collect(administered(request, owner, name), request.actor, request.POST.get("list", ""))
    return redirect("datasets:storage_garbage", owner, name)


@require_POST
def stop(request: HubRequest, owner: str, name: str, kind: str) -> HttpResponse:
    job = care.state(administered(request, owner, name)).get(kind)
    if job is None:
        raise NotFound("There is no such work here.")
    jobs.cancel(job.pk)
    return redirect("datasets:storage" if kind == "usage" else "datasets:storage_garbage", owner, name)


@require_POST
def limit(request: HubRequest, owner: str, name: str) -> HttpResponse:
    """For whoever runs the hub: gigabytes, "" for the hub's default, 0 for none."""
    repository = administered(request, owner, name)
    people.require_administrator(request.actor)
    text = request.POST.get("gigabytes", "").strip()
    try:
        wanted = int(float(text) * 1024**3) if text else None
    except (ValueError, OverflowError) as error:
        raise Unprocessable("A limit is a number of gigabytes, 0 for none.") from error
    quotas.set_limit(request.actor, repository, wanted)
    messages.success(request, "The limit is set.")
    return redirect("datasets:storage", owner, name)


# ---- what is shown -------------------------------------------------------------------------------
def totals(repository: Repository, result: dict[str, Any]) -> list[tuple[str, int, int | None]]:
    """(part, bytes, objects) of everything that was measured."""
    buckets = result["buckets"]
    names = {"dvc": "Data of DVC", OWN: f"Bucket {repository.name}", attached.BUCKET: "Attachments"}
    rows = [(name, *buckets.get(bucket, [0, 0])) for bucket, name in names.items()]
    return [*rows, *((part, *count) for part, count in result["parts"].items()), ("Code", result["git"], None)]


def _context(request: HubRequest, repository: Repository, jobs_: dict[str, Job | None]) -> dict[str, Any]:
    problem = next((job.error for job in jobs_.values() if job and job.state == jobs.State.FAILED), "")
    limit_ = quotas.limit_of(repository.data_limit_bytes)
    return _work(request, repository, jobs_) | {
        "tab": "settings",
        "section": "storage",
        "jobs": jobs_,
        "problem": problem,
        "rotten": care.rotten(repository),
        "heal": f"curl -u YOUR-NAME:TOKEN -T .dvc/cache/KEY {settings.COVEY_URL}/{repository.full_name}.dvc/KEY",
        "limit": limit_,
        "left_bytes": quotas.room(repository),
        "own_gigabytes": "" if repository.data_limit_bytes is None else f"{repository.data_limit_bytes / 1024**3:g}",
        "may_limit": request.actor.user is not None and request.actor.user.is_superuser,
    }


def _work(request: HubRequest, repository: Repository, jobs_: dict[str, Job | None]) -> dict[str, Any]:
    """working: the (word, job) under way, None when all have ended."""
    working = next(((word, job) for word, job in jobs_.items() if job and job.state in jobs.OPEN), None)
    doing = DOING[working[0]] if working else ""
    return {"repository": repository, "working": working, "doing": doing, "here": request.get_full_path()}


def _progress(request: HubRequest, repository: Repository, jobs_: dict[str, Job | None]) -> HttpResponse:
    """For a page that waits: how far the work is; when it has ended the page is sent here again."""
    context = _work(request, repository, jobs_)
    if context["working"]:
        return render(request, "datasets/_storage_progress.html", context)
    return HttpResponse("It is ready.", headers={"HX-Redirect": context["here"]})


def _collected(jobs_: dict[str, Job | None]) -> dict[str, Any] | None:
    """What went of the list that is shown, once its collection is done."""
    went = care.result_of(jobs_["collect"])
    return went if went.get("list") == care.result_of(jobs_["look"])["list"] else None


def _number(request: HubRequest) -> int:
    return page_number(request.GET.get("page", "1"), most=100_000)


def _page(read: Callable[[int, int], list[R]], number: int) -> Page[R]:
    """read(start, count) gives rows."""
    rows = read((number - 1) * PER_PAGE, PER_PAGE + 1)
    return Page(rows[:PER_PAGE], number, len(rows) > PER_PAGE)
