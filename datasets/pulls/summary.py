"""What a pull request's summary says of data: counts for each output, how columns drifted, the size of what is new.

The answers are those of the data pages; what nobody has asked for yet is made here and now, as jobs of their own.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, TypeVar

from datasets import formats
from datasets.comparison import diffs, filelists
from datasets.comparison.diffs import Compared, Diff, Options
from datasets.comparison.statistics import Statistics, statistics
from datasets.tracked.versions import version_at
from hub.accounts.actor import Area
from hub.jobs import jobs
from hub.jobs.jobs import Run
from hub.lib.errors import Busy, NotFound
from repos.git.read import Rev, shown
from repos.models import Repository
from repos.place import quoted
from repos.pulls.changed import Ends

MOST_OUTPUTS = 12
MOST_SECONDS = 180.0  # for all that is made here; what takes longer is told when it is there
MOST_SKETCHED_BYTES = 512 * 1024**2
NAME_CHARACTERS = 300
Answer = TypeVar("Answer", Diff, Statistics)


class Data:
    name, area = "data", Area.DATA
    template = "datasets/_pull_summary.html"

    def make(self, repository: Repository, ends: Ends, run: Run) -> dict[str, Any] | None:
        """{"outputs": [{"path", "address", "kind", "state", "counts": summary of its diff, "words": the same in words,
        "drift": verdict or "", "moved": names of columns}], "more": outputs left out, "bytes_added", "bytes_removed":
        of all files, null when not known}."""
        paths = _paths(repository, ends)
        if not paths:
            return None
        base, head = Rev(ends.base, "commit", ends.base), Rev(ends.head, "commit", ends.head)
        made = _Made(run)
        whole = made.whole(lambda: diffs.diff(Compared(repository, base, head), Options(), user_id=None))
        outputs = [made.output(Compared(repository, base, head, path)) for path in paths[:MOST_OUTPUTS]]
        sizes = {name: whole.summary.get(name) if whole else None for name in ("bytes_added", "bytes_removed")}
        return {"outputs": outputs, "more": max(0, len(paths) - MOST_OUTPUTS), **sizes}

    def text(self, found: dict[str, Any]) -> str:
        lines = ["### Data", ""]
        for output in found["outputs"]:
            drift = f" {output['drift']}" if output["drift"] else ""
            lines.append(f"- `{output['path'].replace('`', '')}`: {output['words']}.{drift}")
        if found["more"]:
            lines.append(f"- and {found['more']} more")
        if found["bytes_added"]:
            lines += ["", f"New data: {found['bytes_added']:,} bytes."]
        return "\n".join(lines)


def _words(state: str, counts: dict[str, Any]) -> str:
    if state == "missing":
        return "never pushed here"
    if state != "done":
        return "not compared yet" if state in {"queued", "running", "later"} else "cannot be compared"
    parts = []
    for name, words in _WORDS.items():
        if counts.get(name):
            parts.append(f"{counts[name]:,} {words if counts[name] != 1 else words.replace('s ', ' ', 1)}")
    return ", ".join(parts) or "other bytes"


_WORDS = {
    **{f"{what}s_{how}": f"{what}s {how}" for what in ("row", "file") for how in ("added", "removed", "changed")},
    **{"files_modified": "files modified", "files_renamed": "files renamed", "cells_changed": "cells changed"},
    **{f"{what}s_{how}": f"{what}s {how}" for what in ("path", "line") for how in ("added", "removed", "changed")},
}


def _paths(repository: Repository, ends: Ends) -> list[str]:
    """Outputs of DVC that differ, then data files in git."""
    found = filelists.lists(repository, ends.base, ends.head, "")
    outputs = sorted({output.path for side in (found.base, found.head) for output in side.outputs})
    in_git = sorted({path for side in filelists.in_git(repository, ends.base, ends.head, "") for path, _ in side})
    return list(dict.fromkeys([*outputs, *in_git]))


class _Made:
    """Answers within one time for all of them."""

    def __init__(self, run: Run) -> None:
        self.run, self.until = run, time.monotonic() + MOST_SECONDS

    def output(self, asked: Compared) -> dict[str, Any]:
        found = self.whole(lambda: diffs.diff(asked, Options(), user_id=None))
        drift = self._drift(asked, found) if found else None
        state, summary = (found.state, found.summary) if found else ("later", {})
        counts = {name: value for name, value in summary.items() if value}
        return {
            "path": shown(asked.path)[:NAME_CHARACTERS],
            "address": quoted(asked.path),
            "kind": found.kind if found else "file",
            "state": state,
            "counts": counts,
            "words": _words(state, counts),
            "drift": drift["verdict"] if drift else "",
            "moved": [column["name"] for column in drift["columns"] if column["level"]][:10] if drift else [],
        }

    def _drift(self, asked: Compared, found: Diff) -> dict[str, Any] | None:
        """Of a table that both sides have."""
        if found.kind != "table" or found.state != "done" or not formats.is_table(asked.path):
            return None
        for rev in (asked.base, asked.head):
            version = version_at(asked.repository, rev.commit, asked.path)
            if version is None or not version.present or (version.size or 0) > MOST_SKETCHED_BYTES:
                return None
        answer = self.whole(lambda: statistics(asked, user_id=None))
        return answer.result if answer and answer.state == "done" else None

    def whole(self, ask: Callable[[], Answer]) -> Answer | None:
        """The answer once it is there: its jobs run here, or somebody runs them. As it is when the time is over; None
        when it cannot be asked."""
        while True:
            self.run.progress(0)
            try:
                found = ask()
            except (NotFound, Busy):
                return None
            job = found.job
            if job is None or job.state not in jobs.OPEN or time.monotonic() > self.until:
                return found
            if job.state == jobs.State.QUEUED:
                jobs.run(job.pk)
            else:
                time.sleep(0.5)  # another worker has it
