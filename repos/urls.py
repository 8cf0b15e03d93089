from __future__ import annotations

from django.urls import URLPattern, path

import hub.lib.converters  # noqa: F401  registers <owner:…> and <repository:…>
from repos.views import create, home

app_name = "repos"
urlpatterns: list[URLPattern] = [
    path("new", create.new, name="new"),
    path("<owner:owner>/<repository:name>", home.home, name="home"),
]
