"""Addresses of places, for templates: {% load places %}."""

from __future__ import annotations

from django import template
from django.conf import settings
from django.utils.safestring import SafeString

from repos import diffbody
from repos.diffs import ShownFile
from repos.git.read import Rev, shown
from repos.models import Repository
from repos.place import Place, url

register = template.Library()


@register.simple_tag
def rev_url(place: Place, page: str, name: str) -> str:
    """The same path on a page of another branch or tag."""
    return place.on(Rev(name, "branch", "")).page(page)


@register.simple_tag
def repo_url(repository: Repository, page: str, *parts: str) -> str:
    """/owner/name/page/part/part."""
    return url(repository, page, *parts)


@register.filter
def printable(name: str) -> str:
    """A name of git's without the bytes that are not UTF-8."""
    return shown(name)


@register.filter
def initial(name: str) -> str:
    return name.strip()[:1] or "?"


@register.simple_tag
def clone_url(repository: Repository) -> str:
    return f"{settings.COVEY_URL}/{repository.owner.name}/{repository.name}.git"


@register.simple_tag
def archive_url(place: Place, format: str) -> str:
    return f"{url(place.repository, 'archive', place.rev.name)}.{format}"


@register.simple_tag
def compare_url(repository: Repository, base: str, head: str) -> str:
    return url(repository, "compare", f"{base}...{head}")


@register.simple_tag
def tag_url(repository: Repository, page: str, name: str) -> str:
    """By its full name: a branch may be called the same."""
    return url(repository, page, f"refs/tags/{name}")


@register.simple_tag
def diff_body(file: ShownFile, *, split: bool = False, alone: bool = False) -> SafeString:
    return diffbody.body(file, split=bool(split), alone=bool(alone))
