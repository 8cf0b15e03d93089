"""Paths below /api/v1 that belong to data."""

from __future__ import annotations

from django.urls import URLPattern, path

import hub.lib.converters  # noqa: F401  registers <owner:…>, <repository:…> and <rest:…>
from datasets.api import diffs, pipelines, storages

_REPOSITORY = "repos/<owner:owner>/<repository:name>"

urlpatterns: list[URLPattern] = [
    path(f"{_REPOSITORY}/datasets/diff/<rest:rest>", diffs.DataDiff.as_view()),
    path(f"{_REPOSITORY}/datasets/diffs/<int:job_id>/cancel", diffs.Cancelled.as_view()),
    path(f"{_REPOSITORY}/pipelines", pipelines.Pipelines.as_view()),
    path(f"{_REPOSITORY}/pipelines/diff/<rest:rest>", pipelines.PipelinesDiff.as_view()),
    path(f"{_REPOSITORY}/pipelines/<rest:rest>", pipelines.Pipelines.as_view()),
    path(f"{_REPOSITORY}/storage", storages.Storage.as_view()),
    path(f"{_REPOSITORY}/storage/content/<path:rest>", storages.StorageContent.as_view()),
]
