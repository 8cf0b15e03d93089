"""Charts of many runs: their page, their JSON, the runs below them, choices that are stored."""

from __future__ import annotations

from django.urls import URLPattern, path

import hub.lib.converters  # noqa: F401  registers <owner:…> and <repository:…>
from experiments.views import charts

_PREFIX = "<owner:owner>/<repository:name>/experiments"
routes: list[URLPattern] = [
    path(f"{_PREFIX}/compare/values.json", charts.table, name="values"),
    path(f"{_PREFIX}/compare/importance.json", charts.importance, name="importance"),
    path(f"{_PREFIX}/compare/boxes.json", charts.boxes, name="boxes"),
    path(f"{_PREFIX}/compare/pareto.json", charts.pareto, name="pareto"),
    path(f"{_PREFIX}/compare/rows", charts.rows, name="chart_rows"),
    path(f"{_PREFIX}/compare/select", charts.select, name="select"),
    path(f"{_PREFIX}/charts", charts.charts, name="charts"),
]
