"""The table of runs. Its whole state is in the URL: filter, order, place, columns, experiment."""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import urlencode

from django.conf import settings
from django.http import HttpResponse, JsonResponse, QueryDict
from django.shortcuts import render
from django.views.decorators.http import require_GET

from experiments import asking, commits, keys, listing, rows, shapes
from experiments.filters.errors import FilterError
from experiments.listing import Page, Query
from experiments.mlflow.context import workspace_of
from hub.accounts.http import HubRequest
from hub.lib.errors import Invalid
from repos import access
from repos.access import Access, Area
from repos.models import Repository

ATTRIBUTE_LABELS = {"name": "Run", "status": "Status", "user": "User", "started": "Started", "duration": "Duration",
                    "experiment": "Experiment", "commit": "Commit"}  # fmt: skip
PRIVATE = {"Cache-Control": "private, no-cache"}


@require_GET
def runs(request: HubRequest, owner: str, name: str) -> HttpResponse:
    repository = readable(request, owner, name)
    wanted = request.GET.get("format", "")
    if wanted:
        return _file(repository, request.GET, wanted)
    try:
        query = asking.query(workspace_of(repository.pk), request.GET)
    except FilterError as error:
        return render(request, "experiments/runs.html", _refused(repository, request.GET, error), status=400)
    page = listing.page(query)
    return render(request, "experiments/runs.html", _shown(repository, request.GET, query, page))


@require_GET
def names(request: HubRequest, owner: str, name: str) -> HttpResponse:
    """Names of metrics, params and tags that hold ?name=, as JSON."""
    repository = readable(request, owner, name)
    return JsonResponse({"names": keys.search(workspace_of(repository.pk), asking.name(request.GET))}, headers=PRIVATE)


def readable(request: HubRequest, owner: str, name: str) -> Repository:
    return access.repository_for(request.actor, owner, name, need=Access.READ, area=Area.EXPERIMENTS)


def _shown(repository: Repository, given: QueryDict, query: Query, page: Page) -> dict[str, object]:
    bound = commits.bind(repository, {row.run_id: row.commit for row in page.rows})
    base = link(given, sort=None, after=None, before=None)
    here = link(given, after=None, before=None)
    return {
        **_frame(repository, given),
        "page": page,
        "query": query,
        "rows": rows.html(page, bound, repository_url=repository.get_absolute_url()),
        "attributes": [heading(base, query, key, label) for key, label in ATTRIBUTE_LABELS.items()],
        "columns": [heading(base, query, column, column.split(".", 1)[1]) for column in page.columns],
        "previous": added(here, before=page.previous) if page.previous else "",
        "next": added(here, after=page.next) if page.next else "",
        "csv": added(here, format="csv"),
        "json": added(here, format="json"),
        "some": bool(page.total or query.filter or query.experiment_id or query.after or query.before),
    }


def _refused(repository: Repository, given: QueryDict, error: FilterError) -> dict[str, object]:
    """The same page with the place of the error marked, and no runs."""
    text, at = given.get("q", ""), error.position
    marked = {"before": text[max(0, at - 60) : at], "at": text[at : at + 1], "after": text[at + 1 : at + 60]}
    return {**_frame(repository, given), "error": error, "marked": marked, "some": True}


def _frame(repository: Repository, given: QueryDict) -> dict[str, object]:
    return {
        "repository": repository,
        "tab": "experiments",
        "q": given.get("q", ""),
        "sort": given.get("sort", ""),
        "chosen": asking.columns(given),
        "experiment_id": given.get("experiment", ""),
        "tracking_uri": f"{settings.COVEY_URL}/{repository.full_name}.mlflow",
    }


def _file(repository: Repository, given: QueryDict, wanted: str) -> HttpResponse:
    """Every run that the address shows, on all its pages, as a file. Raises Invalid."""
    query = asking.query(workspace_of(repository.pk), given)
    if wanted not in {"csv", "json"}:
        raise Invalid(f"There is no format {wanted[:20]!r}.", details="Ask for format=csv or format=json.")
    columns = query.columns if query.columns is not None else tuple(listing.page(query).columns)
    named = f"{repository.name}-runs.{wanted}"
    headers = {**PRIVATE, "Content-Disposition": f'attachment; filename="{named}"'}
    found = listing.exported(replace(query, columns=columns))
    if wanted == "csv":
        return HttpResponse(shapes.table(found, columns), content_type="text/csv; charset=utf-8", headers=headers)
    return JsonResponse({"columns": columns, "runs": [shapes.run(row) for row in found]}, headers=headers)


def heading(base: str, query: Query, key: str, label: str) -> dict[str, str]:
    """A sortable column: where its header leads, and how it is sorted now (aria-sort). base: a link without sort."""
    now = ("descending" if query.descending else "ascending") if key == query.sort else ""
    wanted = key if now == "descending" else f"-{key}"
    return {"key": key, "label": label, "href": added(base, sort=wanted), "sorted": now}


def link(given: QueryDict, **changes: object) -> str:
    pairs = [(k, v) for k, values in given.lists() for v in values if k not in changes]
    return "?" + urlencode([*pairs, *((k, v) for k, v in changes.items() if v is not None)])


def added(address: str, **more: str) -> str:
    return f"{address}{'' if address == '?' else '&'}{urlencode(more)}"
