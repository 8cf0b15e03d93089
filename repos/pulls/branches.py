"""Where the branches of a pull request are now. Git is asked; the row only remembers."""

from __future__ import annotations

from dataclasses import dataclass

from repos import cache
from repos.git import commands, history
from repos.git.store import ZERO, RefChange, RefMoved, move_refs, refs
from repos.models import Repository
from repos.place import store_of
from repos.pulls.models import PullRequest


@dataclass(frozen=True)
class Tips:
    """Full ids. base None: that branch is gone. Of a closed request they are what it last saw."""

    base: str | None
    head: str | None


def tips_of(pull: PullRequest) -> Tips:
    if not pull.issue.is_open:
        return Tips(pull.base_id, pull.head_id)
    return tips(pull.repository, pull.base, pull.head)


def ends(pull: PullRequest) -> tuple[str, str]:
    """(base, head): full ids of commits that are here, also when a branch is gone."""
    found = tips_of(pull)
    return found.base or pull.base_id, found.head or pull.head_id


def tips(repository: Repository, base: str, head: str) -> Tips:
    found = refs(store_of(repository), f"refs/heads/{base}", f"refs/heads/{head}")
    return Tips(found.get(f"refs/heads/{base}"), found.get(f"refs/heads/{head}"))


def merge_base(repository: Repository, base: str, head: str) -> str | None:
    """None for unrelated histories."""
    return cache.by_ids(
        repository, "merge-base", base, head, make=lambda: history.merge_base(store_of(repository), base, head)
    )


def parted(repository: Repository, base: str, head: str) -> str:
    """Where head left base; base itself for unrelated histories."""
    return merge_base(repository, base, head) or base


def behind(repository: Repository, base: str, head: str) -> int:
    """How many commits base has and head has not."""
    store = store_of(repository)
    return cache.by_ids(
        repository, "behind", base, head, make=lambda: history.ahead_behind(store, base=base, head=head)[1]
    )


def contains(repository: Repository, branch: str, commit: str) -> bool:
    """Whether a commit is in a branch as it is now. One that was never stored is in none."""
    store, ref = store_of(repository), f"refs/heads/{branch}"
    tip = refs(store, ref).get(ref)
    if tip is None or not commands.succeeds(store, "cat-file", "-e", commit):
        return False
    return commands.succeeds(store, "merge-base", "--is-ancestor", commit, tip)


def pin(pull: PullRequest, commit: str) -> None:
    """Point refs/pull/<number>/head at a commit. Safe to run twice and at the same moment."""
    _point(pull, pull.ref, commit)


def keep(pull: PullRequest, commit: str) -> None:
    """A head that a force-push takes away: what was reviewed stays, and nobody is offered the ref that keeps it."""
    _point(pull, f"refs/reviewed/{pull.number}/{commit}", commit)


def _point(pull: PullRequest, ref: str, commit: str) -> None:
    """No push and no policy: the ref is the hub's own, and whoever made the branch was asked already."""
    store = store_of(pull.repository)
    for _ in range(5):
        old = refs(store, ref).get(ref, ZERO)
        if old == commit:
            return
        try:
            return move_refs(store, [RefChange(ref, old, commit)])
        except RefMoved:
            continue
    raise RefMoved(f"{ref} moves all the time")
