"""The tables of a comparison as HTML, made in Python: 600 names of 100 runs through template tags take too long."""

from __future__ import annotations

from html import escape

from django.utils.safestring import SafeString, mark_safe

from experiments.comparison import Comparison, delta
from experiments.runs import Run
from experiments.shapes import cell
from hub.templatetags.covey import measured


def html(kind: str, found: Comparison) -> SafeString:
    """One row per name; a metric's cell says how far it is from the baseline. Rows that differ are marked."""
    rows = (_row(f"{kind}.{key}", key, found) for key in found.names[kind])
    return mark_safe("".join(rows))  # noqa: S308  # escaped below


def _row(column: str, key: str, found: Comparison) -> str:
    values = [cell(run, column) for run in found.runs]
    differs = len({str(value) for value in values}) > 1
    cells = "".join(_cell(run, column, found.baseline) for run in found.runs)
    return f'<tr{" class=differs" if differs else ""}><th scope="row">{escape(key)}</th>{cells}</tr>\n'


def _cell(run: Run, column: str, baseline: Run | None) -> str:
    value = cell(run, column)
    if value is None:
        return '<td class="number muted" aria-label="not logged">–</td>'
    shown = escape(measured(value))
    if isinstance(value, str):
        title = f' title="{escape(value[:500])}"' if len(value) > 120 else ""
        return f'<td class="number"{title}>{shown}</td>'
    return f'<td class="number">{shown}{_delta(run, column, baseline)}</td>'


def _delta(run: Run, column: str, baseline: Run | None) -> str:
    if baseline is None or run is baseline:
        return ""
    value, base = cell(run, column), cell(baseline, column)
    assert isinstance(value, float)
    more = delta(value, base if isinstance(base, float) else None)
    return "" if more is None else f' <span class="delta">{signed(more)}</span>'


def signed(number: float) -> str:
    """0.25 → +0.25, -1 → −1, 0 → ±0."""
    if number == 0:
        return "±0"
    return f"{'+' if number > 0 else '−'}{abs(number):.4g}"
