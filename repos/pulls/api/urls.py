"""Paths below /api/v1 that belong to pull requests."""

from __future__ import annotations

from django.urls import URLPattern, path

import hub.lib.converters  # noqa: F401  registers <owner:…> and <repository:…>
from repos.pulls.api import branches, pulls
from repos.pulls.conflicts import api as conflicts

_REPOSITORY = "repos/<owner:owner>/<repository:name>"
_PULL = f"{_REPOSITORY}/pulls/<int:number>"

urlpatterns: list[URLPattern] = [
    path(f"{_REPOSITORY}/pulls", pulls.Pulls.as_view()),
    path(_PULL, pulls.OnePull.as_view()),
    path(f"{_PULL}/commits", pulls.PullCommits.as_view()),
    path(f"{_PULL}/files", pulls.PullFiles.as_view()),
    path(f"{_PULL}/conflicts", conflicts.PullConflicts.as_view()),
    path(f"{_PULL}/conflicts/<slug:digest>", conflicts.ConflictPlaces.as_view()),
    path(f"{_PULL}/resolve", conflicts.Resolve.as_view()),
    path(f"{_PULL}/merge", pulls.Merge.as_view()),
    path(f"{_PULL}/update-branch", branches.UpdateBranch.as_view()),
    path(f"{_PULL}/branch", branches.HeadBranch.as_view()),
    path(f"{_PULL}/revert", branches.Revert.as_view()),
]
