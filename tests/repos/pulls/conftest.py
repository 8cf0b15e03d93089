"""alice/private with a branch `work` that changes a file and adds one; bob may write, charlie reads the public one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

import pytest

from hub.accounts.models import User
from hub.jobs import outbox
from repos import editing
from repos.editing import Put
from repos.models import Repository
from repos.pulls import opening
from repos.pulls.models import PullRequest
from tests.repos.issues.conftest import as_actor, seen
from tests.support.writer import Writer

TEXT = "".join(f"line {n}\n" for n in range(20))


def branched(made: Writer) -> Writer:
    first = made.commit({"a.txt": TEXT, "b.txt": "b\n"}, "First")
    made.commit(
        {"a.txt": TEXT.replace("line 3\n", "line three\n"), "new.txt": "new\n"}, "Rewrite", branch="work", start=first
    )
    return made


@pytest.fixture(autouse=True)
def _own_git(git_root: Path) -> None:
    """Each test has repositories of its own."""


@pytest.fixture
def project(private: Repository, writer: Callable[[Repository], Writer]) -> Writer:
    return branched(writer(private))


@pytest.fixture
def proposed(alice: User, private: Repository) -> Callable[..., PullRequest]:
    """proposed(user=alice, head="work", …) → an open pull request."""

    def make(user: User = alice, repository: Repository = private, **fields: Any) -> PullRequest:
        return propose(user, repository, **fields)

    return make


def propose(user: User, repository: Repository, **fields: Any) -> PullRequest:
    values = {"title": "Rewrite a line", "base": "main", "head": "work", **fields}
    return opening.open_pull(as_actor(user), seen(user, repository), **values)


def push(user: User, repository: Repository, branch: str, path: str, text: str) -> str:
    """One file, committed through the hub; the new tip."""
    found, changes = seen(user, repository), [Put(path, text.encode())]
    return editing.commit_changes(found, as_actor(user), branch=branch, changes=changes, message="More")


def again(user: User | None, pull: PullRequest) -> PullRequest:
    return opening.pull_of(seen(user, pull.repository), pull.number)


def deliver() -> None:
    """What the worker does: every event that waits, and what those announce."""
    while rows := outbox.pending():
        for row in rows:
            outbox.deliver(row)


class Died(BaseException):
    """kill -9, as near as one process comes to it: nothing after it runs, not even what mends errors."""


def killed(*_arguments: object, **_options: object) -> NoReturn:
    raise Died


@contextmanager
def dying(owner: object, step: str, *, after: bool = False) -> Iterator[None]:
    """The hub dies where this step would begin, or after it. Nothing else of it is replaced."""
    done = getattr(owner, step)

    def last(*arguments: object, **options: object) -> NoReturn:
        if after:
            done(*arguments, **options)
        raise Died

    with pytest.MonkeyPatch.context() as patch, pytest.raises(Died):
        patch.setattr(owner, step, last)
        yield
