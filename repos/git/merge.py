"""Three-way merges without a work tree: `git merge-tree` on the bare repository, with renames."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from repos.git import commands
from repos.git.read import to_text
from repos.git.writing import TreeFile

TIMEOUT_SECONDS = 50  # below the lease of a job, which does not beat meanwhile
# Its objects lie in a quarantine: publishing packs them anew, and that pack is what must survive a power cut.
_PASSING = commands.configuration({"core.fsync": "none"})
_SIDES = {b"1": "base", b"2": "ours", b"3": "theirs"}


@dataclass
class Conflict:
    """One path. The sides that have it; kind: git's word, e.g. contents, modify/delete. said: git's sentence."""

    path: str
    base: TreeFile | None = None
    ours: TreeFile | None = None
    theirs: TreeFile | None = None
    kind: str = ""
    said: str = ""


@dataclass(frozen=True)
class Merge:
    """tree: the merged tree; files in conflict hold git's marks in it."""

    tree: str
    conflicts: list[Conflict] = field(default_factory=list)


def merge_tree(
    repository: Path, ours: str, theirs: str, *, extra: Mapping[str, str], timeout_seconds: float = TIMEOUT_SECONDS
) -> Merge:
    """ours, theirs: full ids of commits with a common ancestor. extra: of the quarantine that new trees go to.

    Raises GitError, GitTimeout.
    """
    out = commands.run(
        repository,
        *("merge-tree", "--write-tree", "-z", "--messages", ours, theirs),
        ok=(0, 1),
        timeout_seconds=timeout_seconds,
        extra={**extra, **_PASSING},
    )
    fields = out.split(b"\0")
    at, found = 1, dict[str, Conflict]()
    while at < len(fields) and fields[at]:
        stage, _, raw = fields[at].partition(b"\t")
        mode, oid, number = stage.split()
        conflict = found.setdefault(to_text(raw), Conflict(to_text(raw)))
        setattr(conflict, _SIDES[number], TreeFile(int(mode, 8), oid.decode()))
        at += 1
    _add_messages(found, fields[at + 1 :])
    return Merge(fields[0].decode(), sorted(found.values(), key=lambda conflict: conflict.path))


def _add_messages(found: dict[str, Conflict], fields: list[bytes]) -> None:
    """<number of paths> <path>… <kind> <sentence>, again and again."""
    at = 0
    while at < len(fields) and fields[at].isdigit():
        paths = fields[at + 1 : at + 1 + int(fields[at])]
        kind, said = (fields[at + 1 + len(paths)], fields[at + 2 + len(paths)])
        for path in paths if kind.startswith(b"CONFLICT") else ():
            conflict = found.get(to_text(path))
            if conflict and not conflict.kind:
                conflict.kind = kind.decode().removeprefix("CONFLICT (").removesuffix(")")
                conflict.said = said.decode("utf-8", "replace").strip()
        at += 3 + len(paths)
