"""The diff of data between two revisions: files of a folder, rows of a table. Also as JSON and as Parquet."""

from __future__ import annotations

from typing import Any

from django.http import FileResponse, HttpResponse, HttpResponseBase, HttpResponseRedirect, JsonResponse
from django.views.decorators.http import require_POST, require_safe

from datasets import results
from datasets.comparison import diff_pages, diff_shapes, diffs
from datasets.comparison.comparing import FILE_LIST, MEDIA, TABLE
from datasets.comparison.diff_pages import Page
from datasets.comparison.diffs import Diff
from datasets.comparison.rowcounts import COUNT
from datasets.comparison.statistics import SKETCH
from datasets.stages.jobs import PIPELINE, PIPELINE_DIFF
from datasets.stages.plots import PLOTS
from datasets.viewer.table_pages import SELECT
from datasets.viewer.viewing import PREPARE
from datasets.views import waiting
from datasets.views.diff_context import context
from hub.accounts.actor import Actor
from hub.accounts.http import HubRequest
from hub.jobs import jobs
from hub.jobs.models import Job
from hub.lib.errors import Denied, NotFound
from repos import access
from repos.access import Access, Area
from repos.models import Repository
from repos.views.places import page_number, rest_of

KINDS = [TABLE, FILE_LIST, MEDIA, SKETCH, COUNT, PIPELINE, PIPELINE_DIFF, PLOTS, PREPARE, SELECT]


@require_safe
def diff(request: HubRequest, owner: str, name: str, rest: str) -> HttpResponseBase:
    repository = readable(request, owner, name)
    named = rest_of(request).partition("/")[2]
    found = found_for(request, repository, named)
    wanted = request.GET.get("format", "")
    if wanted == "json":
        return waiting.as_json(found.state, diff_shapes.shape(found, page_of(request, found)))
    if wanted == "parquet":
        return _as_parquet(found)
    if wanted == "difference":
        return _as_picture(found)
    return waiting.page(
        request, "datasets/diff.html", found.state, lambda: context(request, found, page_of(request, found))
    )


def readable(request: HubRequest, owner: str, name: str) -> Repository:
    return access.repository_for(request.actor, owner, name, need=Access.READ, area=Area.DATA)


def found_for(request: Any, repository: Repository, named: str) -> Diff:
    """The diff that an address and its query ask for."""
    asked = diffs.compared(repository, named)
    options = diffs.options_of(
        request.GET.getlist("key"),
        unkeyed=request.GET.get("unkeyed") == "1",
        tolerance=request.GET.get("tolerance", ""),
        as_text=request.GET.get("as") == "text",
        ignore_space=request.GET.get("w") == "1",
    )
    user = request.user
    return diffs.diff(asked, options, user_id=user.pk if user.is_authenticated else None)


def page_of(request: Any, found: Diff) -> Page | None:
    """The rows or files that the query asks for; None when there are none to show."""
    if found.kind not in diff_pages.PAGED or not found.summary or not found.result:
        return None
    number, statuses = page_number(request), request.GET.getlist("status")
    if found.kind == "table":
        return diff_pages.rows(
            found,
            number=number,
            statuses=statuses,
            changed=request.GET.get("column", ""),
            filters=diff_pages.filters_of(found, request.GET.getlist("filter")),
            all_columns=request.GET.get("columns") != "changed",
        )
    text, unfold = request.GET.get("q", "").strip()[:500], request.GET.get("moved") == "1"
    return diff_pages.files(found, number=number, statuses=statuses, text=text, unfold=unfold or bool(text))


def _as_parquet(found: Diff) -> HttpResponseBase:
    """The changed rows (or files) as one file."""
    if found.kind not in diff_pages.PAGED or not found.result or not found.summary:
        raise NotFound("There is no result to download.", details="Open the diff without format=parquet first.")
    try:
        file = open(results.place_of(found.compared.repository.pk, found.digest), "rb")  # noqa: SIM115  # FileResponse closes it
    except FileNotFoundError as error:
        raise NotFound(
            "There is no result to download.", details="Open the diff again; it is made once more."
        ) from error
    return FileResponse(file, as_attachment=True, filename="changes.parquet", content_type="application/octet-stream")


def _as_picture(found: Diff) -> HttpResponseBase:
    """Where the pixels of two images differ."""
    if found.kind != "image" or "compared" not in found.result:
        raise NotFound("There is no picture of a difference.", details="Open the diff of two images first.")
    picture = results.picture_place(found.compared.repository.pk, found.digest).read_bytes()
    return HttpResponse(picture, content_type="image/webp", headers={"Cache-Control": "private, no-cache"})


# ---- verbs -------------------------------------------------------------------------------------
@require_POST
def cancel(request: HubRequest, owner: str, name: str, job_id: int) -> HttpResponse:
    job = own_job(request.actor, readable(request, owner, name), job_id)
    jobs.cancel(job.pk)
    return _answer(request, job)


@require_POST
def again(request: HubRequest, owner: str, name: str, job_id: int) -> HttpResponse:
    """Start one that failed or was cancelled once more."""
    job = own_job(request.actor, readable(request, owner, name), job_id)
    if job.state != jobs.State.DONE:
        jobs.restart(job)
    return _answer(request, job)


def own_job(actor: Actor, repository: Repository, job_id: int) -> Job:
    """Of this repository; whoever asked for it may stop it, and who may write."""
    job = Job.objects.filter(pk=job_id, repository_id=repository.pk, kind__in=KINDS).first()
    if job is None:
        raise NotFound("There is no such comparison.")
    user = actor.user
    if not (repository.can_write or (user is not None and user.pk == job.user_id)):
        raise Denied("Only who asked for this comparison, or may write here, can stop it or start it again.")
    return job


def _answer(request: HubRequest, job: Job) -> HttpResponse:
    job.refresh_from_db()
    back = request.POST.get("back", "")
    names = request.resolver_match.kwargs  # type: ignore[union-attr]  # a view was found
    if back.startswith(f"/{names['owner']}/{names['name']}/"):
        return HttpResponseRedirect(back)
    return JsonResponse({"state": job.state})
