"""URL converters: <owner:…>, <repository:…> and <rest:…>. Importing this module registers them."""

from __future__ import annotations

from django.urls import register_converter

from hub.lib.names import OWNER_PATTERN, REPOSITORY_PATTERN


class OwnerConverter:
    regex = OWNER_PATTERN

    def to_python(self, value: str) -> str:
        return value

    to_url = to_python


class RepositoryConverter(OwnerConverter):
    regex = REPOSITORY_PATTERN


class RestConverter(OwnerConverter):
    """Everything to the end, slashes and newlines included: a rev and a path."""

    regex = r"(?s:.+)"


register_converter(OwnerConverter, "owner")
register_converter(RepositoryConverter, "repository")
register_converter(RestConverter, "rest")
