"""Who may merge a pull request, or revert it; and who may write its branch: bring it up to date, decide conflicts."""

from __future__ import annotations

from hub.accounts.actor import Actor, Area
from hub.accounts.models import User
from hub.lib.errors import Denied, Unauthenticated
from repos import access
from repos.models import Access, Repository
from repos.pulls.models import PullRequest


def merging(actor: Actor, repository: Repository) -> User:
    """Raises Unauthenticated or Denied."""
    if actor.user is None:
        raise Unauthenticated("Sign in to merge.")
    access.check(actor, repository, need=Access.WRITE, area=Area.ISSUES)
    access.require_scope(actor, Area.REPO, write=True)
    return actor.user


def writing_head(actor: Actor, pull: PullRequest) -> User:
    """Who may merge the base into the request's branch, wherever it lies. Raises Unauthenticated, NotFound, Denied."""
    if actor.user is None:
        raise Unauthenticated("Sign in to write to this branch.")
    access.check(actor, pull.repository, need=Access.READ, area=Area.REPO)
    access.check(actor, pull.source, need=Access.WRITE, area=Area.REPO)
    if pull.repository.private and not pull.source.private:
        raise Denied(
            f"{pull.source.full_name} is public: what is merged into it becomes readable by everybody.",
            details="Make it private first, or bring the changes into a branch of this repository.",
        )
    return actor.user
