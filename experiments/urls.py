from __future__ import annotations

from django.urls import URLPattern, path

import hub.lib.converters  # noqa: F401  registers <owner:…> and <repository:…>
from experiments.views import compare, run, runs

app_name = "experiments"
_prefix = "<owner:owner>/<repository:name>/experiments"
urlpatterns: list[URLPattern] = [
    path(_prefix, runs.runs, name="runs"),
    path(f"{_prefix}/compare", compare.compare, name="compare"),
    path(f"{_prefix}/compare/curves.json", compare.curves, name="curves"),
    path(f"{_prefix}/names", runs.names, name="names"),
    path(f"{_prefix}/runs/<slug:run_id>", run.run, name="run"),
    path(f"{_prefix}/runs/<slug:run_id>/history.json", run.history, name="history"),
    path(f"{_prefix}/runs/<slug:run_id>/artifact", run.artifact, name="artifact"),
]
