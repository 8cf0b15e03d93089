"""alice/private with an open pull request #1 of alice's from `work`: line 3 of a.txt rewritten, new.txt added."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from hub.accounts.models import User
from repos.models import Repository
from repos.pulls.models import PullRequest
from tests.repos.pulls.conftest import branched, propose
from tests.support.writer import Writer


@pytest.fixture(autouse=True)
def _own_git(git_root: Path) -> None:
    """Each test has repositories of its own."""


@pytest.fixture
def project(private: Repository, writer: Callable[[Repository], Writer]) -> Writer:
    return branched(writer(private))


@pytest.fixture
def pull(project: Writer, alice: User, private: Repository) -> PullRequest:
    return propose(alice, private)
