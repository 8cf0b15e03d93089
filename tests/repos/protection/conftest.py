"""alice/private with a branch `work` that asks to be merged; alice administers, bob writes, charlie is a stranger."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import cache

from hub.accounts.models import User
from hub.jobs import jobs, outbox
from repos.models import BranchRule, Repository
from repos.pulls import opening
from repos.pulls.models import PullRequest
from repos.statuses import posting
from tests.repos.issues.conftest import as_actor, seen
from tests.support.writer import Writer


@pytest.fixture(autouse=True)
def git_root(git_root: Path) -> Path:
    cache.clear()
    return git_root


@pytest.fixture
def project(private: Repository, writer: Callable[[Repository], Writer]) -> Writer:
    made = writer(private)
    first = made.commit({"a.txt": "a\n"}, "First")
    made.commit({"b.txt": "b\n"}, "Work", branch="work", start=first)
    return made


@pytest.fixture
def ruled(private: Repository) -> Callable[..., BranchRule]:
    def make(pattern: str = "main", **values: Any) -> BranchRule:
        return BranchRule.objects.create(repository=private, pattern=pattern, **values)

    return make


@pytest.fixture
def pull(alice: User, private: Repository, project: Writer) -> PullRequest:
    return opening.open_pull(as_actor(alice), seen(alice, private), title="Work", base="main", head="work")


@pytest.fixture
def report(bob: User, private: Repository, project: Writer) -> Callable[..., object]:
    """report(state, context="ci", sha=the tip of work)."""

    def make(state: str = "success", *, context: str = "ci", sha: str = "") -> object:
        sha = sha or project.git("rev-parse", "work")
        return posting.post(as_actor(bob), seen(bob, private), sha, state=state, context=context)

    return make


def work() -> None:
    """What workers do: every event that waits, every job."""
    for _ in range(30):
        rows, ids = outbox.pending(), jobs.due()
        if not (rows or ids):
            return
        for row in rows:
            outbox.deliver(row)
        for job in ids:
            jobs.run(job)
    raise AssertionError("work makes work without an end")
