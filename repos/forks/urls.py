"""URLs of forks, and of comparisons between repositories."""

from __future__ import annotations

from django.urls import URLPattern, path

import hub.lib.converters  # noqa: F401  registers <owner:…> and <repository:…>
from repos.forks.views import compare, pages, verbs

app_name = "forks"
_REPOSITORY = "<owner:owner>/<repository:name>"

urlpatterns: list[URLPattern] = [
    path(f"{_REPOSITORY}/forks", pages.index, name="index"),
    path(f"{_REPOSITORY}/fork", pages.new, name="new"),
    path(f"{_REPOSITORY}/fork/create", verbs.create, name="create"),
    path(f"{_REPOSITORY}/fork/again", verbs.again, name="again"),
    path(f"{_REPOSITORY}/fork/progress", pages.progress, name="progress"),
    path(f"{_REPOSITORY}/fork/standing", pages.standing, name="standing"),
    path(f"{_REPOSITORY}/fork/sync", verbs.sync, name="sync"),
    path(f"{_REPOSITORY}/compare/<rest:rest>", compare.compare, name="compare"),  # before the plain one
]
