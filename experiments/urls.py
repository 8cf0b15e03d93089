from __future__ import annotations

from django.urls import URLPattern, path

import hub.lib.converters  # noqa: F401  registers <owner:…> and <repository:…>
from experiments.chart_urls import routes as chart_routes
from experiments.model_urls import routes as model_routes
from experiments.table_urls import routes as table_routes
from experiments.views import beside, compare, lineage, propose, review, run, run_changes, run_parts, runs

app_name = "experiments"
_prefix = "<owner:owner>/<repository:name>/experiments"
urlpatterns: list[URLPattern] = [
    path(_prefix, runs.runs, name="runs"),
    path(f"{_prefix}/compare", compare.compare, name="compare"),
    path(f"{_prefix}/compare/curves.json", compare.curves, name="curves"),
    path(f"{_prefix}/compare/pictures", beside.pictures_panel, name="beside_pictures"),
    path(f"{_prefix}/compare/files", beside.documents_panel, name="beside_files"),
    path(f"{_prefix}/compare/file", beside.document, name="beside_file"),
    path(f"{_prefix}/compare/environment", beside.environment, name="beside_environment"),
    path(f"{_prefix}/compare/origin", beside.origin, name="beside_origin"),
    *table_routes,
    *chart_routes,
    *model_routes,
    path(f"{_prefix}/diff/<rest:rest>", review.change, name="change"),
    path(f"{_prefix}/names", runs.names, name="names"),
    path(f"{_prefix}/runs/<slug:run_id>", run.run, name="run"),
    path(f"{_prefix}/runs/<slug:run_id>/history.json", run.history, name="history"),
    path("<owner:owner>/<repository:name>/lineage/<slug:kind>/<rest:id>", lineage.page, name="lineage"),
    path(f"{_prefix}/runs/<slug:run_id>/artifact", run_parts.artifact, name="artifact"),
    path(f"{_prefix}/runs/<slug:run_id>/artifacts", run_parts.artifacts, name="artifacts"),
    path(f"{_prefix}/runs/<slug:run_id>/traces", run_parts.traces, name="traces"),
    path(f"{_prefix}/runs/<slug:run_id>/propose", propose.propose, name="propose"),
    path(f"{_prefix}/runs/<slug:run_id>/note", run_changes.note, name="note"),
    path(f"{_prefix}/runs/<slug:run_id>/delete", run_changes.delete, name="delete_run"),
    path(f"{_prefix}/runs/<slug:run_id>/restore", run_changes.restore, name="restore_run"),
]
