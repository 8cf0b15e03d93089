"""Paths below /api/v1 of registered models, and of what is removed for good."""

from __future__ import annotations

from django.urls import URLPattern, path

import hub.lib.converters  # noqa: F401  registers <owner:…> and <repository:…>
from experiments.api import experiments, models

_REPOSITORY = "repos/<owner:owner>/<repository:name>"
_MODEL = f"{_REPOSITORY}/models/<str:model>"
_VERSION = f"{_MODEL}/versions/<int:number>"
routes: list[URLPattern] = [
    path(f"{_REPOSITORY}/models", models.Models.as_view()),
    path(_MODEL, models.OneModel.as_view()),
    path(f"{_MODEL}/aliases/<str:alias>", models.OneAlias.as_view()),
    path(f"{_MODEL}/tags/<str:key>", models.OneModelTag.as_view()),
    path(f"{_MODEL}/versions", models.Versions.as_view()),
    path(_VERSION, models.OneVersion.as_view()),
    path(f"{_VERSION}/tags/<str:key>", models.OneVersionTag.as_view()),
    path(f"{_REPOSITORY}/experiments/reclaim", experiments.Reclaim.as_view()),
]
