"""What keeps a repository quick: packed refs, a commit-graph with changed paths, few packs, bitmaps. Nothing is pruned.

Objects that no ref reaches stay: a deleted branch can be had back, and refs/exps (DVC experiments) stay whole.
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

from repos.git import commands
from repos.git.store import refs
from repos.git.turns import turn

MANY_PACKS = 10
MANY_LOOSE = 500
MANY_LOOSE_REFS = 100
TEMPORARY_SECONDS = 3600  # an upload that writes nothing for an hour is dead
LOCK_SECONDS = 600  # git holds its ref locks for moments
TIMEOUT_SECONDS = 3600
TEMPORARY = ("objects/tmp_*", "objects/incoming-*", "objects/pack/tmp_*", "objects/pack/.tmp-*", "objects/*/tmp_obj_*")
HUB_TEMPORARY = ("upload-*", "backup-*", "diff-*")
LOCKS = ("*.lock", "refs/**/*.lock", "objects/info/**/*.lock")


def maintain(path: Path) -> bool:
    """Do what is due. False when another process is at it already."""
    with turn(path, "maintenance", most_seconds=0) as alone:
        if not alone:
            return False
        tidy(path)
        if not refs(path):
            return True
        if sum(1 for _ in _files(path / "refs")) > MANY_LOOSE_REFS:
            _run(path, "pack-refs", "--all", "--prune")
        if repack_is_due(path):
            # Geometric: new small packs are rolled up, large old ones are left; every object is kept.
            _run(path, "repack", "--geometric=2", "-d", "-l", "-q", "--write-midx", "--write-bitmap-index")
        _run(path, "commit-graph", "write", "--reachable", "--changed-paths", "--split", "--no-progress")
        return True


def repack_is_due(path: Path) -> bool:
    """Many packs or loose objects, or no bitmap yet."""
    folder = path / "objects" / "pack"
    names = os.listdir(folder)
    packs = sum(name.endswith(".pack") for name in names)
    bitmap = any(name.endswith(".bitmap") for name in names)
    loose = sum(len(os.listdir(found)) for found in path.glob("objects/[0-9a-f][0-9a-f]"))
    return packs >= MANY_PACKS or loose >= MANY_LOOSE or (not bitmap and packs + loose > 0)


def tidy(path: Path, *, now: float | None = None) -> int:
    """Remove what killed processes left in a repository: temporary files and locks too old to be in use. How many."""
    removed = 0
    for patterns, seconds in [(TEMPORARY, TEMPORARY_SECONDS), (LOCKS, LOCK_SECONDS)]:
        removed += _sweep(path, patterns, seconds, now)
    return removed


def tidy_temporary(temporary: Path, root: Path, *, now: float | None = None) -> int:
    """The same beside the repositories: the hub's temporary folder, and half-made or half-removed repositories."""
    removed = _sweep(temporary, HUB_TEMPORARY, TEMPORARY_SECONDS, now)
    return removed + _sweep(root, ("*/new-*", "*/gone-*"), TEMPORARY_SECONDS, now)


def _sweep(folder: Path, patterns: tuple[str, ...], seconds: float, now: float | None) -> int:
    """Remove what matches and has not changed for this long. now: Unix time, by default the clock's."""
    moment, removed = time.time() if now is None else now, 0
    for found in (found for pattern in patterns for found in folder.glob(pattern)):
        if moment - _last_change(found) > seconds:
            removed += _remove(found)
    return removed


def _last_change(path: Path) -> float:
    """The latest time anything in a file or folder was written; now when it just vanished."""
    try:
        times = [path.stat().st_mtime, *(found.stat().st_mtime for found in path.rglob("*"))]
    except FileNotFoundError:
        return time.time()
    return max(times)


def _remove(path: Path) -> int:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
    return 1


def _files(folder: Path) -> Iterator[Path]:
    return (found for found in folder.rglob("*") if found.is_file())


def _run(path: Path, *arguments: str) -> None:
    commands.run(path, *arguments, timeout_seconds=TIMEOUT_SECONDS, limits=commands.TRANSFER)
