"""Paths below /api/v1 that belong to data."""

from __future__ import annotations

from django.urls import URLPattern, path

import hub.lib.converters  # noqa: F401  registers <owner:…>, <repository:…> and <rest:…>
from datasets.api import care, diffs, pipelines, plots, storages, tables

_REPOSITORY = "repos/<owner:owner>/<repository:name>"

urlpatterns: list[URLPattern] = [
    path(f"{_REPOSITORY}/datasets/diff/<rest:rest>", diffs.DataDiff.as_view()),
    path(f"{_REPOSITORY}/datasets/table/<rest:rest>", tables.TableRows.as_view()),
    path(f"{_REPOSITORY}/datasets/diffs/<int:job_id>/cancel", diffs.Cancelled.as_view()),
    path(f"{_REPOSITORY}/plots/diff/<rest:rest>", plots.PlotsDiff.as_view()),
    path(f"{_REPOSITORY}/pipelines", pipelines.Pipelines.as_view()),
    path(f"{_REPOSITORY}/pipelines/diff/<rest:rest>", pipelines.PipelinesDiff.as_view()),
    path(f"{_REPOSITORY}/pipelines/<rest:rest>", pipelines.PipelinesOfRevision.as_view()),
    path(f"{_REPOSITORY}/storage", storages.Storage.as_view()),
    path(f"{_REPOSITORY}/storage/usage", care.Usage.as_view()),
    path(f"{_REPOSITORY}/storage/usage/measure", care.Measure.as_view()),
    path(f"{_REPOSITORY}/storage/garbage", care.Garbage.as_view()),
    path(f"{_REPOSITORY}/storage/garbage/look", care.Look.as_view()),
    path(f"{_REPOSITORY}/storage/garbage/collect", care.Collect.as_view()),
    path(f"{_REPOSITORY}/storage/limit", care.Limit.as_view()),
    path(f"{_REPOSITORY}/data-engine/graphql", storages.DataEngine.as_view()),
    path(f"{_REPOSITORY}/storage/content/<path:rest>", storages.StorageContent.as_view()),
]
