"""The page of attachments; their bytes are the surface's."""

from __future__ import annotations

from django.urls import URLPattern, path

import hub.lib.converters  # noqa: F401  registers <owner:…> and <repository:…>
from repos.attachments import views

app_name = "attachments"
urlpatterns: list[URLPattern] = [
    path("<owner:owner>/<repository:name>/attachments", views.page, name="page"),
    path("<owner:owner>/<repository:name>/issues/attachments/<slug:token>/remove", views.remove, name="remove"),
]
