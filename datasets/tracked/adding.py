"""Files that arrive by upload: which of them git keeps and which DVC, and the commit's changes that make it so.

DagsHub's words say what is wrong: its client turns them into its own errors (wire/dagshub.md §2.4).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from pathlib import Path

from datasets.tracked.tracking import Output, Tracked, tracked
from hub.lib.errors import HubError
from repos import code
from repos.git import read
from repos.git.read import TreeEntry
from repos.models import Repository
from repos.place import store_of

AUTO_GIT_BYTES = 1024 * 1024  # with versioning "auto", text up to this size goes to git, all else to DVC
_PIECE_BYTES = 1024 * 1024


class Refused(HubError):
    """message is one of the words DagsHub's client knows; details tell the person."""

    code = 409

    def __init__(self, word: str, details: str) -> None:
        super().__init__(word, details=details)


def versioning_conflict(path: str, kept_by: str) -> Refused:
    return Refused("versioning conflict", f"'{path}' is kept by {kept_by} here; upload it with versioning={kept_by}.")


@dataclass(frozen=True)
class Incoming:
    """One uploaded file. path: where it belongs, from the root. file: where its bytes are now."""

    path: str
    file: Path
    size: int


@dataclass
class Places:
    """git: files for git's tree. alone: files with a pointer each. inside: directory outputs and what they gain."""

    git: list[Incoming] = field(default_factory=list)
    alone: list[Incoming] = field(default_factory=list)
    inside: dict[str, list[tuple[str, Incoming]]] = field(default_factory=dict)

    @property
    def for_dvc(self) -> list[Incoming]:
        return [*self.alone, *(item for items in self.inside.values() for _, item in items)]


@dataclass(frozen=True)
class Base:
    """The commit that is built on; commit None: the repository has none yet."""

    repository: Repository
    commit: str | None

    @property
    def tracked(self) -> Tracked | None:
        return tracked(self.repository, self.commit) if self.commit else None

    def around(self, path: str) -> tuple[Output, str] | None:
        """The output at or around a path, and the rest of the path below it."""
        found = self.tracked
        if found is None:
            return None
        if output := found.outputs.get(path):
            return output, ""
        return found.around(path)

    def entry(self, path: str) -> TreeEntry | None:
        return read.find_entry(store_of(self.repository), self.commit, path) if self.commit else None

    def blob(self, oid: str, *, limit_bytes: int) -> bytes:
        return read.read_blob(store_of(self.repository), oid, limit_bytes=limit_bytes).data


def places(base: Base, directory: str, incoming: list[Incoming], *, versioning: str, whole_directory: bool) -> Places:
    """Where each file goes. whole_directory: directory is to be one DVC output, now or already. Raises Refused."""
    found = Places()
    if whole_directory and versioning != "git":
        output, prefix = _directory_output(base, directory)
        found.inside[output] = [(_below(prefix, directory, item.path), item) for item in incoming]
        return found
    for item in incoming:
        around = base.around(item.path)
        if around is not None:
            _into_output(found, item, *around, versioning=versioning)
        elif _is_for_git(base, item, versioning):
            found.git.append(item)
        else:
            found.alone.append(item)
    return found


def blob_id(file: Path, size: int) -> str:
    """The id git gives these bytes, so that what is there already is not committed again."""
    digest = hashlib.sha1(b"blob %d\0" % size, usedforsecurity=False)
    with file.open("rb") as opened:
        while piece := opened.read(_PIECE_BYTES):
            digest.update(piece)
    return digest.hexdigest()


def _directory_output(base: Base, directory: str) -> tuple[str, str]:
    """(path of the output, prefix of the directory inside it)."""
    if not directory:
        raise Refused("path conflict", "The root of a repository cannot be one DVC directory. Upload into a folder.")
    if around := base.around(directory):
        output, rest = around
        if not output.is_dir:
            raise Refused("path conflict", f"'{output.path}' is a file tracked by DVC, not a folder.")
        return output.path, rest
    if entry := base.entry(directory):
        if entry.kind != "dir":
            raise Refused("path conflict", f"'{directory}' is a file, not a folder.")
        raise versioning_conflict(directory, "git")
    return directory, ""


def _below(prefix: str, directory: str, path: str) -> str:
    rest = path[len(directory) + 1 :]
    return f"{prefix}/{rest}" if prefix else rest


def _into_output(found: Places, item: Incoming, output: Output, rest: str, *, versioning: str) -> None:
    if versioning == "git":
        raise versioning_conflict(item.path, "dvc")
    if rest:
        found.inside.setdefault(output.path, []).append((rest, item))
    elif output.is_dir:
        raise Refused("path conflict", f"'{item.path}' is a folder tracked by DVC, not a file.")
    else:
        found.alone.append(item)


def _is_for_git(base: Base, item: Incoming, versioning: str) -> bool:
    entry = base.entry(item.path)
    if entry is not None and entry.kind == "dir":
        raise Refused("path conflict", f"'{item.path}' is a folder.")
    if entry is not None:
        if versioning == "dvc":
            raise versioning_conflict(item.path, "git")
        return True
    if versioning in {"git", "dvc"}:
        return versioning == "git"
    with item.file.open("rb") as file:
        return item.size <= AUTO_GIT_BYTES and not code.is_binary(file.read(8_000))
