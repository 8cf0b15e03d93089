from __future__ import annotations

from django.urls import URLPattern, path

import hub.lib.converters  # noqa: F401  registers <owner:…> and <repository:…>
from datasets.views import data

app_name = "datasets"
urlpatterns: list[URLPattern] = [
    path("<owner:owner>/<repository:name>/data", data.data, name="data"),
    path("<owner:owner>/<repository:name>/data/<rest:rest>", data.data, name="data_at"),
]
