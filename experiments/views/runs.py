"""The table of runs. Its whole state is in the URL: sort, page, columns, experiment, search."""

from __future__ import annotations

import re
from urllib.parse import urlencode

from django.conf import settings
from django.http import HttpResponse, QueryDict
from django.shortcuts import render
from django.views.decorators.http import require_GET

from experiments import commits, rows
from experiments import runs as runs_table
from experiments.mlflow.context import workspace_of
from hub.accounts.http import HubRequest
from hub.lib.paging import page_number
from repos import access
from repos.access import Access, Area

ATTRIBUTE_LABELS = {"name": "Run", "status": "Status", "user": "User", "started": "Started", "duration": "Duration"}
MAX_PAGE = 10_000
COLUMN = re.compile(r"(metrics|params)\.[^\0]")


@require_GET
def runs(request: HubRequest, owner: str, name: str) -> HttpResponse:
    repository = access.repository_for(request.actor, owner, name, need=Access.READ, area=Area.EXPERIMENTS)
    query = query_of(workspace_of(repository.pk), request.GET)
    page = runs_table.page(query)
    bound = commits.bind(repository, {row.run_id: row.commit for row in page.rows})
    base = link(request.GET, sort=None, page=None)
    shown = {
        "repository": repository,
        "tab": "experiments",
        "page": page,
        "query": query,
        "rows": rows.html(page, bound, repository_url=repository.get_absolute_url()),
        "attributes": [heading(base, query, key, label) for key, label in ATTRIBUTE_LABELS.items()],
        "columns": [heading(base, query, column, column.split(".", 1)[1]) for column in page.columns],
        "chooser": [(column, column in page.columns) for column in page.names],
        "experiments": runs_table.experiments_of(query.workspace),
        "tracking_uri": f"{settings.COVEY_URL}/{repository.full_name}.mlflow",
    }
    return render(request, "experiments/runs.html", shown)


def query_of(workspace: str, given: QueryDict) -> runs_table.Query:
    """The table a URL asks for; what it does not understand is left out. Raises Invalid for a page that is none."""
    sort = given.get("sort", "-started")
    experiment = given.get("experiment", "")
    return runs_table.Query(
        workspace=workspace,
        sort=sort.removeprefix("-")[:300].replace("\0", ""),
        descending=sort.startswith("-"),
        page=page_number(given.get("page", "1"), most=MAX_PAGE),
        columns=tuple(c for c in given.getlist("column") if COLUMN.match(c)) if "column" in given else None,
        experiment_id=int(experiment[:9]) if experiment.isdecimal() and experiment.isascii() else None,
        search=given.get("q", "").strip()[:200].replace("\0", ""),
    )


def heading(base: str, query: runs_table.Query, key: str, label: str) -> dict[str, str]:
    """A sortable column: where its header leads, and how it is sorted now (aria-sort). base: a link without sort."""
    now = ("descending" if query.descending else "ascending") if key == query.sort else ""
    wanted = key if now == "descending" else f"-{key}"
    return {"label": label, "href": f"{base}{'&' if base != '?' else ''}{urlencode({'sort': wanted})}", "sorted": now}


def link(given: QueryDict, **changes: object) -> str:
    pairs = [(k, v) for k, values in given.lists() for v in values if k not in changes]
    return "?" + urlencode([*pairs, *((k, v) for k, v in changes.items() if v is not None)])
