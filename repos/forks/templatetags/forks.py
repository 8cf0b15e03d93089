"""What pages of the repository itself tell of forks."""

from __future__ import annotations

from typing import Any

from django import template

from hub.jobs.models import Job
from repos import filling
from repos.forks import copying, listing, upstream
from repos.models import Repository

register = template.Library()


@register.simple_tag(takes_context=True)
def forked_from(context: dict[str, Any], repository: Repository) -> Repository | None:
    """What it was forked from, for those who may read that."""
    return upstream.parent_of(context["request"].actor, repository)


@register.simple_tag(takes_context=True)
def forks_count(context: dict[str, Any], repository: Repository) -> int:
    return listing.count(context["request"].actor, repository)


@register.simple_tag
def copy_of(repository: Repository) -> Job | None:
    """The work that fills a fork, until it is done."""
    return copying.job_of(repository) if repository.parent_id else None


@register.filter
def is_filling(repository: Repository) -> bool:
    return filling.is_filling(repository)
