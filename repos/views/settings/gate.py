"""The gate of every page of settings."""

from __future__ import annotations

from hub.accounts.http import HubRequest
from repos import access
from repos.access import Access, Area
from repos.models import Repository


def administered(request: HubRequest, owner: str, name: str) -> Repository:
    """Raises NotFound, Denied or Moved."""
    return access.repository_for(request.actor, owner, name, need=Access.ADMIN, area=Area.REPO)
