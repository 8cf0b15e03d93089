"""Two small tables that are no versions of a repository, compared row by row while their page is asked for."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

from datasets import results, sandboxed
from datasets.comparison import diff_pages
from datasets.comparison.contentdiffs import Changes
from datasets.tables.names import CHANGES
from hub.lib import sandbox_job
from hub.lib.errors import Busy
from hub.lib.sandbox_job import Limits
from repos.content import Content

MAX_BYTES = 32 * 1024**2
MOST_ROWS = 100
_LIMITS = Limits(seconds=20, memory_bytes=2 * 1024**3, disk_bytes=512 * 1024**2)
_WAIT_SECONDS = 10
_turns = threading.BoundedSemaphore(1)  # each takes a process of its own


def changes(name: str, base: Content, head: Content) -> Changes:
    """kind "table": summary as every diff of tables has it; result: that of datasets.tables.diff, with "rows" (the
    first MOST_ROWS that differ) and their "columns". kind "problems": result["problems"].

    name: what both are called. Each at most MAX_BYTES. Raises Unreadable, Overrun, Busy."""
    if not _turns.acquire(timeout=_WAIT_SECONDS):
        raise Busy("Other tables are being compared.", details="Try again in a few seconds.")
    try:
        with results.work_folder() as folder:
            return _compared(name, base, head, folder)
    finally:
        _turns.release()


def _compared(name: str, base: Content, head: Content, folder: Path) -> Changes:
    inputs, out = {"base": folder / "in-base", "head": folder / "in-head"}, folder / "out"
    for content, place in ((base, inputs["base"]), (head, inputs["head"])):
        place.write_bytes(content.head(content.size))
    out.mkdir()
    found: dict[str, Any] = sandbox_job.run(
        "datasets.tables.diff:compare", inputs, out, package="datasets", limits=_LIMITS, beat=lambda *_: None,
        base_name=name, head_name=name, key=[],
    )  # fmt: skip
    if found["problems"]:
        return Changes("problems", {}, found)
    columns = diff_pages.columns_of(found, all_columns=True)
    statuses = list(diff_pages.ROW_STATUSES[:3])
    rows = sandboxed.call("pages:rows", files=[out / CHANGES], statuses=statuses, columns=columns, limit=MOST_ROWS)
    note = f"Only the first {MOST_ROWS} of {rows['total']:,} rows are shown." if rows["total"] > MOST_ROWS else ""
    return Changes("table", found["summary"], {**found, "rows": rows["rows"], "columns": columns}, note)
