"""Who may merge a pull request, and do what merging does: bring its branch up to date, revert it."""

from __future__ import annotations

from hub.accounts.actor import Actor, Area
from hub.accounts.models import User
from hub.lib.errors import Unauthenticated
from repos import access
from repos.models import Access, Repository


def merging(actor: Actor, repository: Repository) -> User:
    """Raises Unauthenticated or Denied."""
    if actor.user is None:
        raise Unauthenticated("Sign in to merge.")
    access.check(actor, repository, need=Access.WRITE, area=Area.ISSUES)
    access.require_scope(actor, Area.REPO, write=True)
    return actor.user
