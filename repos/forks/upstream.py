"""A fork and the repository it was made from: how far they are apart, and how the fork catches up."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from django.conf import settings

from hub.accounts.actor import Actor
from hub.lib.errors import NotFound, Unauthenticated, Unprocessable
from repos import access, cache, publishing, repositories
from repos.access import Access, Area
from repos.git import copying, history
from repos.git.read import shown, typed
from repos.git.store import ZERO, RefChange, refs
from repos.models import Repository
from repos.place import store_of
from repos.pulls import branches, building, drivers, origins
from repos.storage import store


def parent_of(actor: Actor, fork: Repository) -> Repository | None:
    """None also for one that this actor may not read."""
    if fork.parent_id is None:
        return None
    rows = Repository.objects.visible_to(actor, area=Area.REPO)
    return rows.filter(pk=fork.parent_id).select_related("owner").first()


@dataclass(frozen=True)
class Standing:
    """Of a branch of the fork, against the parent's: commits that only the one has, and only the other."""

    parent: Repository
    branch: str
    upstream: str
    ahead: int
    behind: int


def standing(actor: Actor, fork: Repository) -> Standing | None:
    """Of the default branch, against the parent's of that name, else its default. None when one of them is not there
    or not to be read. Raises Busy."""
    parent = parent_of(actor, fork)
    if parent is None or parent.empty or fork.empty:
        return None
    ours = branches.tip(fork, fork.default_branch)
    upstream = fork.default_branch
    theirs = branches.tip(parent, upstream)
    if theirs is None:
        upstream = parent.default_branch
        theirs = branches.tip(parent, upstream)
    if ours is None or theirs is None:
        return None
    ahead, behind = _apart(fork, parent, theirs, ours)
    return Standing(parent, shown(fork.default_branch), shown(upstream), ahead, behind)


def _apart(fork: Repository, parent: Repository, theirs: str, ours: str) -> tuple[int, int]:
    extra = copying.both(store_of(parent))
    return cache.by_ids(
        fork,
        "standing",
        theirs,
        ours,
        make=lambda: history.ahead_behind(store_of(fork), theirs, ours, extra=extra),
    )


@dataclass(frozen=True)
class Synced:
    """kind: none (it had everything), fast-forward or merge. commit: where the branch is now."""

    kind: str
    commit: str
    parent: Repository


def asked(actor: Actor, fork: Repository, branch: str) -> tuple[Repository, str]:
    """(parent, tip of its branch) of a sync that may begin. Raises as sync does before it changes anything."""
    if actor.user is None:
        raise Unauthenticated("Sign in to sync this fork.")
    access.check(actor, fork, need=Access.WRITE, area=Area.REPO)
    access.require_scope(actor, Area.DATA, write=False)
    parent = parent_of(actor, fork)
    if parent is None:
        raise NotFound("What this was forked from is gone, or you may not read it.")
    if parent.private and not fork.private:
        raise Unprocessable(
            f"{parent.full_name} is private by now, and this fork is public.",
            details="Make the fork private first: then nothing becomes public that should not.",
        )
    return parent, branches.named_tip(parent, branch)


def sync(
    actor: Actor, fork: Repository, branch: str, *, via: str = "web", beat: Callable[[int], None] = lambda _bytes: None
) -> Synced:
    """Bring a branch of the parent's into the fork's of that name, which is made if it is not there. Safe to run twice.
    beat: told every second or so how many bytes of git have come.

    Raises NotFound (no parent, no such branch), Denied, Unprocessable (a private parent of a public fork), Conflict
    (both changed the same, or somebody pushed meanwhile), OverQuota, TooLarge.
    """
    parent, theirs = asked(actor, fork, branch)
    ours = branches.tip(fork, branch)
    if parent.private:
        repositories.keep_private(fork)
    came = [0]

    def bytes_came(count: int) -> None:
        came[0] = count
        beat(count)

    def more(_done: int, _total: int | None = None) -> None:
        beat(came[0])

    origins.bring(fork, parent, theirs, beat=bytes_came)
    if ours is not None and history.contains(store_of(fork), ours, theirs):
        return Synced("none", ours, parent)
    known = [ours] if ours else sorted(set(refs(store_of(fork), "refs/heads/").values()))
    drivers.lend(parent, fork, [theirs], known, beat=more)
    if ours is None or history.contains(store_of(fork), theirs, ours):
        publishing.publish(fork, actor, [RefChange(f"refs/heads/{branch}", ours or ZERO, theirs)], via=via)
        return Synced("fast-forward", theirs, parent)
    with store().quarantine(fork.pk) as quarantine:
        pull = f"git pull {settings.COVEY_URL}/{parent.full_name}.git {typed(branch)}"
        step = f"Merge on your machine: {pull}"
        message = f"Merge {shown(branch)} of the parent"
        assert actor.user
        commit = building.joined(fork, actor.user, quarantine, ours, theirs, message, step=step, beat=more)
        change = RefChange(f"refs/heads/{branch}", ours, commit)
        publishing.publish(fork, actor, [change], quarantine=quarantine, via=via)
    return Synced("merge", commit, parent)
