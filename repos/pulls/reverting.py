"""Take back what a pull request brought, as a new pull request: its changes undone on the base as it is now.

The commit is published as a branch first, then the request is opened. A hub killed in between leaves the branch, which
the next attempt knows by its message and opens.
"""

from __future__ import annotations

from pathlib import Path

from hub.accounts.actor import Actor
from hub.accounts.models import User
from hub.lib.errors import Conflict, NotFound, Unprocessable
from repos import publishing, repositories
from repos.git import commands, history, writing
from repos.git.read import shown, typed
from repos.git.store import ZERO, Quarantine, RefChange, refs
from repos.issues.models import Issue
from repos.issues.texts import TITLE_CHARACTERS
from repos.models import RefUpdate
from repos.place import store_of
from repos.pulls import branches, building, opening, rights
from repos.pulls.mergeability import Verdict
from repos.pulls.models import PullRequest
from repos.storage import store

MOST_NAMES = 20
MOST_PUSHES = 50  # of the base that are looked at for the one that merged it
HEAD_CHARACTERS = 100


def revert(actor: Actor, pull: PullRequest, *, via: str = "web") -> PullRequest:
    """Raises Denied, Unprocessable (not merged, unknown what a push brought, or nothing of it is left), Conflict (what
    came after it is in the way, or somebody asks for it already), NotFound (the base is gone)."""
    user = rights.merging(actor, pull.repository)
    _revertible(pull)
    before = _before(pull)
    branch, made = _branch(pull)
    if not made:
        _make(actor, user, pull, before, branch, via)
    title = f'Revert "{pull.issue.title}"'[:TITLE_CHARACTERS]
    body = f"Reverts #{pull.number}."
    return opening.open_pull(actor, pull.repository, title=title, body=body, base=pull.base, head=branch)


def _revertible(pull: PullRequest) -> None:
    if not pull.merged:
        raise Unprocessable("This was never merged.", details="Close it instead.")
    if not branches.contains(pull.repository, pull.base, pull.merge_commit):
        raise Unprocessable(
            f"'{shown(pull.base)}' does not have this merge any more.", details="Nothing is to be done."
        )


def _before(pull: PullRequest) -> str:
    """The commit whose tree is that of the merge without what the request brought: the base before it, and where a
    push merged it, the place where the branch had left the base as it was before that push. Raises Unprocessable."""
    if pull.method:
        return pull.base_id
    moves = RefUpdate.objects.filter(push__repository=pull.repository, ref=pull.base_ref, applied=True)
    moves = moves.filter(push__created__lte=pull.merged).exclude(old=ZERO).order_by("-pk")
    git = store_of(pull.repository)
    for old, new in moves.values_list("old", "new")[:MOST_PUSHES]:
        if new != ZERO and _holds(git, new, pull.merge_commit) and not _holds(git, old, pull.merge_commit):
            start = branches.merge_base(pull.repository, old, pull.merge_commit)
            if start is not None:
                return start
            break
    raise Unprocessable(
        "This was merged by a push, and what that push brought for it is not known here any more.",
        details=f"Revert it on your machine: git log {typed(pull.base)}, then git revert.",
    )


def _holds(repository: Path, tip: str, commit: str) -> bool:
    return commands.succeeds(repository, "cat-file", "-e", tip) and history.contains(repository, tip, commit)


def _mark(pull: PullRequest) -> str:
    return f"This reverts #{pull.number}, merged as {pull.merge_commit}."


def _branch(pull: PullRequest) -> tuple[str, bool]:
    """A name that is free, or (True) the branch that an attempt has made that died before it opened the request."""
    repository = pull.repository
    there = refs(repository.path, "refs/heads/")
    usual = f"revert-{pull.number}-{pull.head[:HEAD_CHARACTERS]}".rstrip("./").removesuffix(".lock")
    for number in range(1, MOST_NAMES + 1):
        name = usual if number == 1 else f"{usual}-{number}"
        tip = there.get(f"refs/heads/{name}")
        asked = PullRequest.objects.filter(issue__repository=repository, head=name)
        if found := asked.filter(issue__state=Issue.State.OPEN).select_related("issue").first():
            raise Conflict(f"#{found.number} reverts this already.", details="Merge that one.")
        if tip is None:
            return name, False
        if not asked.exists() and _mark(pull) in history.commits(repository.path, [tip], body=True)[tip].body:
            return name, True
    raise Conflict(f"The branches {usual}, {usual}-2, … exist already.", details="Delete those that nobody needs.")


def _make(actor: Actor, user: User, pull: PullRequest, before: str, branch: str, via: str) -> None:
    repository = pull.repository
    tip = branches.tip(repository, pull.base)
    if tip is None:
        raise NotFound(f"The branch '{shown(pull.base)}' is gone.", details="Push it again.")
    with store().quarantine(repository.pk) as quarantine:
        verdict = _undone(pull, quarantine, before, tip)
        if not verdict.clean:
            places = ". ".join(f"{trouble.path}: {trouble.why}" for trouble in verdict.troubles[:5])
            raise Conflict(f"What came after it is in the way. {places}.", details=_teach(pull, before, branch))
        with writing.object_store(quarantine.objects) as objects:
            if verdict.tree == writing.root_of(objects, tip):
                raise Unprocessable("Nothing of it is left to be reverted.", details="Somebody reverted it already.")
            message = f'Revert "{pull.issue.title} (#{pull.number})"\n\n{_mark(pull)}'
            author = repositories.author_of(user)
            commit = writing.add_commit(objects, tree=verdict.tree, parents=[tip], author=author, message=message)
        quarantine.keep_only(commit, tip)
        change = RefChange(f"refs/heads/{branch}", ZERO, commit)
        publishing.publish(repository, actor, [change], quarantine=quarantine, via=via)


def _undone(pull: PullRequest, quarantine: Quarantine, before: str, tip: str) -> Verdict:
    """From what the merge made back to what was before it, put on what it is now: data goes back with
    its pointers, also where other files of it changed since."""
    with writing.object_store(quarantine.objects) as objects:
        theirs, ours = writing.root_of(objects, before), writing.root_of(objects, tip)
    return building.three_way(pull.repository, quarantine, commit=tip, base=pull.merge_commit, ours=ours, theirs=theirs)


def _teach(pull: PullRequest, before: str, branch: str) -> str:
    each = f"{before}..{pull.merge_commit}"
    which = {"merge": f"-m 1 {pull.merge_commit}", "rebase": each, "": each}
    return (
        f"Do it on your machine: git fetch origin && git switch -c {typed(branch)} origin/{typed(pull.base)} && "
        f"git revert {which.get(pull.method, pull.merge_commit)}"
    )
