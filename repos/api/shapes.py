"""DagsHub's JSON objects. Its client refuses a missing key or a null where it expects text, so every key is here."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypedDict

from django.conf import settings
from django.db.models import Count

from hub.accounts.actor import Actor, Area
from hub.accounts.api import UserObject, user_object
from repos import access, ways
from repos.git.history import Commit
from repos.models import Access, Repository

__all__ = ["commit_object", "one_repository", "repository_object", "repository_objects", "user_object"]


class Permissions(TypedDict):
    admin: bool
    push: bool
    pull: bool


class RepositoryObject(TypedDict):
    """A repository as DagsHub's client reads it. parent: of a fork, where one is asked for by its name. permissions:
    the caller's. forks_count: of those that the caller may read."""

    id: int
    owner: UserObject
    name: str
    full_name: str
    description: str
    website: str
    private: bool
    fork: bool
    parent: RepositoryObject | None
    empty: bool
    mirror: bool
    size: int
    html_url: str
    clone_url: str
    ssh_url: str
    stars_count: int
    forks_count: int
    watchers_count: int
    open_issues_count: int
    default_branch: str
    allow_merge_commit: bool
    allow_squash_merge: bool
    allow_rebase_merge: bool
    default_merge_method: str
    delete_branch_on_merge: bool
    created_at: str
    updated_at: str
    permissions: Permissions


class Signature(TypedDict):
    """What the author claimed."""

    name: str
    email: str
    username: str


class CommitObject(TypedDict):
    """A commit with its whole message, where it was read."""

    id: str
    message: str
    url: str
    author: Signature
    committer: Signature
    timestamp: str
    parents: list[str]
    tree: str


def repository_objects(actor: Actor) -> Callable[[list[Repository]], list[RepositoryObject]]:
    """For paged(): a page of repositories as this actor may use them, with one query for all."""

    def shapes(rows: list[Repository]) -> list[RepositoryObject]:
        granted, forks = access.granted(actor, rows), _forks(actor, rows)
        return [repository_object(row, granted[row.pk], forks=forks.get(row.pk, 0)) for row in rows]

    return shapes


def one_repository(actor: Actor, repository: Repository, granted: Access) -> RepositoryObject:
    """repository_object with what only this caller may know: the parent of a fork, and how many forks there are."""
    found = repository_object(repository, granted, forks=_forks(actor, [repository]).get(repository.pk, 0))
    if repository.parent_id:
        rows = Repository.objects.visible_to(actor, area=Area.REPO).filter(pk=repository.parent_id)
        if parent := rows.select_related("owner__user").first():
            found["parent"] = repository_object(parent, access.access_for(actor, parent))
    return found


def _forks(actor: Actor, rows: list[Repository]) -> dict[int, int]:
    """How many forks of each the caller may read; no query where nobody ever forked."""
    asked = [row.pk for row in rows if row.forked]
    if not asked:
        return {}
    readable = Repository.objects.visible_to(actor, area=Area.REPO).filter(parent__in=asked).order_by()
    return dict(readable.values_list("parent_id").annotate(count=Count("pk")))


def repository_object(repository: Repository, granted: Access, *, forks: int = 0) -> RepositoryObject:
    """granted: what the caller may do. forks: that they may read. Select
    owner__user with lists."""
    page = f"{settings.COVEY_URL}/{repository.full_name}"
    return {
        "id": repository.pk,
        "owner": user_object(repository.owner.user),
        "name": repository.name,
        "full_name": repository.full_name,
        "description": repository.description,
        "website": repository.website,
        "private": repository.private,
        "fork": repository.parent_id is not None,
        "parent": None,
        "empty": repository.empty,
        "mirror": False,
        "size": repository.size_bytes,
        "html_url": page,
        "clone_url": f"{page}.git",
        "ssh_url": "",
        "stars_count": repository.stars_count,
        "forks_count": forks,
        "watchers_count": 0,
        "open_issues_count": repository.issues_count + repository.pulls_count,
        "default_branch": repository.default_branch,
        "allow_merge_commit": "merge" in (methods := ways.allowed(repository)),
        "allow_squash_merge": "squash" in methods,
        "allow_rebase_merge": "rebase" in methods,
        "default_merge_method": methods[0],
        "delete_branch_on_merge": repository.delete_merged_branches,
        "created_at": repository.created.isoformat(),
        "updated_at": repository.updated.isoformat(),
        "permissions": permissions(granted),
    }


def permissions(granted: int) -> Permissions:
    """granted: of repos.models.Access."""
    return {"admin": granted >= Access.ADMIN, "push": granted >= Access.WRITE, "pull": granted >= Access.READ}


def commit_object(repository: Repository, commit: Commit) -> CommitObject:
    return {
        "id": commit.sha,
        "message": f"{commit.subject}\n\n{commit.body}" if commit.body else commit.subject,
        "url": f"{settings.COVEY_URL}/{repository.full_name}/commit/{commit.sha}",
        "author": {"name": commit.author, "email": commit.author_email, "username": ""},
        "committer": {"name": commit.committer, "email": commit.committer_email, "username": ""},
        "timestamp": commit.committed.isoformat(),
        "parents": list(commit.parents),
        "tree": commit.tree,
    }
