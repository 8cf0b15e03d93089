"""alice/private on disk, and bob who may write to it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from hub.accounts.models import User
from repos.git import commands
from repos.models import Repository
from repos.storage import store as repositories
from tests.support.asgi import basic

WHO = "A <a@example.org> 1700000000 +0000"


@pytest.fixture
def path(private: Repository) -> Path:
    """alice/private on disk, with one commit on main."""
    made = repositories().create(private.pk)
    tree = commands.run(made, "mktree").decode().strip()
    text = f"tree {tree}\nauthor {WHO}\ncommitter {WHO}\n\none\n".encode()
    commit = commands.run(made, "hash-object", "-t", "commit", "-w", "--stdin", stdin=text).decode().strip()
    commands.run(made, "update-ref", "refs/heads/main", commit)
    return made


@pytest.fixture
def writer(bob: User, path: Path, token_of: Callable[..., str]) -> dict[str, str]:
    """The headers of bob's requests."""
    return basic(token_of(bob))
