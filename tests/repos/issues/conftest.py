"""Issues of alice/private (bob writes) and alice/public (charlie may take part)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hub.accounts.actor import Actor, Area
from hub.accounts.models import User
from repos import access
from repos.issues import opening
from repos.issues.models import Issue
from repos.models import Access, Repository


@pytest.fixture(autouse=True)
def _own_git(git_root: Path) -> None:
    """Each test has repositories of its own."""


def as_actor(user: User | None) -> Actor:
    return Actor(user=user, session=True)


def seen(user: User | None, repository: Repository) -> Repository:
    """The repository as the gate gives it to this user."""
    found = Repository.objects.select_related("owner").get(pk=repository.pk)
    return access.check(as_actor(user), found, need=Access.READ, area=Area.ISSUES)


def again(user: User | None, issue: Issue) -> Issue:
    """The issue as it is now, as this user may use it."""
    return opening.issue_of(seen(user, issue.repository), issue.number)


@pytest.fixture
def opened() -> Callable[..., Issue]:
    """opened(user, repository, title, …) → an issue."""

    def make(user: User, repository: Repository, title: str = "It fails", **fields: Any) -> Issue:
        return opening.open_issue(as_actor(user), seen(user, repository), title=title, **fields)

    return make
