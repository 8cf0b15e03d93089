"""Refs that the disk lost come back from the record of pushes: it knows what each was, and git still has the objects.
Of the refs that the hub keeps for itself those who keep them know (register).

It is looked when a process first opens a repository, since power cuts end processes, and hourly.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

from django.db import DatabaseError
from django.db.models import F

from repos.git import commands, damage
from repos.git.store import ZERO
from repos.models import RefUpdate, Repository

logger = logging.getLogger("covey.git")
# (repository id, full name of a ref) → what it was; "" when it is made anew whenever it is wanted, None: not theirs.
Source: TypeAlias = Callable[[int, str], str | None]
_sources: list[Source] = []


def register(source: Source) -> Source:
    """Ask this too what a ref was that no push has written."""
    _sources.append(source)
    return source


def look(repository_id: int, path: Path) -> bool:
    """Mend what is damaged. False when something still is. Safe to run twice and at the same moment."""
    mended = [_mend(repository_id, path, ref) for ref in damage.damaged(path)]
    if any(mended):
        Repository.objects.filter(pk=repository_id).update(ref_generation=F("ref_generation") + 1)
    return all(mended)


def _mend(repository_id: int, path: Path, ref: str) -> bool:
    try:
        kept = next((was for source in _sources if (was := source(repository_id, ref)) is not None), None)
        value = _last_pushed(repository_id, path, ref) if kept is None else _if_there(path, kept)
    except DatabaseError:
        logger.exception("repository %s: %s is damaged", repository_id, ref)
        return False
    done = damage.mend(path, ref, value)
    if done and kept == "":
        damage.pushed(path, [ref])  # nobody has to push it again
    if done:
        logger.error("repository %s: %s was damaged, and is now %s", repository_id, ref, value or "gone")
    return done


def _last_pushed(repository_id: int, path: Path, ref: str) -> str:
    """What a ref was after the last acknowledged push; "" when that is not known, or git has not got it."""
    if ref == damage.HEAD:
        branch = Repository.objects.values_list("default_branch", flat=True).get(pk=repository_id)
        return f"ref: refs/heads/{branch}"
    known = RefUpdate.objects.filter(push__repository=repository_id, ref=ref, applied=True)
    oid = known.order_by("-push").values_list("new", flat=True).first()
    return _if_there(path, oid or "")


def _if_there(path: Path, oid: str) -> str:
    """ "" when git has not got it."""
    try:
        return oid if oid not in {"", ZERO} and commands.succeeds(path, "cat-file", "-e", oid) else ""
    except commands.GitError:
        return ""
