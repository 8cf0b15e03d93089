"""Where the branches of a pull request are now. Git is asked; the row only remembers."""

from __future__ import annotations

from dataclasses import dataclass

from hub.lib.errors import NotFound, Unprocessable
from repos import cache, filling
from repos.git import commands, history
from repos.git.read import shown
from repos.git.store import ZERO, RefChange, RefMoved, move_refs, refs
from repos.models import Repository
from repos.place import store_of
from repos.pulls import origins
from repos.pulls.models import PullRequest


@dataclass(frozen=True)
class Tips:
    """Full ids of commits that the repository has. base, head None: that branch is gone."""

    base: str | None
    head: str | None


def tips_of(pull: PullRequest) -> Tips:
    """Of a closed request they are what it last saw."""
    if not pull.issue.is_open:
        return Tips(pull.base_id, pull.head_id)
    return now(pull)


def now(pull: PullRequest) -> Tips:
    """Where its branches are, whatever became of it. Of a fork's branch: as far as its commits have come here."""
    if pull.head_repository is None:
        return tips(pull.repository, pull.base, pull.head)
    base = f"refs/heads/{pull.base}"
    found = refs(store_of(pull.repository), base, pull.ref)
    return Tips(found.get(base), None if head_is_gone(pull) else found.get(pull.ref))


def tip(repository: Repository, branch: str) -> str | None:
    """Raises Busy while a fork has yet to get its branches."""
    ref = f"refs/heads/{branch}"
    found = refs(store_of(repository), ref).get(ref)
    if found is None:
        filling.require_filled(repository)
    return found


def named_tip(repository: Repository, branch: str) -> str:
    """tip, of what somebody wrote. Raises NotFound."""
    found = tip(repository, branch) if branch and "\0" not in branch else None
    if found is None:
        raise NotFound(
            f"{repository.full_name} has no branch '{shown(branch)[:100]}'.", details="Name one of its branches."
        )
    return found


def head_tip(pull: PullRequest) -> str | None:
    """Where the branch is in its own repository, whether or not its commits have come here. None when it is gone."""
    try:
        return tip(pull.source, pull.head)
    except NotFound:  # of a fork without any commits
        return None


def head_is_gone(pull: PullRequest) -> bool:
    """Somebody deleted the branch. A fork that went as a whole, or behind walls, leaves its requests as they are."""
    return origins.gives(pull) and head_tip(pull) is None


def head_moved(pull: PullRequest) -> str | None:
    """Where the head is by now, when that is not where the row says, and when its commits may come here."""
    found = head_tip(pull) if origins.follows(pull) else None
    return found if found != pull.head_id else None


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


def unrelated() -> Unprocessable:
    """Of histories that never met, as after a push that replaced one of them."""
    return Unprocessable("These branches have no common commit.", details="Rebase one on the other, then push it.")


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
    store, found = store_of(repository), tip(repository, branch)
    if found is None or not commands.succeeds(store, "cat-file", "-e", commit):
        return False
    return history.contains(store, found, commit)


def pin(pull: PullRequest, commit: str) -> None:
    """Point refs/pull/<number>/head at a commit of the head's repository, which comes here if it must. Safe to run
    twice and at the same moment. Raises TooLarge."""
    if pull.head_repository is not None:
        origins.bring(pull.repository, pull.head_repository, commit, giver=pull.issue.author)
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
