"""From a request to a gated place: the one way every page of files begins."""

from __future__ import annotations

from django.http import HttpRequest

from hub.accounts.http import HubRequest
from hub.lib import paging
from hub.lib.errors import NotFound
from repos import access, browsing
from repos.access import Access, Area
from repos.models import Repository
from repos.place import Place, address_of, split_rev


def readable(request: HubRequest, owner: str, name: str) -> Repository:
    return access.repository_for(request.actor, owner, name, need=Access.READ, area=Area.REPO)


def place_at(request: HubRequest, owner: str, name: str) -> Place:
    """The place named by the address after /owner/name/page/. Raises NotFound."""
    repository = readable(request, owner, name)
    rev, path = split_rev(repository, rest_of(request))
    return Place(repository, rev, path)


def home_of(repository: Repository) -> Place:
    """The root of the default branch. Raises NotFound in an empty repository."""
    rev = browsing.default_rev(repository)
    if rev is None:
        raise NotFound("This repository has no commits yet.", details="Push a first commit to it.")
    return Place(repository, rev)


def rest_of(request: HttpRequest) -> str:
    """What follows /owner/name/page/ with every byte kept: Django's own path replaces what is not UTF-8."""
    return address_of(request).split("/", 4)[4]


def page_number(request: HttpRequest) -> int:
    """?page=N, counted from 1. Raises Invalid."""
    return paging.page_number(request.GET.get("page", "1"), most=10**6)
