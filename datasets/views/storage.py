"""/settings/storage: what takes the space, what is damaged, what is garbage and goes."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from datasets import care, garbage_list, quotas, results, usage
from datasets import garbage as collecting
from hub.accounts import people
from hub.accounts.http import HubRequest
from hub.jobs import jobs
from hub.jobs.models import Job
from hub.lib.errors import NotFound, Unprocessable
from hub.lib.paging import Page, page_number
from repos import access
from repos.access import Access, Area
from repos.models import Repository

PER_PAGE = 50
DOING = {"usage": "Measuring…", "look": "Looking for what nothing needs…", "collect": "Removing what nothing needs…"}


def administered(request: HubRequest, owner: str, name: str) -> Repository:
    return access.repository_for(request.actor, owner, name, need=Access.ADMIN, area=Area.DATA)


@require_safe
def page(request: HubRequest, owner: str, name: str) -> HttpResponse:
    repository = administered(request, owner, name)
    jobs_ = care.state(repository)
    context = _context(request, repository, jobs_)
    found = measured(repository, jobs_["usage"])
    start, number = _start(request)
    if found is not None:
        rows = found.datasets(start, PER_PAGE + 1)
        context |= {
            "totals": totals(repository, jobs_["usage"]),
            "measured": jobs_["usage"],
            "page": Page(rows[:PER_PAGE], number, len(rows) > PER_PAGE),
            "shared": shared(request, found),
        }
    return _answer(request, "datasets/storage.html", context)


@require_safe
def dataset(request: HubRequest, owner: str, name: str) -> HttpResponse:
    """The versions of one dataset."""
    repository = administered(request, owner, name)
    path, jobs_ = request.GET.get("path", ""), care.state(repository)
    found = measured(repository, jobs_["usage"])
    start, number = _start(request)
    rows = found.versions(path, start, PER_PAGE + 1) if found else []
    if not rows:
        raise NotFound("Nothing was measured there.", details="Measure again on the page before.")
    context = {"path": path, "page": Page(rows[:PER_PAGE], number, len(rows) > PER_PAGE)}
    return _answer(request, "datasets/storage_dataset.html", _context(request, repository, jobs_) | context)


@require_safe
def garbage(request: HubRequest, owner: str, name: str) -> HttpResponse:
    """What the last look found, to confirm."""
    repository = administered(request, owner, name)
    jobs_ = care.state(repository)
    context = _context(request, repository, jobs_)
    found = listed(repository, jobs_["look"])
    start, number = _start(request)
    if found is not None:
        rows = found.page(start, PER_PAGE + 1)
        context |= {
            "list": (jobs_["look"].result or {})["list"] if jobs_["look"] else "",
            "left": found.sum(gone=False),
            "collected": _collected(jobs_),
            "page": Page(rows[:PER_PAGE], number, len(rows) > PER_PAGE),
        }
    return _answer(request, "datasets/storage_garbage.html", context)


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
def measured(repository: Repository, job: Job | None) -> usage.Usage | None:
    if job is None or job.state != jobs.State.DONE or not job.result:
        return None
    try:
        return usage.Usage(repository, job.result["list"])
    except FileNotFoundError:
        return None


def listed(repository: Repository, job: Job | None) -> garbage_list.GarbageList | None:
    if job is None or job.state != jobs.State.DONE or not job.result:
        return None
    found = garbage_list.GarbageList(results.list_place(repository.pk, job.result["list"]))
    return found if found.exists() else None


def totals(repository: Repository, job: Job | None) -> list[tuple[str, int, int | None]]:
    """(part, bytes, objects) of everything that was measured."""
    result: dict[str, Any] = (job.result if job else None) or {}
    buckets = result["buckets"]
    names = {"dvc": "Data of DVC", "s3": f"Bucket {repository.name}"}
    rows = [(name, *buckets.get(bucket, [0, 0])) for bucket, name in names.items()]
    return [*rows, *((part, *count) for part, count in result["parts"].items()), ("Code", result["git"], None)]


def shared(request: Any, found: usage.Usage) -> list[tuple[Repository, usage.Shared]]:
    """With repositories that the reader may see; others are not even counted: their data is nobody's business."""
    rows = {row.repository: row for row in found.shared()}
    visible = Repository.objects.visible_to(request.actor, area=Area.DATA).filter(pk__in=list(rows)[:500])
    pairs = [(repository, rows[repository.pk]) for repository in visible.select_related("owner")]
    return sorted(pairs, key=lambda pair: -pair[1].size)[:20]


def _context(request: HubRequest, repository: Repository, jobs_: dict[str, Job | None]) -> dict[str, Any]:
    working = next(((word, job) for word, job in jobs_.items() if job and job.state in jobs.OPEN), None)
    problem = next((job.error for job in jobs_.values() if job and job.state == jobs.State.FAILED), "")
    limit_ = quotas.limit_of(repository.data_limit_bytes)
    return {
        "repository": repository,
        "tab": "settings",
        "section": "storage",
        "jobs": jobs_,
        "working": working,
        "doing": DOING[working[0]] if working else "",
        "problem": problem,
        "here": request.get_full_path(),
        "rotten": care.rotten(repository),
        "heal": f"curl -u YOUR-NAME:TOKEN -T .dvc/cache/KEY {settings.COVEY_URL}/{repository.full_name}.dvc/KEY",
        "limit": limit_,
        "left_bytes": quotas.room(repository),
        "own_gigabytes": "" if repository.data_limit_bytes is None else f"{repository.data_limit_bytes / 1024**3:g}",
        "may_limit": request.actor.user is not None and request.actor.user.is_superuser,
    }


def _collected(jobs_: dict[str, Job | None]) -> dict[str, Any] | None:
    """What went of the list that is shown, once its collection is done."""
    look_, collect_ = ((job.result if job else None) or {} for job in (jobs_["look"], jobs_["collect"]))
    return collect_ if collect_.get("list") == look_.get("list") else None


def _start(request: HubRequest) -> tuple[int, int]:
    number = page_number(request.GET.get("page", "1"), most=100_000)
    return (number - 1) * PER_PAGE, number


def _answer(request: HubRequest, template: str, context: dict[str, Any]) -> HttpResponse:
    """The page; one that waits asks for its progress alone, and is sent here again when the work has ended."""
    if not request.headers.get("HX-Request"):
        return render(request, template, context)
    if context["working"]:
        return render(request, "datasets/_storage_progress.html", context)
    return HttpResponse("It is ready.", headers={"HX-Redirect": request.get_full_path()})
