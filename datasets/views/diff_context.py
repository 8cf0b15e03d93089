"""What the templates of the diff pages show."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from datasets import teaching
from datasets.comparison import diff_pages, diff_shapes
from datasets.comparison.diff_pages import Page
from datasets.comparison.diffs import Compared, Diff
from datasets.viewer import thumbnails
from datasets.viewer.table_queries import WORDS
from datasets.views.content_context import contents
from datasets.views.links import Links
from datasets.views.media_context import MEDIA
from datasets.views.said_links import beginning, pull_of
from datasets.views.waiting import controls
from hub.accounts.http import HubRequest
from repos.git.read import shown
from repos.place import Place, folders_above, url

_WORDS = {"rewritten": "only written differently"}
_SIGNS = {"added": "+", "removed": "−", "changed": "±", "modified": "±", "renamed": "→", "rewritten": "≈"}


@dataclass(frozen=True)
class Choice:
    """A link that changes one thing of the address. count: None for none."""

    name: str
    url: str
    chosen: bool = False
    count: int | None = None
    status: str = ""


@dataclass(frozen=True)
class Cell:
    """old, new: as text, None for an empty cell. what: same, changed, added or removed."""

    old: str | None
    new: str | None
    what: str


@dataclass(frozen=True)
class Line:
    """One row of a table, or one file. number: the row's position, from 1."""

    status: str
    sign: str
    number: int
    cells: Sequence[Cell] = ()
    file: dict[str, Any] | None = None
    url: str = ""
    comment: str = ""


@dataclass(frozen=True)
class Image:
    """A small picture of a file that differs, which leads to its diff."""

    status: str
    sign: str
    name: str
    url: str
    thumbnail: str


def context(request: HubRequest, found: Diff, page: Page | None) -> dict[str, Any]:
    asked, links = found.compared, Links(request)
    values = {
        "repository": asked.repository,
        "tab": "data",
        "found": found,
        "page": page,
        "path_shown": shown(asked.path),
        "base_place": Place(asked.repository, asked.base, asked.path),
        "head_place": Place(asked.repository, asked.head, asked.path),
        "crumbs": _crumbs(found),
        "drift_url": url(asked.repository, "datasets/drift", f"{asked.base.name}...{asked.head.name}", asked.path),
        "permalink": found.compared.permalink(diff_shapes.PAGE),
        "swap": url(asked.repository, "datasets/diff", f"{asked.head.name}...{asked.base.name}", asked.path),
        "json_url": links(format="json"),
        "pull": pull_of(request),
        "said_kind": {"table": "row", "image": "image"}.get(found.kind, ""),
        "why_not": diff_shapes.why_not(found),
        "push_lines": teaching.push_missing(asked.base.name, asked.head.name, found.missing),
    }
    values |= controls(request, asked.repository, found.job)
    if found.kind in MEDIA and found.result:
        values |= MEDIA[found.kind](found, links)
    elif found.kind in diff_shapes.CONTENTS and found.result:
        values |= contents(found, links)
    if page is not None:
        values |= _paging(page, links) | {"parquet_url": links(format="parquet")}
        values |= _table(found, page, links) if found.kind == "table" else _files(found, page, links)
    return values


def _crumbs(found: Diff) -> list[tuple[str, str]]:
    """(name, address of its diff) of every folder above."""
    asked = found.compared
    named = f"{asked.base.name}...{asked.head.name}"
    above = [("all data", ""), *folders_above(asked.path)] if asked.path else []
    return [(shown(name), url(asked.repository, "datasets/diff", named, path)) for name, path in above]


def _paging(page: Page, links: Links) -> dict[str, Any]:
    return {
        "previous": links(page=str(page.number - 1)) if page.number > 1 else "",
        "next": links(page=str(page.number + 1)) if page.number < page.count else "",
    }


def _statuses(found: Diff, links: Links, kind: str, names: tuple[str, ...], everything: int) -> list[Choice]:
    chosen = links.request.GET.get("status", "")
    choices = [Choice("all", links(status=None), not chosen, everything)]
    for name in names:
        if count := found.summary.get(f"{kind}_{name}", 0):
            choices.append(Choice(_WORDS.get(name, name), links(status=name), chosen == name, count, name))
    return choices


