"""How far the columns of a table moved between two revisions. Also as JSON."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.http import HttpResponseBase, JsonResponse
from django.views.decorators.http import require_safe

from datasets import answers, teaching
from datasets.comparison import diffs, drift
from datasets.comparison.statistics import Statistics, statistics
from datasets.tables.names import MAX_TOP_CHARACTERS
from datasets.viewer import histograms
from datasets.views import waiting
from datasets.views.diff import readable
from datasets.views.links import Links
from datasets.views.waiting import controls
from hub.accounts.http import HubRequest
from hub.lib.errors import NotFound
from repos.git.read import shown
from repos.place import Place, url
from repos.views.places import rest_of

CHARTS = 60  # columns that get a chart; the others stay in the table


@require_safe
def page(request: HubRequest, owner: str, name: str, rest: str) -> HttpResponseBase:
    repository = readable(request, owner, name)
    asked = diffs.compared(repository, rest_of(request).partition("/")[2])
    found = statistics(asked, user_id=request.actor.user_id)
    if request.GET.get("format") == "json":
        return as_json(request, found)
    return waiting.page(request, "datasets/drift.html", found.state, lambda: _context(request, found))


def as_json(request: Any, found: Statistics) -> JsonResponse:
    """column=name: that column alone, for its chart."""
    answer = shape(found)
    if (wanted := request.GET.get("column")) is not None and found.state == "done":
        column = next((c for c in found.result["columns"] if c["name"] == wanted), None)
        if column is None:
            raise NotFound("Both versions have no such column.")
        answer = column | {"row_urls": [address for *_, address in bars(found, column)]}
    return waiting.as_json(found.state, answer)


def bars(found: Statistics, column: dict[str, Any]) -> list[tuple[str, float, float, str]]:
    """(what a bar stands for, its share at base and at head, the address of the rows that differ and had such a value
    or have it now)."""
    asked, name = found.compared, column["name"]
    rows_url = url(asked.repository, "datasets/diff", f"{asked.base.name}...{asked.head.name}", asked.path)

    def address(*filters: tuple[str, str]) -> str:
        return f"{rows_url}?{urlencode([('filter', f'{name}:{op}:{value}') for op, value in filters])}"

    if not column.get("bars"):
        return [
            (value, old, new, address(("starts" if len(value) >= MAX_TOP_CHARACTERS else "eq", value)))
            for value, old, new in column.get("shares", ())
        ]
    edges = [histograms.bound(edge, column["kind"]) for edge in column["bars"]["edges"]]
    shares = zip(column["bars"]["base"], column["bars"]["head"], strict=True)
    written = edges if column["kind"] == "time" else [f"{edge:.5g}" for edge in column["bars"]["edges"]]
    return [
        (f"{written[n]} – {written[n + 1]}", *both, address(("gt" if n else "ge", edges[n]), ("le", edges[n + 1])))
        for n, both in enumerate(shares)
    ]


def shape(found: Statistics) -> dict[str, Any]:
    asked = found.compared
    answer: dict[str, Any] = {
        "repository": asked.repository.full_name,
        "base": {"name": shown(asked.base.name), "commit": asked.base.commit},
        "head": {"name": shown(asked.head.name), "commit": asked.head.commit},
        "path": shown(asked.path),
        "state": found.state,
        "missing": found.missing,
        "thresholds": {"psi": [drift.PSI_MOVED, drift.PSI_MUCH], "nulls": [drift.NULLS_MOVED, drift.NULLS_MUCH]},
    } | found.result
    return answer | answers.shape(asked.repository, found.state, found.job)


def _context(request: HubRequest, found: Statistics) -> dict[str, Any]:
    asked = found.compared
    named = f"{asked.base.name}...{asked.head.name}"
    return controls(request, asked.repository, found.job) | {
        "repository": asked.repository,
        "tab": "data",
        "found": found,
        "path_shown": shown(asked.path),
        "base_place": Place(asked.repository, asked.base, asked.path),
        "head_place": Place(asked.repository, asked.head, asked.path),
        "rows_url": url(asked.repository, "datasets/diff", named, asked.path),
        "json_url": Links(request)(format="json"),
        "why_not": answers.why_not(found.state, found.job),
        "push_lines": teaching.push_missing(asked.base.name, asked.head.name, found.missing),
        "columns": found.result.get("columns", []),
        "charts": [
            (column, bars(found, column))
            for column in found.result.get("columns", [])
            if column.get("bars") or column.get("shares")
        ][:CHARTS],
        "thresholds": drift,
    }
