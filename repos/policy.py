"""The one answer to "may these refs change so?": for pushes, web edits, the API and merges alike."""

from __future__ import annotations

import re
from collections.abc import Sequence

from django.conf import settings

from hub.accounts.actor import Actor, Area
from hub.lib.errors import Denied, TooLarge, Unprocessable
from repos import access, rules
from repos.access import Access
from repos.git import history
from repos.git.commands import GitError
from repos.git.read import shown
from repos.git.store import ZERO, Quarantine, RefChange, size_on_disk
from repos.models import Repository

HEADS = "refs/heads/"
NAMESPACES = ("refs/heads/", "refs/tags/", "refs/notes/", "refs/exps/")
WRITABLE = "Push branches (refs/heads), tags (refs/tags), notes (refs/notes) or DVC experiments (refs/exps)."
MAX_PART_BYTES = 250  # git keeps a ref as a file, and a lock beside it
_BAD_IN_REF = re.compile(r"[\x00-\x20\x7f~^:?*\[\\]|\.\.|@\{|//|/\.|\.lock(?:/|$)|[./]$")
_LOOKS_LIKE_ID = re.compile(r"refs/(?:heads|tags)/[0-9a-f]{40}")


def check(
    repository: Repository,
    actor: Actor,
    changes: Sequence[RefChange],
    *,
    quarantine: Quarantine | None = None,
    reviewed: bool = False,
) -> frozenset[str]:
    """The refs among these that lose commits (forced updates), when all of it is allowed.

    The actor's access is asked again: an upload may have taken hours. quarantine: where the new objects are.
    reviewed: the merge of a pull request, of which repos.pulls.requirements has seen what the rules ask.
    Raises NotFound, Unauthenticated, Denied, Unprocessable or TooLarge, each with a next step for the person.
    """
    current = access.ask_again(actor, repository, need=Access.WRITE, area=Area.REPO)
    for change in changes:
        check_name(change)
    if quarantine is not None:
        _check_sizes(current, quarantine)
    forced = frozenset(change.ref for change in changes if _loses_commits(current, change, quarantine))
    _check_rules(current, changes, forced, reviewed=reviewed)
    return forced


def is_hidden(ref: str) -> bool:
    """Whether git refuses every change of this ref by itself: hideRefs in repos/git/config says the same."""
    return ref.startswith("refs/") and not f"{ref}/".startswith(NAMESPACES)


def check_name(change: RefChange) -> None:
    """Raises Unprocessable when the ref may not be written. What exists may always be deleted."""
    if not change.ref.startswith(NAMESPACES):
        raise Unprocessable(f"{change.ref} cannot be written here.", details=WRITABLE)
    if change.new == ZERO:
        return
    short = change.ref.split("/", 2)[2]
    if _BAD_IN_REF.search(change.ref) or short.startswith(("-", "refs/")) or short in {"", "@", "HEAD"}:
        raise Unprocessable(
            f"{change.ref!r} is not a name for a branch or tag.",
            details="Leave out spaces, '..', '~^:?*[\\@{', a leading '-', '.' or 'refs/', a final '.lock', '/' or '.'.",
        )
    if any(len(part.encode("utf-8", "surrogateescape")) > MAX_PART_BYTES for part in change.ref.split("/")):
        raise Unprocessable("That name is too long for a branch or tag.", details="Choose a shorter one.")
    if _LOOKS_LIKE_ID.fullmatch(change.ref):
        raise Unprocessable(f"{short} looks like a commit id.", details="Give the branch or tag another name.")


def _check_sizes(repository: Repository, quarantine: Quarantine) -> None:
    largest, most = max(quarantine.new_objects(), key=lambda found: found[1], default=("", 0)), settings
    if largest[1] > most.GIT_MAX_OBJECT_BYTES:
        raise TooLarge(
            f"Object {largest[0]} is {largest[1]:,} bytes; files in git may have {most.GIT_MAX_OBJECT_BYTES:,} here.",
            details="Track large files with DVC: dvc add FILE, then commit the pointer and dvc push.",
        )
    if most.GIT_MAX_REPOSITORY_BYTES and size_on_disk(repository.path) > most.GIT_MAX_REPOSITORY_BYTES:
        raise TooLarge(
            f"With this push {repository.full_name} would be larger than {most.GIT_MAX_REPOSITORY_BYTES:,} bytes.",
            details="Track large files with DVC, or ask an administrator for a larger limit.",
        )


def _loses_commits(repository: Repository, change: RefChange, quarantine: Quarantine | None) -> bool:
    """Whether commits of a branch are no longer on it after the change; what git cannot tell in time counts as yes."""
    if not change.ref.startswith("refs/heads/") or ZERO in (change.old, change.new):
        return False
    extra = quarantine.environment if quarantine else None
    try:
        return not history.contains(repository.path, change.new, change.old, extra=extra)
    except GitError:  # an old id that is not here (git refuses it later), or a history too long for the time limit
        return True


def _check_rules(
    repository: Repository, changes: Sequence[RefChange], forced: frozenset[str], *, reviewed: bool
) -> None:
    """What the rules of branches refuse. Raises Denied."""
    heads = [change for change in changes if change.ref.startswith(HEADS)]
    found = list(rules.listed(repository)) if heads else []
    for change in heads if found else ():
        branch = change.ref.removeprefix(HEADS)
        asked = rules.together(found, branch)
        if asked is None or not asked.binds(repository.granted):
            continue
        if change.new == ZERO or change.ref in forced:
            raise Denied(
                f"The branch {shown(branch)} is protected and cannot be"
                f" {'deleted' if change.new == ZERO else 'force-pushed'}.",
                details="Push to another branch, or ask an administrator of the repository to change its rules.",
            )
        makes = change.old == ZERO and repository.granted >= Access.ADMIN  # else nobody ever could
        if not (reviewed or makes or asked.lets_push(repository.granted)):
            raise _direct(repository, branch, asked)


def _direct(repository: Repository, branch: str, asked: rules.Asked) -> Denied:
    who = "only administrators push" if asked.push == rules.Push.ADMINS else "nobody pushes"
    page = f"{settings.COVEY_URL}/{repository.full_name}/compare"
    return Denied(
        f"The branch {shown(branch)} is protected: {who} to it directly (rule '{asked.patterns[0]}').",
        details=f"Put the change on a branch of its own (git push origin HEAD:my-change),\n"
        f"then open a pull request at {page}",
    )
