"""URL converters: <owner:…> and <repository:…>. Importing this module registers them."""

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


register_converter(OwnerConverter, "owner")
register_converter(RepositoryConverter, "repository")