# ---- tables ------------------------------------------------------------------------------------
def _table(found: Diff, page: Page, links: Links) -> dict[str, Any]:
    names = diff_pages.ROW_STATUSES
    everything = sum(found.summary[f"rows_{name}"] for name in names[:3])
    column = links.request.GET.get("column", "")
    schema = found.result["schema"]
    return {
        "lines": _rows(found, page, links),
        "statuses": _statuses(found, links, "rows", names, everything),
        "cells": [
            Choice(cell["column"], links(column=cell["column"]), column == cell["column"], cell["changed"])
            for cell in found.result["cells"][:40]
        ],
        "noise": [cell for cell in found.result["cells"] if cell["noise"]][:20],
        "filters": _filters(found, links),
        "all_cells_url": links(column=None) if column else "",
        "split": links.has(view="split"),
        "unified_url": links(view=None),
        "split_url": links(view="split"),
        "only_changed": links.has(columns="changed"),
        "columns_url": links(columns=None if links.has(columns="changed") else "changed"),
        "schema": schema,
        "schema_changed": any(schema[name] for name in ("added", "removed", "renamed", "retyped")),
        "key": found.result["key"],
        "notes": [
            (side, note) for side in ("base", "head") for note in found.result["sides"].get(side, {}).get("notes", [])
        ],
        "hidden_columns": max(0, len(schema["columns"]) + len(schema["added"]) - len(page.columns)),
        "wide": len(page.columns) >= diff_pages.MAX_SHOWN_COLUMNS,
    }


def _filters(found: Diff, links: Links) -> list[tuple[str, str, str, str]]:
    """(column, what is asked of it, value, address without)."""
    columns = found.result["schema"]["columns"]
    return [
        (columns[f.column]["name"], WORDS[f.op], f.value, links.without_filter(number))
        for number, f in enumerate(diff_pages.filters_of(found, links.filters))
    ]


def _rows(found: Diff, page: Page, links: Links) -> list[Line]:
    asked = found.compared
    head, base = (
        beginning(links.request, Place(asked.repository, rev, asked.path)) for rev in (asked.head, asked.base)
    )
    return [line_of(row, base if row["status"] == "removed" else head) for row in page.rows]


def line_of(row: dict[str, Any], begin: Callable[[int], str]) -> Line:
    """begin: the address where a comment on a row begins."""
    number = row["position"] + 1
    cells = [_cell(row["status"], *cell) for cell in row["cells"]]
    return Line(row["status"], _SIGNS[row["status"]], number, cells, comment=begin(number))


def _cell(status: str, old: str | None, new: str | None) -> Cell:
    if status in {"added", "removed"}:
        return Cell(old, new, status)
    return Cell(old, new, "same" if old == new else "changed")


# ---- files -------------------------------------------------------------------------------------
def _files(found: Diff, page: Page, links: Links) -> dict[str, Any]:
    asked, more = found.compared, f"?pull={pull}" if (pull := pull_of(links.request)) else ""
    names = diff_pages.FILE_STATUSES
    everything = sum(found.summary[f"files_{name}"] for name in names)
    start = f"{asked.base.name}...{asked.head.name}"
    return {
        "images": _images(asked, page.rows, start, more),
        "lines": [
            Line(
                row["status"],
                _SIGNS[row["status"]],
                0,
                (),
                _file(row),
                url(asked.repository, "datasets/diff", start, row["path"]) + more,
            )
            for row in page.rows
        ],
        "statuses": _statuses(found, links, "files", names, everything),
        "folders": found.result["folders"] if not links.has(moved="1") and not links.request.GET.get("q") else [],
        "unfold_url": links(moved="1"),
        "fold_url": links(moved=None) if links.has(moved="1") else "",
        "text": links.request.GET.get("q", ""),
        "everything": everything,
        "lost_lines": teaching.push_lines(*_lost_at(asked, page.rows)),
    }


def _lost_at(asked: Compared, rows: list[dict[str, Any]]) -> list[str]:
    """Of base and head those of which a file of this page was never pushed."""
    sides = (("old_hash", "old_size", asked.base), ("hash", "size", asked.head))
    return [rev.name for hash_, size, rev in sides if any(row[hash_] and row[size] is None for row in rows)]


def _images(asked: Compared, rows: list[dict[str, Any]], start: str, more: str) -> list[Image]:
    """The images of this page whose bytes are here: at head, or at base where they were removed."""
    found = []
    for row in rows:
        gone = row["status"] == "removed"
        here = row["old_size" if gone else "size"] is not None
        if here and thumbnails.has_thumbnail(row["path"]):
            picture = Place(asked.repository, asked.base if gone else asked.head, row["path"])
            address = url(asked.repository, "datasets/diff", start, row["path"]) + more
            thumbnail = picture.pinned("datasets/thumbnail")
            found.append(Image(row["status"], _SIGNS[row["status"]], picture.name_shown, address, thumbnail))
    return found


def _file(row: dict[str, Any]) -> dict[str, Any]:
    old, new = row["old_size"], row["size"]
    known = (old is not None or not row["old_hash"]) and (new is not None or not row["hash"])
    delta = (new or 0) - (old or 0) if known and row["status"] != "renamed" else None
    return row | {"delta": delta, "grows": (delta or 0) >= 0, "by": abs(delta or 0)}
