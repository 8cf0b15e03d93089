"""Refs that the disk lost come back from the record of pushes: it knows what each was, and git still has the objects.

It is looked when a process first opens a repository, since power cuts end processes, and hourly.
"""

from __future__ import annotations

import logging
from pathlib import Path

from django.db import DatabaseError
from django.db.models import F

from repos.git import commands, damage
from repos.git.store import ZERO
from repos.models import RefUpdate, Repository

logger = logging.getLogger("covey.git")


def look(repository_id: int, path: Path) -> bool:
    """Mend what is damaged. False when something still is. Safe to run twice and at the same moment."""
    mended = [_mend(repository_id, path, ref) for ref in damage.damaged(path)]
    if any(mended):
        Repository.objects.filter(pk=repository_id).update(ref_generation=F("ref_generation") + 1)
    return all(mended)


def _mend(repository_id: int, path: Path, ref: str) -> bool:
    try:
        value = _last_known(repository_id, path, ref)
    except DatabaseError:
        logger.exception("repository %s: %s is damaged", repository_id, ref)
        return False
    done = damage.mend(path, ref, value)
    if done:
        logger.error("repository %s: %s was damaged, and is now %s", repository_id, ref, value or "lost")
    return done


def _last_known(repository_id: int, path: Path, ref: str) -> str:
    """What a ref was after the last acknowledged push; "" when that is not known, or git has not got it."""
    if ref == damage.HEAD:
        branch = Repository.objects.values_list("default_branch", flat=True).get(pk=repository_id)
        return f"ref: refs/heads/{branch}"
    known = RefUpdate.objects.filter(push__repository=repository_id, ref=ref, applied=True)
    oid = known.order_by("-push").values_list("new", flat=True).first()
    try:
        there = oid not in {None, ZERO} and commands.succeeds(path, "cat-file", "-e", str(oid))
    except commands.GitError:
        return ""
    return str(oid) if there else ""
