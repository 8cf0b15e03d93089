"""The forks of a repository that somebody may read: those they may not are neither shown nor counted."""

from __future__ import annotations

from hub.accounts.actor import Actor, Area
from repos.models import Repository, RepositoryQuerySet

SHOWN = 30


def forks_of(actor: Actor, repository: Repository) -> RepositoryQuerySet:
    """The newest first, with what cards and the API need."""
    rows = Repository.objects.visible_to(actor, area=Area.REPO).filter(parent=repository)
    return rows.select_related("owner__user").order_by("-created", "-pk")


def count(actor: Actor, repository: Repository) -> int:
    """No query for a repository that nobody ever forked."""
    return forks_of(actor, repository).count() if repository.forked else 0
