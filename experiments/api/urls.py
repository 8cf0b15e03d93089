"""Paths below /api/v1 that belong to experiments."""

from __future__ import annotations

from django.urls import URLPattern, path

import hub.lib.converters  # noqa: F401  registers <owner:…> and <repository:…>
from experiments.api import lineage, runs

_PREFIX = "repos/<owner:owner>/<repository:name>/experiments"

urlpatterns: list[URLPattern] = [
    path(f"{_PREFIX}/runs", runs.Runs.as_view()),
    path(f"{_PREFIX}/names", runs.Names.as_view()),
    path(f"{_PREFIX}/compare", runs.Compared.as_view()),
    path(f"{_PREFIX}/compare/curves", runs.Curves.as_view()),
    path("repos/<owner:owner>/<repository:name>/lineage/<slug:kind>/<rest:id>", lineage.Lineage.as_view()),
]
