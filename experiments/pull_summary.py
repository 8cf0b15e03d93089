"""What a pull request's summary says of metrics: the best run of each side, metric by metric."""

from __future__ import annotations

from typing import Any

from experiments import deltas
from experiments.directions import MAX, MIN
from experiments.review import Row, review
from experiments.table.state import settings_of
from hub.accounts.actor import Area
from hub.jobs.jobs import Failed, Run
from repos.git.commands import GitError
from repos.models import Repository
from repos.pulls.changed import Ends

MOST_METRICS, NAME_CHARACTERS = 20, 80


class Metrics:
    name, area = "metrics", Area.EXPERIMENTS
    template = "experiments/_pull_summary.html"

    def make(self, repository: Repository, ends: Ends, run: Run) -> dict[str, Any] | None:
        """{"rows": [{"metric", "base", "head", "delta", "change": the same in words, "better": true, false or null,
        "run": id, "run_name"}], "more": rows left out, "runs": how many of [base, head]}.

        Only runs of this repository, bound to commits of the two."""
        try:
            found = review(repository, ends.base, ends.head, settings_of(repository).directions)
        except GitError as error:
            raise Failed("The commits of this pull request cannot be read.") from error
        if not found.head:
            return None
        rows = [_row(row) for row in found.rows if row.head]
        runs = [len(found.base), len(found.head)]
        return {"rows": rows[:MOST_METRICS], "more": max(0, len(rows) - MOST_METRICS), "runs": runs}

    def text(self, found: dict[str, Any]) -> str:
        if not found["rows"]:
            return "### Metrics\n\nIts runs logged no metrics."
        lines = ["### Metrics", "", "| metric | base | this change | difference |", "|---|---|---|---|"]
        for row in found["rows"]:
            values = [_plain(row["base"]), _plain(row["head"]), row["change"]]
            lines.append(f"| {row['metric'].replace('|', chr(92) + '|')} | {' | '.join(values)} |")
        if found["more"]:
            lines += ["", f"and {found['more']} more metrics"]
        return "\n".join(lines)


def _row(row: Row) -> dict[str, Any]:
    assert row.head
    head, base = row.head.metrics[row.metric], row.base.metrics[row.metric] if row.base else None
    more = deltas.delta(head, base)
    return {
        "metric": row.metric[:NAME_CHARACTERS],
        "base": base,
        "head": head,
        "delta": more,
        "change": "" if more is None else deltas.signed(more),
        "better": None if not more else {MIN: more < 0, MAX: more > 0}.get(row.direction),
        "run": row.head.run_id,
        "run_name": row.head.name[:NAME_CHARACTERS],
    }


def _plain(value: float | None) -> str:
    return "" if value is None else f"{value:.6g}"
