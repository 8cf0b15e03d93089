"""Verbs of the table of runs; each has its own address."""

from __future__ import annotations

from django.urls import URLPattern, path

import hub.lib.converters  # noqa: F401  registers <owner:…> and <repository:…>
from experiments.views import columns, runs, table_acts, table_views

_PREFIX = "<owner:owner>/<repository:name>/experiments"
routes: list[URLPattern] = [
    path(f"{_PREFIX}/columns", columns.choose, name="choose-columns"),
    path(f"{_PREFIX}/columns/forget", columns.forget, name="forget-columns"),
    path(f"{_PREFIX}/version", runs.version, name="runs-version"),
    path(f"{_PREFIX}/chosen/archive", table_acts.archive, name="archive-runs"),
    path(f"{_PREFIX}/chosen/unarchive", table_acts.unarchive, name="unarchive-runs"),
    path(f"{_PREFIX}/chosen/delete", table_acts.delete, name="delete-runs"),
    path(f"{_PREFIX}/chosen/restore", table_acts.restore, name="restore-runs"),
    path(f"{_PREFIX}/chosen/tag", table_acts.tag, name="tag-runs"),
    path(f"{_PREFIX}/chosen/rename", table_acts.rename, name="rename-runs"),
    path(f"{_PREFIX}/chosen/undo/<int:number>", table_acts.undo, name="undo-runs"),
    path(f"{_PREFIX}/chosen/baseline", table_views.baseline, name="baseline-run"),
    path(f"{_PREFIX}/chosen/pin", table_views.pin, name="pin-runs"),
    path(f"{_PREFIX}/baseline/keep", table_views.keep_baseline, name="keep-baseline"),
    path(f"{_PREFIX}/directions", table_views.directions, name="declare-directions"),
    path(f"{_PREFIX}/views/save", table_views.save, name="save-view"),
    path(f"{_PREFIX}/views/no-default", table_views.no_default, name="no-default-view"),
    path(f"{_PREFIX}/views/<int:number>/delete", table_views.delete, name="delete-view"),
    path(f"{_PREFIX}/views/<int:number>/default", table_views.make_default, name="default-view"),
]
