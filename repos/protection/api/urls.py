"""Paths below /api/v1 of reviewers asked and of merges that wait."""

from __future__ import annotations

from django.urls import URLPattern, path

import hub.lib.converters  # noqa: F401  registers <owner:…> and <repository:…>
from repos.protection.api import merges, reviewers

_PULL = "repos/<owner:owner>/<repository:name>/pulls/<int:number>"

urlpatterns: list[URLPattern] = [
    path(f"{_PULL}/requested_reviewers", reviewers.RequestedReviewers.as_view()),
    path(f"{_PULL}/auto-merge", merges.AutoMergeOfPull.as_view()),
]
