"""alice/public with data and a branch that was deleted; bob forks it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from hub.accounts.models import User
from hub.jobs import jobs, outbox
from repos.forks import making
from repos.forks.making import Wish
from repos.models import Repository
from tests.repos.issues.conftest import as_actor, seen
from tests.support.writer import Writer


@pytest.fixture(autouse=True)
def _own_git(git_root: Path) -> None:
    """Each test has repositories of its own."""


@pytest.fixture
def project(public: Repository, writer: Callable[[Repository], Writer]) -> Writer:
    made = writer(public)
    made.commit({"README.md": "# Public\n", "a.txt": "a\n"}, "First")
    made.commit({"a.txt": "aa\n"}, "Second")
    return made


def settle() -> None:
    """What the workers do: every event and job that waits, and what those ask for."""
    while (rows := outbox.pending()) or (due := jobs.due()):
        for row in rows:
            outbox.deliver(row)
        for job in [] if rows else due:
            jobs.run(job)


def forked(user: User, parent: Repository, **wish: object) -> Repository:
    """A fork with all that comes along, as its owner sees it."""
    made, _ = making.fork(as_actor(user), seen(user, parent), Wish(**wish))
    settle()
    return seen(user, made)
