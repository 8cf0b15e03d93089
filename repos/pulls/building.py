"""What becomes of a pull request's commits: a merge commit, one squashed commit, or each of them replayed on the base.

Everything is made in a quarantine; nothing here moves a ref.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace

from hub.accounts.models import User
from hub.lib.errors import Busy, Conflict, Unprocessable
from repos import repositories
from repos.git import commands, merge, read, writing
from repos.git.commands import GitTimeout
from repos.git.read import typed
from repos.git.store import Quarantine
from repos.models import Repository
from repos.pulls import branches, mergeability, messages, verdicts
from repos.pulls.drivers import Beat, unwatched
from repos.pulls.mergeability import Verdict
from repos.pulls.models import PullRequest

MOST_REPLAYED = 250
CHERRY_SECONDS = 10  # to compare each change of the branch with those of the base
CATCH_UP = "Merge the base into the branch and push it."
REPLAY_SECONDS = 50  # of all of them together; a page waits


class CannotMerge(Conflict):
    """Both sides changed the same. verdict says where."""

    def __init__(self, verdict: Verdict, *, step: str = CATCH_UP) -> None:
        places = [f"{trouble.path}: {trouble.why}" for trouble in verdict.troubles[:5]]
        commands = sorted({trouble.command for trouble in verdict.troubles if trouble.command})
        step = f"Run: {'; '.join(commands)}" if commands else step
        super().__init__(f"This cannot be merged as it is. {'. '.join(places)}.", details=step)
        self.verdict = verdict


@dataclass(frozen=True)
class Ends:
    """Tips of the two branches: full ids."""

    base: str
    head: str


def built(pull: PullRequest, user: User, quarantine: Quarantine, ends: Ends, method: str, text: str, beat: Beat) -> str:
    """The commit that the base becomes, in the quarantine. text: what people want it to say. beat: told now and then.

    Raises CannotMerge, Unprocessable (nothing to merge, too many commits to replay), Busy.
    """
    if method == "rebase":
        return _replayed(pull, user, quarantine, ends, beat)
    repository, squash = pull.repository, method == "squash"
    verdict = mergeability.merged(repository, quarantine, ends.base, ends.head, keep=True, beat=beat)
    verdicts.learn(repository, ends.base, ends.head, verdict)
    verdict = mergeability.with_missing(repository, verdict, ends.base, ends.head)
    if not verdict.clean:
        raise CannotMerge(verdict)
    author = pull.issue.author if squash and pull.issue.author else user
    with writing.object_store(quarantine.objects) as objects:
        if squash and verdict.tree == writing.root_of(objects, ends.base):  # another attempt squashed it a moment ago
            raise nothing()
        commit = writing.add_commit(
            objects,
            tree=verdict.tree,
            parents=[ends.base] if squash else [ends.base, ends.head],
            author=repositories.author_of(author),
            committer=repositories.author_of(user),
            message=messages.of_merge(pull, text, squash=squash, base=ends.base, head=ends.head),
        )
    if verdict.merged:
        quarantine.keep_only(commit, ends.base)
    return commit


def joined(
    repository: Repository,
    user: User,
    quarantine: Quarantine,
    ours: str,
    theirs: str,
    message: str,
    *,
    step: str = CATCH_UP,
    beat: Beat = unwatched,
) -> str:
    """A commit that merges theirs into ours, in the quarantine. step: what to do by hand. Raises CannotMerge, or
    Unprocessable for histories that never met."""
    if branches.merge_base(repository, ours, theirs) is None:
        raise branches.unrelated()
    verdict = mergeability.merged(repository, quarantine, ours, theirs, keep=True, beat=beat)
    if not verdict.clean:
        raise CannotMerge(verdict, step=step)
    author = repositories.author_of(user)
    with writing.object_store(quarantine.objects) as objects:
        commit = writing.add_commit(objects, tree=verdict.tree, parents=[ours, theirs], author=author, message=message)
    if verdict.merged:
        quarantine.keep_only(commit, ours)
    return commit


def nothing() -> Unprocessable:
    return Unprocessable("There is nothing to merge.", details="The base holds all these changes already.")


# ---- rebase --------------------------------------------------------------------------------------
def _replayed(pull: PullRequest, user: User, quarantine: Quarantine, ends: Ends, beat: Beat) -> str:
    """The last of the commits, each replayed on the base. Merges in between, and what brings nothing new, are left out
    as `git rebase` does."""
    missing = mergeability.with_missing(pull.repository, Verdict(""), ends.base, ends.head)
    if not missing.clean:
        raise CannotMerge(missing)
    switch = f"git fetch origin && git switch {typed(pull.head)} && git rebase origin/{typed(pull.base)}"
    step = f"Do it on your machine: {switch} && git push --force-with-lease"
    originals = _commits_between(quarantine, ends)
    if len(originals) > MOST_REPLAYED:
        raise Unprocessable(f"More than {MOST_REPLAYED} commits cannot be replayed here.", details=step)
    raw = dict(read.blobs(quarantine.repository, originals))
    deadline, tip = time.monotonic() + REPLAY_SECONDS, ends.base
    for number, sha in enumerate(originals):
        beat(number, len(originals))
        if time.monotonic() > deadline:
            raise Busy("Replaying these commits takes too long.", details=step)
        verdict = _picked(pull.repository, quarantine, ends.base, tip, sha)
        if not verdict.clean:
            raise CannotMerge(_of_commit(verdict, sha, raw[sha]), step=step)
        with writing.object_store(quarantine.objects) as objects:
            if verdict.tree != writing.root_of(objects, tip):
                committer = repositories.author_of(user)
                tip = writing.add_copy(objects, raw[sha], tree=verdict.tree, parent=tip, committer=committer)
    if tip == ends.base:
        raise nothing()
    quarantine.keep_only(tip, ends.base)
    return tip


def _commits_between(quarantine: Quarantine, ends: Ends) -> list[str]:
    """Oldest first, without those whose very change is in the base already; one more than MOST_REPLAYED when there are
    too many."""
    listed = ("rev-list", "--topo-order", "--no-merges", f"--max-count={MOST_REPLAYED + 1}")
    new = ("--cherry-pick", "--right-only", f"{ends.base}...{ends.head}")
    try:
        out = commands.run(quarantine.repository, *listed, *new, "--", timeout_seconds=CHERRY_SECONDS)
    except GitTimeout:  # a base that went far since: what it has already becomes empty, or a conflict to be told
        out = commands.run(quarantine.repository, *listed, ends.head, f"^{ends.base}", "--")
    return out.decode().split()[::-1]


def _picked(repository: Repository, quarantine: Quarantine, base: str, tip: str, sha: str) -> Verdict:
    """What a commit has changed, put on a tip: its tree."""
    with writing.object_store(quarantine.objects) as objects:
        parent = writing.parent_of(objects, sha)
        if parent is None:  # the first of another history, merged in: it has added all its files
            empty = writing.updated_tree(objects, None, {})
            parent = writing.add_commit(objects, tree=empty, parents=[], author=repositories.hub_author())
        ours, theirs = writing.root_of(objects, tip), writing.root_of(objects, sha)
        if writing.root_of(objects, parent) == ours:
            return Verdict(theirs)
    return three_way(repository, quarantine, commit=base, base=parent, ours=ours, theirs=theirs)


def three_way(
    repository: Repository, quarantine: Quarantine, *, commit: str, base: str, ours: str, theirs: str
) -> Verdict:
    """Merge two trees (ours, theirs), taking the commit base for what both began with. commit: of the repository, for
    drivers that look something up.

    git 2.39 takes no --merge-base: two commits that have these trees and the parent base make base the merge base.
    """
    with writing.object_store(quarantine.objects) as objects:
        one, other = (
            writing.add_commit(objects, tree=tree, parents=[base], author=repositories.hub_author())
            for tree in (ours, theirs)
        )
    try:
        found = merge.merge_tree(quarantine.repository, one, other, extra=quarantine.environment)
    except GitTimeout as error:
        raise Busy("This merge takes too long.", details="Do it on your machine, then push the result.") from error
    return mergeability.resolved(repository, quarantine, commit, found, keep=True)


def _of_commit(verdict: Verdict, sha: str, raw: bytes) -> Verdict:
    subject = raw.partition(b"\n\n")[2].split(b"\n", 1)[0].decode("utf-8", "replace")[:80]
    where = f"in commit {sha[:7]} “{subject}”"
    return replace(verdict, troubles=tuple(replace(one, why=f"{one.why} ({where})") for one in verdict.troubles))
