"""The rows of the table of runs as HTML, made in Python: 100 runs of 40 columns through template tags take too long."""

from __future__ import annotations

import time
from collections.abc import Mapping
from html import escape

from django.utils.safestring import SafeString, mark_safe

from experiments.listing import Page
from experiments.runs import Run
from hub.templatetags.covey import duration, measured, run_status, short
from repos.rows import when

NAME_CHARACTERS, EXPERIMENT_CHARACTERS = 60, 40


def html(page: Page, commits: Mapping[str, str], *, repository_url: str) -> SafeString:
    """commits: run id → the commit of this repository that it is bound to."""
    now = time.time()
    columns = [column.split(".", 1) for column in page.columns]
    rows = (_row(run, commits.get(run.run_id, ""), columns, repository_url, now) for run in page.rows)
    return mark_safe("".join(rows))  # noqa: S308  # escaped below


def _row(run: Run, commit: str, columns: list[list[str]], base: str, now: float) -> str:
    started = when(int(run.started.timestamp()), now) if run.started else ""
    link = f'<a class="mono" href="{base}/commit/{escape(commit)}">{escape(short(commit))}</a>' if commit else ""
    cells = "".join([f'<td class="number">{_cell(run, kind, key)}</td>' for kind, key in columns])
    return (
        f'<tr><td class="choose"><input type="checkbox" name="run" value="{escape(run.run_id)}" form="compare" '
        f'aria-label="Choose {_beginning(run.name, NAME_CHARACTERS)}"></td>'
        f'<th scope="row"><a href="{base}/experiments/runs/{escape(run.run_id)}">'
        f"{_beginning(run.name, NAME_CHARACTERS)}</a></th>"
        f'<td>{run_status(run.status)}</td><td>{escape(run.user)}</td><td class="nowrap">{started}</td>'
        f'<td class="nowrap">{duration(run.duration)}</td><td>{_beginning(run.experiment, EXPERIMENT_CHARACTERS)}</td>'
        f"<td>{link}</td>{cells}</tr>\n"
    )


def _cell(run: Run, kind: str, key: str) -> str:
    if kind == "metrics":
        return measured(run.metrics.get(key))
    return escape(measured((run.params if kind == "params" else run.tags).get(key)))


def _beginning(text: str, characters: int) -> str:
    return escape(text if len(text) <= characters else f"{text[: characters - 1]}…")
