"""A pull request of `work` into `main` of alice/private whose branches changed the same."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from hub.accounts.models import User
from repos.models import Repository
from repos.pulls.models import PullRequest
from tests.repos.pulls.conftest import again
from tests.support.writer import Writer

LINES = "".join(f"line {n}\n" for n in range(30))


@dataclass(frozen=True)
class Parted:
    """parted(base, ours, theirs) → the pull request; files as for Writer.commit, ours those of its branch."""

    writer: Writer
    user: User
    proposed: Callable[..., PullRequest]

    def __call__(self, base: Any, ours: Any, theirs: Any) -> PullRequest:
        first = self.writer.commit(base, "Base")
        self.writer.commit(ours, "Ours", branch="work", start=first)
        self.writer.commit(theirs, "Theirs")
        self.writer.repository.refresh_from_db()
        return again(self.user, self.proposed())


@pytest.fixture
def parted(
    alice: User,
    private: Repository,
    writer: Callable[[Repository], Writer],
    proposed: Callable[..., PullRequest],
) -> Parted:
    return Parted(writer(private), alice, proposed)


@pytest.fixture
def lines(parted: Parted) -> PullRequest:
    """One conflict at line 3, and another change of each side that goes together."""
    return parted(
        {"a.txt": LINES},
        {"a.txt": LINES.replace("line 3\n", "our 3\n").replace("line 20\n", "our 20\n")},
        {"a.txt": LINES.replace("line 3\n", "their 3\n").replace("line 28\n", "their 28\n")},
    )
