"""From a request to a repository that may be forked: a fork takes code and data, so a token needs to read both."""

from __future__ import annotations

from hub.accounts.http import HubRequest
from repos import access
from repos.access import Access, Area
from repos.models import Repository


def readable(request: HubRequest, owner: str, name: str) -> Repository:
    found = access.repository_for(request.actor, owner, name, need=Access.READ, area=Area.REPO)
    access.require_scope(request.actor, Area.DATA, write=False)
    return found


def writable(request: HubRequest, owner: str, name: str) -> Repository:
    return access.repository_for(request.actor, owner, name, need=Access.WRITE, area=Area.REPO)
