"""Which files of a pull request somebody has read already: a mark per person and file, which a change takes off."""

from __future__ import annotations

import re

from hub.accounts.actor import Actor
from hub.lib.errors import Unauthenticated, Unprocessable
from repos.difftable import anchor_of
from repos.git.diff import FileDiff
from repos.pulls.models import PullRequest, Viewed

MOST_MARKS = 10_000  # of one person in one pull request
_NAME = re.compile(r"(?P<file>diff-[0-9a-f]{16}):(?P<old>[0-9a-f]{40}):(?P<new>[0-9a-f]{40})")
Marks = dict[str, tuple[str, str]]


def name_of(file: FileDiff) -> str:
    """What a form sends to mark this file as it is now."""
    return f"{anchor_of(file.name)}:{file.old_oid}:{file.oid}"


def marks(actor: Actor, pull: PullRequest) -> Marks:
    """anchor → the blobs that were read."""
    if actor.user is None:
        return {}
    rows = Viewed.objects.filter(pull=pull, user=actor.user).values_list("file", "old", "new")
    return {file: (old, new) for file, old, new in rows}


def mark(actor: Actor, pull: PullRequest, name: str, *, viewed: bool) -> str:
    """The anchor of the file. name: as name_of says. Safe to run twice. Raises Unauthenticated, Unprocessable."""
    if actor.user is None:
        raise Unauthenticated("Sign in to mark what you have viewed.")
    found = _NAME.fullmatch(name)
    if found is None:
        raise Unprocessable("That names no file of this pull request.", details="Reload the page.")
    rows = Viewed.objects.filter(pull=pull, user=actor.user)
    if not viewed:
        rows.filter(file=found["file"]).delete()
    elif rows.count() < MOST_MARKS:
        blobs = {"old": found["old"], "new": found["new"]}
        Viewed.objects.update_or_create(pull=pull, user=actor.user, file=found["file"], defaults=blobs)
    return found["file"]
