from __future__ import annotations

from django.urls import URLPattern, URLResolver, include, path

import hub.lib.converters  # noqa: F401  registers <owner:…> and <repository:…>
from repos.views import create, home

app_name = "repos"
urlpatterns: list[URLPattern | URLResolver] = [
    path("new", create.new, name="new"),
    path("", include("repos.settings_urls")),
    path("<owner:owner>/<repository:name>", home.home, name="home"),
]
