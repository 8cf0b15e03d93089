"""One page of a table's rows: as they lie in the file, or filtered and sorted.

A filter over few rows is answered on the spot. Over many, or where the rows lie in S3, a job makes the first rows of
the answer a file, which is paged like a table.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from datasets import results, sandboxed
from datasets.comparison import comparing
from datasets.tables.names import TABLE
from datasets.viewer import viewing
from datasets.viewer.table_queries import PER_PAGE, Filter, Query, Sort
from datasets.viewer.viewing import Source, Table
from hub.jobs import jobs
from hub.jobs.jobs import Failed, Run, State
from hub.jobs.models import Job
from hub.lib.errors import NotFound, Unprocessable
from hub.lib.sandbox import Overrun, Unreadable
from repos.place import quoted

SELECT = "datasets.table-select"
AT_ONCE_CELLS = 20_000_000  # of the columns that are filtered or sorted by, and of one more
MAX_KEPT_ROWS, MAX_KEPT_CELLS = 100_000, 20_000_000


@dataclass(frozen=True)
class Rows:
    """state: done, queued, running, failed or cancelled. columns: numbers of those shown. numbers: of the rows in the
    file, from 1. total: rows that match; kept: how many of those can be paged."""

    state: str
    columns: list[int]
    numbers: list[int] = field(default_factory=list)
    rows: list[list[str | None]] = field(default_factory=list)
    total: int = 0
    kept: int = 0
    job: Job | None = None

    @property
    def pages(self) -> int:
        return max(1, -(-self.kept // PER_PAGE))


def columns_of(found: Table, asked: Query) -> list[int]:
    """Those asked for by name, else the part's. Raises NotFound."""
    if asked.show:
        return list(asked.show)
    parts = found.about["parts"]
    if asked.part > len(parts):
        raise NotFound(f"The columns of this table come in {len(parts):,} part{'s' * (len(parts) > 1)}.")
    return list(range(*parts[asked.part - 1]))


def rows(found: Table, asked: Query, *, user_id: int | None) -> Rows:
    """A page of a table that is done. Raises NotFound beyond the last page, Unprocessable when the bytes cannot be
    read, Busy, ObjectStoreError."""
    columns = columns_of(found, asked)
    try:
        page = _plain(found, asked, columns) if asked.plain else _chosen(found, asked, columns, user_id)
    except Unreadable as error:
        raise Unprocessable(f"These rows cannot be read: {error}") from error
    except Overrun as error:
        raise Unprocessable(
            "These rows take too much time or memory to be read.", details="Choose fewer columns, or download the file."
        ) from error
    if page.state == "done" and asked.page > page.pages:
        raise NotFound(f"The last page is {page.pages:,}.")
    return page


def _plain(found: Table, asked: Query, columns: list[int]) -> Rows:
    total, offset = found.about["rows"], (asked.page - 1) * PER_PAGE
    page: list[list[str | None]] = []
    if offset < total:
        page = _source(found).call("page", columns=columns, offset=offset, limit=PER_PAGE)["rows"]
    return Rows("done", columns, list(range(offset + 1, offset + 1 + len(page))), page, total, total)


def _source(found: Table) -> Source:
    assert found.source is not None
    return found.source


# ---- filtered and sorted -----------------------------------------------------------------------
def _chosen(found: Table, asked: Query, columns: list[int], user_id: int | None) -> Rows:
    source = _source(found)
    if source.local is None:  # a copy of the object, made once
        found = viewing.prepared(found.place, found.version, found.identity, user_id)
        if found.state != "done":
            return Rows(found.state, columns, job=found.job)
        source = _source(found)
    filters, sorts = _orders(found, asked)
    if found.about["rows"] * (1 + len(filters) + len(sorts)) > AT_ONCE_CELLS:
        return _selected(found, asked, columns, filters, sorts, user_id)
    file = source.local
    assert file is not None
    offset = (asked.page - 1) * PER_PAGE
    orders = {"filters": filters, "sorts": sorts, "columns": columns}
    answer = sandboxed.call("selecting:page", files=[file], offset=offset, limit=PER_PAGE, **orders)
    numbers = [number + 1 for number in answer["numbers"]]
    return Rows("done", columns, numbers, answer["rows"], answer["total"], answer["total"])


def _orders(found: Table, asked: Query) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """As datasets.tables.selecting takes them."""

    def typed(wanted: Filter | Sort) -> dict[str, Any]:
        column = found.about["columns"][wanted.column]
        return {"column": wanted.column, "kind": column["kind"], "text": column["text"]}

    filters = [typed(wanted) | {"op": wanted.op, "value": wanted.value} for wanted in asked.filters]
    return filters, [typed(wanted) | {"down": wanted.down} for wanted in asked.sorts]


def _selected(
    found: Table,
    asked: Query,
    columns: list[int],
    filters: list[dict[str, Any]],
    sorts: list[dict[str, Any]],
    user_id: int | None,
) -> Rows:
    place, repository = found.place, found.place.repository
    digest = results.digest(SELECT, repository.pk, found.identity, filters, sorts)
    file = results.place_of(repository.pk, digest)
    arguments = {"repository": repository.pk, "commit": place.commit, "path": quoted(place.path)}
    arguments |= {"digest": digest, "filters": filters, "sorts": sorts, "width": len(found.about["columns"])}
    job = comparing.job_of(SELECT, digest, arguments, repository, user_id, is_kept=lambda _: results.touch(file))
    if job.state != State.DONE:
        return Rows(str(job.state), columns, job=job)
    offset, width = (asked.page - 1) * PER_PAGE, len(found.about["columns"])
    wanted = {"columns": [*columns, width], "offset": offset, "limit": PER_PAGE}
    page = Source(repository.pk, file=file).call("page", **wanted)["rows"]
    numbers = [int(row[-1]) + 1 for row in page]
    counts = job.result or {}
    return Rows("done", columns, numbers, [row[:-1] for row in page], counts["total"], counts["kept"])


@jobs.handler(SELECT)
def select(run: Run) -> dict[str, Any]:
    """Arguments: repository, commit, path, digest, filters, sorts, width. {"total", "kept"}; the rows are a file."""
    asked = run.job.arguments
    repository, version, identity = viewing.asked_version(run)
    source = viewing.source_of(repository, version, identity)
    file = source.local if source else None
    if file is None:
        raise Failed("The table was removed from the hub's cache just now. Ask again; it is made once more.")
    most = max(1, min(MAX_KEPT_ROWS, MAX_KEPT_CELLS // asked["width"]))
    orders = {"filters": asked["filters"], "sorts": asked["sorts"]}
    with results.work_folder() as folder:
        answer = comparing.work(run, "datasets.tables.selecting:select", {"table": file}, folder, most=most, **orders)
        results.keep(folder / "out" / TABLE, results.place_of(repository.pk, asked["digest"]))
    return dict(answer)
