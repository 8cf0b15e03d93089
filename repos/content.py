"""Registry of sources for paths that are not git blobs (DVC outputs, later LFS): they list, stat and open.

Apps above register a Source in AppConfig.ready(); an empty registry means plain git.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from typing import Protocol

from repos.models import Repository


@dataclass(frozen=True)
class Entry:
    """One path shown in a tree. kind: file or dir. versioning: git or dvc (DagsHub's word).

    oid: git blob/tree id, or the md5 of a DVC object. size in bytes, None when unknown. present: the bytes are here.
    pointer: the git path of the file that tracks this one ("" for git itself).
    """

    path: str
    kind: str
    oid: str
    size: int | None = None
    versioning: str = "git"
    present: bool = True
    pointer: str = ""
    mode: int = 0o100644

    @property
    def name(self) -> str:
        return self.path.rsplit("/", 1)[-1]

    @property
    def is_dir(self) -> bool:
        return self.kind == "dir"


class Content(Protocol):
    """Bytes of one entry, readable in any range with constant memory."""

    @property
    def entry(self) -> Entry: ...

    @property
    def size(self) -> int: ...

    def read(self, start: int, end: int) -> AsyncIterator[bytes]:
        """Bytes start (inclusive) to end (exclusive), in pieces."""
        ...

    def head(self, limit: int) -> bytes:
        """The first bytes, for previews; blocking."""
        ...


class Source(Protocol):
    """A driver for one kind of tracked content. commit: a full commit id; paths are str without a leading slash."""

    def listing(
        self, repository: Repository, commit: str, directory: str, *, start: int = 0, limit: int | None = None
    ) -> Iterable[Entry]:
        """Entries this source adds directly under a directory ("" is the root): folders first, each part by name.

        start and limit choose a page, so that a folder of a million files is never listed whole.
        """
        ...

    def count(self, repository: Repository, commit: str, directory: str) -> int:
        """How many entries listing() has without start and limit."""
        ...

    def stat(self, repository: Repository, commit: str, path: str) -> Entry | None:
        """The entry at exactly this path, when this source tracks it."""
        ...

    def open(self, repository: Repository, commit: str, path: str) -> Content | None:
        """The bytes at this path; None when not tracked or not present."""
        ...


_sources: list[Source] = []


def register(source: Source) -> None:
    _sources.append(source)


def sources() -> list[Source]:
    return _sources
