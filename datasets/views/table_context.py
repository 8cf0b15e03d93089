"""What the template of a table's page shows."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from datasets import answers, teaching
from datasets.comparison import statistics
from datasets.viewer import snippets, table_queries
from datasets.viewer.histograms import Bar, Histogram, histogram
from datasets.viewer.table_pages import Rows
from datasets.viewer.table_queries import PER_PAGE, Query
from datasets.viewer.viewing import Table
from datasets.views.links import Links
from datasets.views.said_links import beginning, rows_said
from datasets.views.waiting import controls
from hub.accounts.http import HubRequest
from repos import browsing

MAX_FOUND = 50  # columns that the search of columns shows
UNASKED_BYTES = 16 * 1024**2  # a table up to this size is summed up without being asked
OPS = [(op, table_queries.WORDS[op]) for op in table_queries.OPS]


class TableLinks(Links):
    left_out = ("page", "format", "row", "find")

    def with_filters(self, *texts: str) -> str:
        return self(filter=[*self.filters, *(text for text in texts if text not in self.filters)])


@dataclass(frozen=True)
class Head:
    """One column of the page. sorted: "ascending", "descending" or "". url: its panel."""

    name: str
    type: str
    is_number: bool
    sorted: str
    sort_url: str
    url: str
    histogram: Histogram | None = None


@dataclass(frozen=True)
class Line:
    number: int
    url: str
    chosen: bool
    comment: str = ""
    said: str = ""
    cells: list[tuple[str | None, bool]] = field(default_factory=list)


def context(request: HubRequest, found: Table, asked: Query, rows: Rows | None) -> dict[str, Any]:
    place, links = found.place, TableLinks(request)
    shown = rows if rows and rows.job else found  # whose job is waited for
    values: dict[str, Any] = controls(request, place.repository, shown.job) | {
        "repository": place.repository,
        "tab": "data",
        "place": place,
        "table": found,
        "found": shown,
        "rows": rows,
        "asked": asked,
        "doing": "Reading the table…" if shown is found else "Filtering and sorting the rows…",
        "why_not": answers.why_not(shown.state, shown.job),
        "json_url": links(format="json"),
        "permalink": place.pinned("datasets/table"),
        "branches": browsing.branches(place.repository),
        "tags": browsing.tags(place.repository),
        "push_lines": teaching.push_lines(place.rev.name) if found.state == "missing" else "",
        "snippets": snippets.snippets(place),
    }
    if rows is None:
        return values
    sketch = _sketch(request, found)
    values |= (
        _filters(found, asked, links) | _columns(request, found, rows, links) | _panel(request, found, sketch, links)
    )
    if rows.state == "done":
        values |= _grid(request, found, asked, rows, links, sketch)
    return values


def _filters(found: Table, asked: Query, links: TableLinks) -> dict[str, Any]:
    names = [column["name"] for column in found.columns]
    return {
        "chips": [
            (names[wanted.column], table_queries.WORDS[wanted.op], wanted.value, links.without_filter(number))
            for number, wanted in enumerate(asked.filters)
        ],
        "kept_fields": [
            (name, value) for name in ("filter", "sort", "show", "part") for value in links.request.GET.getlist(name)
        ],
        "ops": OPS,
        "filter_columns": names[:MAX_FOUND],
        "no_filters_url": links(filter=None, sort=None),
    }


# ---- columns -----------------------------------------------------------------------------------
def _columns(request: HubRequest, found: Table, rows: Rows, links: TableLinks) -> dict[str, Any]:
    """The way through many columns: parts of them, a search, and those that were chosen by name."""
    names, parts = [column["name"] for column in found.columns], found.about["parts"]
    part = int(request.GET.get("part") or 1)
    words = request.GET.get("find", "").strip().lower()[:200]
    matching = [name for name in names if words in name.lower()] if words else []
    chosen = [names[number] for number in rows.columns] if request.GET.getlist("show") else []
    return {
        "find": request.GET.get("find", "")[:200],
        "found_columns": [(name, links(show=[*chosen, name], part=None)) for name in matching[:MAX_FOUND]],
        "found_more": max(0, len(matching) - MAX_FOUND),
        "chosen_columns": [(name, links(show=[other for other in chosen if other != name])) for name in chosen],
        "all_columns_url": links(show=None),
        "part_first": parts[part - 1][0] + 1 if not chosen and part <= len(parts) else 0,
        "part_last": parts[part - 1][1] if not chosen and part <= len(parts) else 0,
        "part_previous": links(part=str(part - 1)) if part > 1 and not chosen else "",
        "part_next": links(part=str(part + 1)) if part < len(parts) and not chosen else "",
        "wide": len(parts) > 1 or bool(chosen),
    }


def _sketch(request: HubRequest, found: Table) -> dict[str, dict[str, Any]]:
    """Sketches by column, when there are any; made unasked for small tables, and for whoever opens a column."""
    place, version = found.place, found.version
    sketch = statistics.sketch_of(place.repository, place.path, version)
    if sketch is None:
        if request.GET.get("column") or (version.size or 0) <= UNASKED_BYTES:
            statistics.sketch_job(place.repository, place.path, place.commit, version, request.actor.user_id)
        return {}
    return {column["name"]: column for column in sketch["columns"]}


def _panel(request: HubRequest, found: Table, sketch: dict[str, dict[str, Any]], links: TableLinks) -> dict[str, Any]:
    """One column: what it holds, each bar a filter."""
    name = request.GET.get("column", "")
    column = next((column for column in found.columns if column["name"] == name), None) if name else None
    if column is None:
        return {}
    values = {"panel": column, "panel_close": links(column=None), "panel_wait": not sketch}
    if name in sketch:
        made = histogram(sketch[name], rows=found.about["rows"])
        values["panel_histogram"] = made
        values["panel_bars"] = [(bar, _bar_url(bar, name, links)) for bar in made.bars]
        values["panel_empty_url"] = links.with_filters(f"{name}:null") if sketch[name]["nulls"] else ""
    return values


def _bar_url(bar: Bar, name: str, links: TableLinks) -> str:
    return links.with_filters(*(f"{name}:{op}:{value}" for op, value in bar.filters)) if bar.filters else ""


# ---- rows --------------------------------------------------------------------------------------
def _grid(
    request: HubRequest, found: Table, asked: Query, rows: Rows, links: TableLinks, sketch: dict[str, dict[str, Any]]
) -> dict[str, Any]:
    columns = [found.columns[number] for number in rows.columns]
    numbers = [column["kind"] in {"integer", "number"} for column in columns]
    pinned = found.place.pinned("datasets/table")
    said, begin = rows_said(request.actor, found, rows), beginning(request, found.place)
    lines = [
        Line(
            number,
            f"{pinned}?row={number}#row-{number}",
            number == asked.row,
            begin(number),
            said.get(number, ""),
            list(zip(cells, numbers, strict=True)),
        )
        for number, cells in zip(rows.numbers, rows.rows, strict=True)
    ]
    return {
        "heads": [_head(found, asked, number, links, sketch) for number in rows.columns],
        "lines": lines,
        "first": (asked.page - 1) * PER_PAGE + 1,
        "last": (asked.page - 1) * PER_PAGE + len(lines),
        "cut": rows.kept < rows.total,
        "previous": links(page=str(asked.page - 1)) if asked.page > 1 else "",
        "next": links(page=str(asked.page + 1)) if asked.page < rows.pages else "",
        "pager": {"number": asked.page, "count": rows.pages},
    }


def _head(found: Table, asked: Query, number: int, links: TableLinks, sketch: dict[str, dict[str, Any]]) -> Head:
    column = found.columns[number]
    name, kind = column["name"], column["kind"]
    down = next((wanted.down for wanted in asked.sorts if wanted.column == number), None)
    sorted_ = {None: "", False: "ascending", True: "descending"}[down]
    next_sort = {None: name, False: f"-{name}", True: None}[down]
    made = histogram(sketch[name], rows=found.about["rows"]) if name in sketch else None
    sort_url = links(sort=next_sort) if kind != "other" else ""
    return Head(name, column["type"], kind in {"integer", "number"}, sorted_, sort_url, links(column=name), made)
