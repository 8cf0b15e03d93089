"""The tables of a comparison as HTML, made in Python: 600 names of 100 runs through template tags take too long."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from html import escape

from django.utils.safestring import SafeString, mark_safe

from experiments import deltas, directions
from experiments.comparison import Comparison
from experiments.runs import Run
from experiments.shapes import cell
from experiments.table.columns import written
from hub.templatetags.covey import duration, measured


def html(kind: str, found: Comparison, declared: Mapping[str, str]) -> SafeString:
    """One row per name; a metric's cell says how far it is from the baseline. Rows that differ are marked.

    declared: which way metrics get better, where that is not as their names say.
    """
    rows = (_row(written(kind, key), key, found, directions.direction(key, declared)) for key in found.names[kind])
    return mark_safe("".join(rows))  # noqa: S308  # escaped below


def attributes(found: Comparison, *, differences: bool) -> SafeString:
    """When, where and by whom they ran; with differences only the rows that differ."""
    read = ((title, [value(run) for run in found.runs]) for title, value in _ATTRIBUTES)
    rows = (_plain(title, values) for title, values in read if not differences or len(set(values)) > 1)
    return mark_safe("".join(rows))  # noqa: S308  # escaped below


_ATTRIBUTES: tuple[tuple[str, Callable[[Run], str]], ...] = (
    ("Status", lambda run: run.status.lower()),
    ("User", lambda run: run.user),
    ("Started", lambda run: run.started.strftime("%Y-%m-%d %H:%M:%S") if run.started else ""),
    ("Duration", lambda run: duration(run.duration)),
    ("Experiment", lambda run: run.experiment),
    ("Commit", lambda run: run.commit[:10]),
)


def _plain(title: str, values: list[str]) -> str:
    differs = " class=differs" if len(set(values)) > 1 else ""
    cells = "".join(f'<td class="number">{escape(measured(value)) or "–"}</td>' for value in values)
    return f'<tr{differs}><th scope="row">{title}</th>{cells}</tr>\n'


def _row(column: str, key: str, found: Comparison, direction: str) -> str:
    values = [cell(run, column) for run in found.runs]
    differs = len({str(value) for value in values}) > 1
    cells = "".join(_cell(run, column, found.baseline, direction) for run in found.runs)
    return f'<tr{" class=differs" if differs else ""}><th scope="row">{escape(key)}</th>{cells}</tr>\n'


def _cell(run: Run, column: str, baseline: Run | None, direction: str) -> str:
    value = cell(run, column)
    if value is None:
        return '<td class="number muted" aria-label="not logged">–</td>'
    shown = escape(measured(value))
    if isinstance(value, str):
        title = f' title="{escape(value[:500])}"' if len(value) > 120 else ""
        return f'<td class="number"{title}>{shown}</td>'
    base = cell(baseline, column) if baseline and run is not baseline else None
    more = deltas.html(value, base if isinstance(base, float) else None, direction)
    return f'<td class="number">{shown}{more}</td>'
