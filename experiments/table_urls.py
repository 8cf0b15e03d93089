"""Verbs of the table of runs; each has its own address."""

from __future__ import annotations

from django.urls import URLPattern, path

import hub.lib.converters  # noqa: F401  registers <owner:…> and <repository:…>
from experiments.views import columns

_PREFIX = "<owner:owner>/<repository:name>/experiments"
routes: list[URLPattern] = [
    path(f"{_PREFIX}/columns", columns.choose, name="choose-columns"),
    path(f"{_PREFIX}/columns/forget", columns.forget, name="forget-columns"),
]
