"""The rows of one version of a table, a hundred at a time. Also as JSON."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse, HttpResponseBase
from django.views.decorators.http import require_safe

from datasets import answers
from datasets.viewer import table_pages, viewing
from datasets.viewer.table_pages import Rows
from datasets.viewer.table_queries import PER_PAGE, Query, query
from datasets.viewer.viewing import Table
from datasets.views import waiting
from datasets.views.diff import readable
from datasets.views.table_context import context
from hub.accounts.http import HubRequest
from repos.models import Repository
from repos.place import Place, split_rev
from repos.views.places import rest_of


@require_safe
def page(request: HubRequest, owner: str, name: str, rest: str) -> HttpResponseBase:
    repository = readable(request, owner, name)
    found, asked, rows = answer(repository, rest_of(request).partition("/")[2], request.GET, request.actor.user_id)
    if request.GET.get("format") == "json":
        return waiting.as_json(state_of(found, rows), shape(found, asked, rows))
    return _page(request, found, asked, rows)


def answer(repository: Repository, named: str, given: Any, user_id: int | None) -> tuple[Table, Query, Rows | None]:
    """The table at `rev/path`, what the query (a QueryDict) asks of it, and the rows, as far as they are there."""
    rev, path = split_rev(repository, named)
    found = viewing.table(Place(repository, rev, path), user_id=user_id)
    if found.state != "done":
        return found, Query(), None
    asked = query(given, found.columns, found.about["rows"])
    return found, asked, table_pages.rows(found, asked, user_id=user_id)


def _page(request: HubRequest, found: Table, asked: Query, rows: Rows | None) -> HttpResponse:
    return waiting.page(
        request, "datasets/table.html", state_of(found, rows), lambda: context(request, found, asked, rows)
    )


def state_of(found: Table, rows: Rows | None) -> str:
    return rows.state if rows else found.state


def shape(found: Table, asked: Query, rows: Rows | None) -> dict[str, Any]:
    """rows: [{"row": number in the file from 1, "cells": text or null, in the order of `columns`}]."""
    place, state = found.place, state_of(found, rows)
    job = (rows.job if rows else None) or found.job
    answer: dict[str, Any] = {
        "repository": place.repository.full_name,
        "rev": answers.rev(place.rev),
        "path": place.path_shown,
        "state": state,
        "url": place.pinned("datasets/table"),
        "missing": [{"path": place.path_shown, "pointer": found.version.pointer}] if state == "missing" else [],
    }
    return answer | answers.shape(place.repository, state, job) | _shape(found, asked, rows)


def _shape(found: Table, asked: Query, rows: Rows | None) -> dict[str, Any]:
    if rows is None:
        return {}
    about, columns = found.about, found.columns
    answer: dict[str, Any] = {"format": about["format"], "notes": about["notes"], "total_rows": about["rows"]}
    answer |= {"total_columns": len(columns), "parts": len(about["parts"]), "part": asked.part}
    answer["columns"] = [{name: columns[n][name] for name in ("name", "type", "kind")} for n in rows.columns]
    answer["filters"] = [wanted.text(columns) for wanted in asked.filters]
    answer["sort"] = [("-" if wanted.down else "") + columns[wanted.column]["name"] for wanted in asked.sorts]
    if rows.state != "done":
        return answer
    lines = [{"row": number, "cells": cells} for number, cells in zip(rows.numbers, rows.rows, strict=True)]
    answer |= {"page": asked.page, "pages": rows.pages, "per_page": PER_PAGE, "total": rows.total, "rows": lines}
    return answer
