"""Paths below /api/v1 that belong to experiments."""

from __future__ import annotations

from django.urls import URLPattern, path

import hub.lib.converters  # noqa: F401  registers <owner:…> and <repository:…>
from experiments.api import compare, dagshub, lineage, runs
from experiments.api.model_urls import routes as model_routes

_PREFIX = "repos/<owner:owner>/<repository:name>/experiments"

urlpatterns: list[URLPattern] = [
    path(_PREFIX, dagshub.Experiments.as_view()),
    path(f"{_PREFIX}/metricsForExperiments", dagshub.MetricsForExperiments.as_view()),
    path(f"{_PREFIX}/experiment/<str:run_id>", dagshub.Experiment.as_view()),
    path(f"{_PREFIX}/experiment/<str:run_id>/labels/<path:label>", dagshub.Label.as_view()),
    path(f"{_PREFIX}/runs", runs.Runs.as_view()),
    *model_routes,
    path(f"{_PREFIX}/names", runs.Names.as_view()),
    path(f"{_PREFIX}/compare", compare.Compared.as_view()),
    path(f"{_PREFIX}/compare/curves", compare.Curves.as_view()),
    path(f"{_PREFIX}/compare/values", compare.Values.as_view()),
    path(f"{_PREFIX}/compare/importance", compare.Importance.as_view()),
    path(f"{_PREFIX}/compare/boxes", compare.Boxes.as_view()),
    path(f"{_PREFIX}/compare/pareto", compare.Pareto.as_view()),
    path(f"{_PREFIX}/compare/selections", compare.Selections.as_view()),
    path("repos/<owner:owner>/<repository:name>/lineage/<slug:kind>/<rest:id>", lineage.Lineage.as_view()),
]
