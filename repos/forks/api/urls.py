"""Paths below /api/v1 that belong to forks."""

from __future__ import annotations

from django.urls import URLPattern, path

import hub.lib.converters  # noqa: F401  registers <owner:…> and <repository:…>
from repos.forks.api import forks

_REPOSITORY = "repos/<owner:owner>/<repository:name>"

urlpatterns: list[URLPattern] = [
    path(f"{_REPOSITORY}/forks", forks.Forks.as_view()),
    path(f"{_REPOSITORY}/merge-upstream", forks.MergeUpstream.as_view()),
]
