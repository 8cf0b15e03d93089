from __future__ import annotations

from django.urls import URLPattern, path

import hub.lib.converters  # noqa: F401  registers <owner:…> and <repository:…>
from experiments.chart_urls import routes as chart_routes
from experiments.table_urls import routes as table_routes
from experiments.views import compare, lineage, model_changes, model_version, models, run, run_changes, run_parts, runs

app_name = "experiments"
_models = "<owner:owner>/<repository:name>/models"
_version = f"{_models}/<str:model>/versions/<int:number>"
_prefix = "<owner:owner>/<repository:name>/experiments"
urlpatterns: list[URLPattern] = [
    path(_prefix, runs.runs, name="runs"),
    path(f"{_prefix}/compare", compare.compare, name="compare"),
    path(f"{_prefix}/compare/curves.json", compare.curves, name="curves"),
    *table_routes,
    *chart_routes,
    path(f"{_prefix}/names", runs.names, name="names"),
    path(f"{_prefix}/runs/<slug:run_id>", run.run, name="run"),
    path(f"{_prefix}/runs/<slug:run_id>/history.json", run.history, name="history"),
    path(_models, models.models, name="models"),
    path(f"{_models}/<str:model>", models.model, name="model"),
    path(f"{_models}/<str:model>/compare", models.compare, name="model_compare"),
    path(_version, model_version.version, name="model_version"),
    path(f"{_prefix}/runs/<slug:run_id>/register", model_changes.register, name="register_model"),
    path(f"{_models}/<str:model>/describe", model_changes.describe, name="describe_model"),
    path(f"{_models}/<str:model>/tags", model_changes.set_tag, name="tag_model"),
    path(f"{_models}/<str:model>/tags/remove", model_changes.delete_tag, name="untag_model"),
    path(f"{_models}/<str:model>/aliases", model_changes.set_alias, name="alias_model"),
    path(f"{_models}/<str:model>/aliases/remove", model_changes.delete_alias, name="unalias_model"),
    path(f"{_models}/<str:model>/delete", model_changes.delete, name="delete_model"),
    path(f"{_version}/describe", model_changes.describe, name="describe_version"),
    path(f"{_version}/tags", model_changes.set_tag, name="tag_version"),
    path(f"{_version}/tags/remove", model_changes.delete_tag, name="untag_version"),
    path(f"{_version}/stage", model_changes.set_stage, name="stage_version"),
    path(f"{_version}/delete", model_changes.delete_version, name="delete_version"),
    path("<owner:owner>/<repository:name>/lineage/<slug:kind>/<rest:id>", lineage.page, name="lineage"),
    path(f"{_prefix}/runs/<slug:run_id>/artifact", run_parts.artifact, name="artifact"),
    path(f"{_prefix}/runs/<slug:run_id>/artifacts", run_parts.artifacts, name="artifacts"),
    path(f"{_prefix}/runs/<slug:run_id>/traces", run_parts.traces, name="traces"),
    path(f"{_prefix}/runs/<slug:run_id>/note", run_changes.note, name="note"),
    path(f"{_prefix}/runs/<slug:run_id>/delete", run_changes.delete, name="delete_run"),
    path(f"{_prefix}/runs/<slug:run_id>/restore", run_changes.restore, name="restore_run"),
]
