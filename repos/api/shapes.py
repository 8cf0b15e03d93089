"""DagsHub's JSON objects. Its client refuses a missing key or a null where it expects text, so every key is here."""

from __future__ import annotations

from typing import Any

from django.conf import settings

from hub.accounts.api import user_object
from repos.models import Access, Repository

__all__ = ["repository_object", "user_object"]


def repository_object(repository: Repository, access: Access) -> dict[str, Any]:
    """A repository as DagsHub's client reads it. access: what the caller may do. Needs owner__user at hand."""
    page = f"{settings.COVEY_URL}/{repository.full_name}"
    return {
        "id": repository.pk,
        "owner": user_object(repository.owner.user),
        "name": repository.name,
        "full_name": repository.full_name,
        "description": repository.description,
        "website": repository.website,
        "private": repository.private,
        "fork": False,
        "parent": None,
        "empty": repository.empty,
        "mirror": False,
        "size": repository.size_bytes,
        "html_url": page,
        "clone_url": f"{page}.git",
        "ssh_url": "",
        "stars_count": repository.stars_count,
        "forks_count": 0,
        "watchers_count": 0,
        "open_issues_count": 0,
        "default_branch": repository.default_branch,
        "created_at": repository.created.isoformat(),
        "updated_at": repository.updated.isoformat(),
        "permissions": {
            "admin": access >= Access.ADMIN,
            "push": access >= Access.WRITE,
            "pull": access >= Access.READ,
        },
    }
