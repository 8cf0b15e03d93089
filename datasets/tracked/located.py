"""Where the bytes of a path of a commit lie: in git, or in the store as what DVC tracks; of a folder each file's."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from datasets.dvc import keys
from datasets.objects import find
from datasets.tracked.contents import DvcSource
from datasets.tracked.tracking import Tracked, tracked
from repos.models import Repository

MAX_FILES = 500  # of one folder
MAX_FOLDER_DEPTH = 6


class Located:
    """tree: path → blob id, of the files of git that may be asked for."""

    def __init__(self, repository: Repository, commit: str, tree: Mapping[str, str]) -> None:
        self.repository, self.commit, self.tree = repository, commit, tree
        self._tracked: Tracked | None = None

    def at(self, path: str) -> Iterator[tuple[str, str, str]]:
        """(path, place, id) of a file, or of every file in a folder. place: "git" with a blob's id, "dvc" with the key
        of an object, "" with the key of one that was not pushed yet."""
        if path in self.tree:
            yield path, "git", self.tree[path]
            return
        if self._tracked is None:
            self._tracked = tracked(self.repository, self.commit)
        if self._tracked.around(path) is not None:
            yield from self._data(path, 0)
            return
        start = f"{path}/" if path else ""
        yield from ((below, "git", oid) for below, oid in self.tree.items() if below.startswith(start))

    def _data(self, path: str, depth: int) -> Iterator[tuple[str, str, str]]:
        """The same of what DVC tracks."""
        child = DvcSource().find(self.repository, self.commit, path)
        if child is None or depth > MAX_FOLDER_DEPTH:
            return
        if not child.is_dir:
            there = child.key and find(self.repository.pk, keys.BUCKET, child.key) is not None
            yield path, "dvc" if there else "", child.key
            return
        if child.key and find(self.repository.pk, keys.BUCKET, child.key) is None:
            yield f"{path}/.json", "", child.key  # the list of its files comes later
            return
        for entry in DvcSource().listing(self.repository, self.commit, path, limit=MAX_FILES):
            yield from self._data(entry.path, depth + 1)
