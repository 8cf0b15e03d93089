"""The lines that connect a folder to a repository, for its pages."""

from __future__ import annotations

from django import template

from repos import connecting
from repos.models import Repository

register = template.Library()


@register.simple_tag
def connecting_lines(repository: Repository, user: str, token: str = "") -> connecting.Lines:
    return connecting.lines(repository, user=user or "YOUR-NAME", token=token)
