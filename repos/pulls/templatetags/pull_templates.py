"""The templates of pull requests for pages below this app, which cannot import it."""

from __future__ import annotations

from typing import Any

from django import template

from repos.models import Repository
from repos.pulls import pull_templates

register = template.Library()


@register.simple_tag
def templates_of_pulls(repository: Repository, file: str | None) -> dict[str, Any]:
    """all: every template. chosen: the one that ?template= names, or the usual one."""
    found = pull_templates.templates_of(repository)
    return {"all": found, "chosen": pull_templates.chosen(found, file or "")}
