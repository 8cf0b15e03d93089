"""Where the lines of files in one commit are in another: followed through the difference of the two, renames too."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from repos.git import diff
from repos.git.read import blob_sizes


@dataclass(frozen=True)
class Moves:
    """What became of one file. path: its name now, None when it is gone or too large to be followed.

    changes: (first old line, how many, how many lines are there now), from the top. Of an insertion the first old
    line is the one it comes after.
    """

    path: str | None
    changes: tuple[tuple[int, int, int], ...] = ()

    def lines(self, start: int, end: int) -> tuple[int, int] | None:
        """Where a range of lines is now; None when any of it changed, or something was put in between."""
        if self.path is None:
            return None
        shift = 0
        for old, count, now in self.changes:
            last = old + count - 1 if count else old
            if last < start:
                shift += now - count
            elif old < end if not count else old <= end:
                return None
        return start + shift, end + shift


GONE = Moves(None)


def moves(store: Path, old: str, new: str, paths: Collection[str]) -> dict[str, Moves]:
    """path in the old commit → what became of it in the new one: two git processes for all of them.

    Raises what repos.git.cli.run raises, GitError when one of the commits is not here.
    """
    touched = {file.old_name: file for file in diff.names_changed(store, old, new) if file.old_name in set(paths)}
    followed = [file for file in touched.values() if file.status in {"modified", "renamed"}]
    sizes = blob_sizes(store, [oid for file in followed for oid in (file.old_oid, file.oid)])
    few = [
        file
        for file in followed
        if all(sizes.get(oid, diff.MAX_BLOB_BYTES + 1) <= diff.MAX_BLOB_BYTES for oid in (file.old_oid, file.oid))
    ]
    hunks = diff.bare_hunks(store, old, new, few)
    found = {path: Moves(path) for path in paths}
    for path, file in touched.items():
        found[path] = Moves(file.name, hunks.get(file.name, ())) if file in few else GONE
    return found
