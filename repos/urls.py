from __future__ import annotations

from django.urls import URLPattern, path, register_converter

from hub.lib.names import OWNER_PATTERN, REPOSITORY_PATTERN
from repos.views import home


class OwnerConverter:
    regex = OWNER_PATTERN

    def to_python(self, value: str) -> str:
        return value

    to_url = to_python


class RepositoryConverter(OwnerConverter):
    regex = REPOSITORY_PATTERN


register_converter(OwnerConverter, "owner")
register_converter(RepositoryConverter, "repository")

app_name = "repos"
urlpatterns: list[URLPattern] = [
    path("<owner:owner>/<repository:name>", home.home, name="home"),
]
