"""The table of runs. Its whole state is in the URL: filter, order, place, columns, experiment."""

from __future__ import annotations

from dataclasses import replace

from django.conf import settings
from django.http import HttpResponse, JsonResponse, QueryDict
from django.shortcuts import render
from django.views.decorators.http import require_GET

from experiments import asking, commits, keys, listing, rows, shapes
from experiments.filters.errors import FilterError
from experiments.listing import Page, Query
from experiments.mlflow.context import workspace_of
from experiments.models import TableSettings
from experiments.table import heads, state
from experiments.table.addresses import added, kept, link
from experiments.table.columns import ATTRIBUTES, parse, shown
from experiments.tracked import joined
from experiments.tracked.marks import LOGGED
from hub.accounts.http import HubRequest
from hub.lib.errors import Invalid
from repos import access
from repos.access import Access, Area
from repos.models import Repository

PRIVATE = {"Cache-Control": "private, no-cache"}


@require_GET
def runs(request: HubRequest, owner: str, name: str) -> HttpResponse:
    repository = readable(request, owner, name)
    agreed = state.settings_of(repository)
    given = state.effective(request.GET, request.actor, agreed)
    wanted = request.GET.get("format", "")
    if wanted:
        return _file(agreed, given, wanted)
    try:
        query = asking.query(workspace_of(repository.pk), given, directions=agreed.directions)
    except FilterError as error:
        return render(request, "experiments/runs.html", _refused(repository, given, error), status=400)
    page = listing.page(query)
    return render(request, "experiments/runs.html", _shown(agreed, given, query, page))


@require_GET
def names(request: HubRequest, owner: str, name: str) -> HttpResponse:
    """Names of metrics, params and tags that hold ?name=, as JSON."""
    repository = readable(request, owner, name)
    return JsonResponse({"names": keys.search(workspace_of(repository.pk), asking.name(request.GET))}, headers=PRIVATE)


def readable(request: HubRequest, owner: str, name: str) -> Repository:
    return access.repository_for(request.actor, owner, name, need=Access.READ, area=Area.EXPERIMENTS)


def _shown(agreed: TableSettings, given: QueryDict, query: Query, page: Page) -> dict[str, object]:
    repository, look = agreed.repository, state.look(given)
    bound = commits.bind(repository, {row.run_id: row.commit for row in page.rows})
    sources = any(run.source != LOGGED for run in page.rows)
    columns = look.ordered(shown(query.columns, page.columns, sources=sources))
    table = rows.Table(repository.get_absolute_url(), columns, look=look, commits=bound, directions=agreed.directions)
    table = replace(table, logged=joined.logged(repository, page.rows))
    base = link(given, sort=None, after=None, before=None)
    here = link(given, after=None, before=None)
    return {
        **_frame(repository, given),
        "page": page,
        "query": query,
        "rows": rows.html(page.rows, table),
        "heads": heads.heads(base, query, columns, look),
        "kinds": heads.kinds(columns),
        "name_head": heads.sorting(base, query, "name"),
        "chosen": [(column.name, column.name in look.fixed, look.widths.get(column.name, "")) for column in columns],
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
    look = state.look(given)
    return {
        "repository": repository,
        "tab": "experiments",
        "q": given.get("q", ""),
        "kept": kept(given, "q", "experiment", *state.PLACES),
        "address": link(given, **dict.fromkeys((*state.COLUMN_FIELDS, *state.PLACES)))[1:],
        "attributes": list(ATTRIBUTES),
        "chosen": [(name, name in look.fixed, look.widths.get(name, "")) for name in asking.columns(given) or ()],
        "experiment_id": given.get("experiment", ""),
        "tracking_uri": f"{settings.COVEY_URL}/{repository.full_name}.mlflow",
    }


def _file(agreed: TableSettings, given: QueryDict, wanted: str) -> HttpResponse:
    """Every run that the address shows, on all its pages, as a file. Raises Invalid."""
    repository = agreed.repository
    query = asking.query(workspace_of(repository.pk), given, directions=agreed.directions)
    if wanted not in {"csv", "json"}:
        raise Invalid(f"There is no format {wanted[:20]!r}.", details="Ask for format=csv or format=json.")
    named = query.columns if query.columns is not None else tuple(listing.page(query).columns)
    columns = tuple(name for name in named if (column := parse(name)) and column.kind != "attributes")
    file = f"{repository.name}-runs.{wanted}"
    headers = {**PRIVATE, "Content-Disposition": f'attachment; filename="{file}"'}
    found = listing.exported(replace(query, columns=columns))
    if wanted == "csv":
        return HttpResponse(shapes.table(found, columns), content_type="text/csv; charset=utf-8", headers=headers)
    return JsonResponse({"columns": columns, "runs": [shapes.run(row) for row in found]}, headers=headers)
