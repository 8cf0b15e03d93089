"""Three-way merge of the lists of files of a folder (.dir), of a million files each.

DVC writes such a list in one form, and most of its entries are the same in all three. So they are compared as the
bytes they are, and only what differs is read. Lists of another form, or of names beyond ASCII, are read whole.
"""

from __future__ import annotations

import hashlib
import operator
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from itertools import chain, islice

from datasets.dvc import manifests
from datasets.dvc.manifests import whole
from datasets.dvc.pointers import MAX_PATH_CHARACTERS
from datasets.threeway import Conflict, clashes, merge_files

_START, _BETWEEN, _END = b'[{"md5": "', b'"}, {"md5": "', b'"}]'
_NAME = rb'[^"\\\x00-\x1f\x80-\xff/.][^"\\\x00-\x1f\x80-\xff/]*'
# Names that begin with a dot may be refused; whether they are, the slow way says.
_ENTRY = re.compile(rb'[0-9a-f]{32}", "relpath": "' + _NAME + b"(?:/" + _NAME + b")*")
_MD5 = re.compile(rb'\{"md5": "([0-9a-f]{32})"')
_PATH = 47  # where the path begins in an entry
_path_of = operator.itemgetter(slice(_PATH, None))
Decide = Callable[[list[Conflict[str]]], Mapping[str, str] | None]


class Unplaced(ValueError):
    """A file was chosen for a path that is taken, or lies where a folder is. path: which."""

    def __init__(self, path: str) -> None:
        super().__init__(f"'{path[:200]}' would lie where another file or folder is.")
        self.path = path


@dataclass(frozen=True)
class Folder:
    """data: the merged list as DVC writes it, b"" while there are conflicts. oid: its name, ending in .dir. files: how
    many it lists."""

    data: bytes = b""
    oid: str = ""
    files: int = 0
    conflicts: list[Conflict[str]] = field(default_factory=list)

    def md5s(self) -> list[str]:
        """Of the files, in their order. (Quotes in names are written with a backslash, so no name looks like one.)"""
        return [md5.decode() for md5 in _MD5.findall(self.data)]


def merge_folders(base: bytes | None, ours: bytes, theirs: bytes, *, decide: Decide | None = None) -> Folder:
    """Values of conflicts are md5s. decide: given the conflicts, the files to have in their place (path → md5), or None
    to leave them open.

    Raises BadManifest, Unplaced. O(files) time and memory.
    """
    merged = _quickly(base, ours, theirs) or _slowly(base, ours, theirs)
    chosen: Mapping[str, str] = {}
    if merged.conflicts:
        decided = decide(merged.conflicts) if decide else None
        if decided is None:
            return Folder(conflicts=merged.conflicts)
        chosen = decided
    data, files = merged.written(chosen)
    return Folder(data, f"{hashlib.md5(data, usedforsecurity=False).hexdigest()}.dir", files)


@dataclass(frozen=True)
class _Merged:
    """same: entries that all sides have, as bytes; agreed: what was put together besides (path → md5)."""

    same: list[bytes]
    agreed: dict[str, str]
    conflicts: list[Conflict[str]]

    def written(self, chosen: Mapping[str, str]) -> tuple[bytes, int]:
        """(the list, how many files). Raises Unplaced."""
        added = self.agreed | dict(chosen)
        if chosen:
            self._check(chosen, added)
        if not self.same:
            return manifests.dumps(added.items()), len(added)
        if not all(path.isascii() and '"' not in path for path in added):
            known = {entry[_PATH:].decode(): entry[:32].decode() for entry in self.same}
            return manifests.dumps((known | added).items()), len(known) + len(added)
        entries = [*self.same, *(f'{md5}", "relpath": "{path}'.encode() for path, md5 in added.items())]
        entries.sort(key=_path_of)
        return _START + _BETWEEN.join(entries) + _END, len(entries)

    def _check(self, chosen: Mapping[str, str], added: Mapping[str, str]) -> None:
        """No path twice, no file in the place of a folder."""
        for path in chosen:
            if path in self.agreed:
                raise Unplaced(path)
        if clashing := clashes(set(added)) & chosen.keys():
            raise Unplaced(min(clashing))
        if new := chosen.keys() - {str(conflict.where) for conflict in self.conflicts}:
            files = set(map(_path_of, self.same))
            folders = {above for file in files for above in _parents(file.decode())}
            for path in sorted(new):
                if path in folders or any(above.encode() in files for above in (path, *_parents(path))):
                    raise Unplaced(path)


def _parents(path: str) -> Iterable[str]:
    while path := path.rpartition("/")[0]:
        yield path


def _slowly(base: bytes | None, ours: bytes, theirs: bytes) -> _Merged:
    merged = merge_files(*(whole(side) if side is not None else {} for side in (base, ours, theirs)))
    return _Merged([], merged.value, merged.conflicts)


def _quickly(base: bytes | None, ours: bytes, theirs: bytes) -> _Merged | None:
    """None when a list is not in DVC's form. Of lists that are sound themselves (no file where a folder is), what all
    three have cannot clash with what one of them adds."""
    lists: list[list[bytes]] = []
    for side in (base, ours, theirs):
        entries = _entries(side) if side is not None else []
        if entries is None:
            return None
        lists.append(entries)
    (old_o, new_o), (old_t, new_t) = _differ(lists[0], lists[1]), _differ(lists[0], lists[2])
    if not all(map(_ENTRY.fullmatch, chain(lists[0], new_o, new_t))):
        return None
    merged = merge_files(_files(old_o | old_t), _files(new_o | (old_t - old_o)), _files(new_t | (old_o - old_t)))
    touched = old_o | old_t
    same = [entry for entry in lists[0] if entry not in touched] if touched else lists[0]
    return _Merged(same, merged.value, merged.conflicts)


def _differ(one: list[bytes], other: list[bytes]) -> tuple[set[bytes], set[bytes]]:
    """What only one has, and what only the other. Both are in the order of their paths and mostly alike: long
    stretches are compared at once."""
    gone, new = [], []
    i = j = 0
    stretch = 1
    while i < len(one) and j < len(other):
        if one[i : i + stretch] == other[j : j + stretch]:
            i, j, stretch = i + stretch, j + stretch, min(2 * stretch, 4_096)
        elif stretch > 1:
            stretch = max(1, stretch // 4)
        else:
            left, right = one[i][_PATH:], other[j][_PATH:]
            if left <= right:
                gone.append(one[i])
                i += 1
            if right <= left:
                new.append(other[j])
                j += 1
    return {*gone, *one[i:]}, {*new, *other[j:]}


def _entries(data: bytes) -> list[bytes] | None:
    """The entries of a list in DVC's form and order, each from its md5 to the end of its path."""
    if not (data.startswith(_START) and data.endswith(_END)):
        return None
    entries = data[len(_START) : -len(_END)].split(_BETWEEN)
    if max(map(len, entries)) > _PATH + MAX_PATH_CHARACTERS:
        return None
    paths = list(map(_path_of, entries))
    return entries if all(map(operator.lt, paths, islice(paths, 1, None))) else None


def _files(entries: Iterable[bytes]) -> dict[str, str]:
    return {entry[_PATH:].decode(): entry[:32].decode() for entry in entries}
