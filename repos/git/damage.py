"""Refs that a power cut left empty or torn. Git can neither read, replace nor delete such a file, and one of them makes
it refuse every clone of the repository and every push to it: so the file makes room, for what it said or for a push.
"""

from __future__ import annotations

import os
import re
from collections.abc import Collection
from pathlib import Path

from hub.lib.durable import fsync
from hub.lib.errors import Lost

HEAD = "HEAD"
LIST = "covey-damaged"  # of refs whose id nobody knew, a line each, until they are pushed again
_WHOLE = re.compile(rb"(ref:\s*\S+|[0-9a-fA-F]{40})(\s.*)?", re.DOTALL)
_BYTES = 1024


class RefLost(Lost):
    """A ref that was damaged, and that nobody has pushed again."""

    def __init__(self, name: str) -> None:
        super().__init__(f"'{name}' was damaged on the hub's disk, and its last commits are not known here any more.")
        self.details = "Push it again from a clone that has it; the hub's administrator can restore it from a backup."


def damaged(path: Path) -> list[str]:
    """Full names of the refs whose files are not what git writes, HEAD among them."""
    found = [] if _whole(path / HEAD) else [HEAD]
    for folder, _, names in os.walk(path / "refs"):
        files = (Path(folder) / name for name in names if not name.endswith(".lock"))
        found += [str(file.relative_to(path)) for file in files if not _whole(file)]
    return found


def mend(path: Path, ref: str, value: str) -> bool:
    """Give a damaged ref a value again, or with "" put it on the list of lost ones. Under git's own lock.

    False when somebody else was first, or holds the lock.
    """
    file, lock = path / ref, path / f"{ref}.lock"
    try:
        handle = os.open(lock, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    except FileExistsError:
        return False
    try:
        with os.fdopen(handle, "w") as fresh:
            if _whole(file):
                return False
            if value:
                fresh.write(f"{value}\n")
                fresh.flush()
                os.fsync(fresh.fileno())
        if value:
            os.replace(lock, file)
        else:
            _write(path, [*lost(path), ref])
            file.unlink()
        fsync(file.parent)
    finally:
        lock.unlink(missing_ok=True)
    return True


def lost(path: Path) -> list[str]:
    """Full names of the refs that were damaged, and that nobody has pushed again."""
    try:
        return (path / LIST).read_bytes().decode("utf-8", "surrogateescape").splitlines()
    except FileNotFoundError:
        return []


def pushed(path: Path, refs: Collection[str]) -> None:
    """These are what somebody pushed: not lost any more."""
    if (names := lost(path)) and not set(refs).isdisjoint(names):
        _write(path, [name for name in names if name not in refs])


def require_none_lost(path: Path, *names: str) -> None:
    """Raises RefLost when one of these branches or tags, by short or full name, is damaged or lost."""
    for ref in (*lost(path), *damaged(path)):
        short = ref.split("/", 2)[-1]
        if ref in names or short in names:
            raise RefLost(short.encode("utf-8", "surrogateescape").decode("utf-8", "replace"))


def _whole(file: Path) -> bool:
    """Also true for a file that is gone: git has packed it."""
    try:
        with open(file, "rb") as opened:
            return bool(_WHOLE.fullmatch(opened.read(_BYTES)))
    except FileNotFoundError:
        return True


def _write(path: Path, names: list[str]) -> None:
    fresh = path / f"{LIST}.lock"
    with open(fresh, "wb") as file:
        file.write("".join(f"{name}\n" for name in dict.fromkeys(names)).encode("utf-8", "surrogateescape"))
        file.flush()
        os.fsync(file.fileno())
    os.replace(fresh, path / LIST)
