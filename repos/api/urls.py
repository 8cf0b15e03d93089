"""Paths below /api/v1 that belong to repositories."""

from __future__ import annotations

from django.urls import URLPattern, path

import hub.lib.converters  # noqa: F401  registers <owner:…> and <repository:…>
from repos.api import repositories

urlpatterns: list[URLPattern] = [
    path("user/repos", repositories.OwnRepositories.as_view()),
    path("repos/<owner:owner>/<repository:name>", repositories.OneRepository.as_view()),
]
