"""The files that two commits leave in conflict, and what has to be decided in each."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from typing import Any
from urllib.parse import quote, unquote_to_bytes

from repos import code
from repos.git import hunks, merge, read, writing
from repos.git.hunks import Hunk
from repos.git.merge import Conflict
from repos.git.read import shown, to_bytes, to_text
from repos.git.store import Quarantine
from repos.git.writing import EXECUTABLE, FILE, TreeFile
from repos.models import Repository
from repos.place import store_of
from repos.pulls import drivers
from repos.pulls.drivers import Beat, Opened, Sides
from repos.storage import store

VERSION = 2  # grows when what is decided in a file is counted differently
TEXT, SIDE, DATA, GONE = "text", "side", "data", "gone"
MAX_TEXT_BYTES, MAX_HUNKS = 1024**2, 1_000
MAX_DATA_BYTES = 64 * 1024**2
MAX_FILES = 2_000
_WHY = {
    "contents": "both branches changed the same lines",
    "add/add": "both branches added it",
    "binary": "both branches changed it, and it is no text",
    "modify/delete": "one branch changed it, the other removed it",
    "rename/delete": "one branch renamed it, the other removed it",
    "rename/rename": "both branches renamed it, each in its way",
    "file/directory": "a file on one branch, a folder on the other",
    "distinct modes": "a file on one branch, something else on the other",
    "distinct types": "a file on one branch, something else on the other",
    "submodule": "both branches moved a submodule",
}


@dataclass(frozen=True)
class File:
    """kind: TEXT (places are hunks), DATA (a driver's places), SIDE (one place: the file as a whole) or GONE (nothing
    to decide: both sides moved it). sizes: in bytes by side, of blobs."""

    path: str
    kind: str
    why: str
    total: int
    base: TreeFile | None
    ours: TreeFile | None
    theirs: TreeFile | None
    sizes: dict[str, int] = field(default_factory=dict)
    opened: Opened | None = None

    @cached_property  # of thousands of files it is asked again and again
    def digest(self) -> str:
        sides = [(side.mode, side.oid) if side else None for side in (self.base, self.ours, self.theirs)]
        opened = self.opened.digest if self.opened else ""
        what = (VERSION, self.path, self.kind, self.total, sides, opened)
        return hashlib.sha256(repr(what).encode("utf-8", "surrogateescape")).hexdigest()[:32]

    @property
    def path_shown(self) -> str:
        return shown(self.path)

    @property
    def missing(self) -> tuple[str, ...]:
        return self.opened.missing if self.opened else ()

    def side(self, word: str) -> TreeFile | None:
        return {"base": self.base, "ours": self.ours, "theirs": self.theirs}[word]

    @property
    def merged_mode(self) -> int:
        """Of a file that all sides have as a plain one: what one side alone changed counts."""
        assert self.ours
        assert self.theirs
        ours_same = self.base is not None and self.ours.mode == self.base.mode
        return self.theirs.mode if ours_same else self.ours.mode

    def as_json(self) -> dict[str, Any]:
        return asdict(self) | {"path": quote(to_bytes(self.path))}


def from_json(found: dict[str, Any]) -> File:
    sides = {side: TreeFile(**found[side]) if found[side] else None for side in drivers.SIDES}
    opened = found["opened"]
    if opened:
        lists = {name: tuple(opened[name]) for name in ("notes", "missing")}
        opened = Opened(**opened | lists)
    return File(**found | sides | {"opened": opened, "path": to_text(unquote_to_bytes(found["path"]))})


@dataclass(frozen=True)
class Reading:
    """Where files in conflict are read from. commit: the tip of the request's base. lender: a fork, where the data of
    its branch lies. beat: told before each file, since a driver may take long."""

    repository: Repository
    quarantine: Quarantine
    commit: str
    beat: Beat
    lender: Repository | None = None


def of_merge(reading: Reading, found: merge.Merge) -> Iterator[File]:
    for number, conflict in enumerate(found.conflicts):
        reading.beat(number, len(found.conflicts))
        yield _file(reading, conflict)


def _file(reading: Reading, conflict: Conflict) -> File:
    quarantine = reading.quarantine
    sides = (conflict.base, conflict.ours, conflict.theirs)
    sizes = _sizes(quarantine, conflict)
    why = _WHY.get(conflict.kind, conflict.said or "both branches changed it")
    whole = File(conflict.path, SIDE, why, 1, *sides, sizes=sizes)
    if conflict.ours is None and conflict.theirs is None:
        return replace(whole, kind=GONE, total=0)
    if conflict.ours is None or conflict.theirs is None or conflict.ours.oid == conflict.theirs.oid:
        return whole
    if any(side and side.mode not in {FILE, EXECUTABLE} for side in sides):
        return whole
    if max(sizes.values()) > MAX_DATA_BYTES:
        return whole
    data = _blobs(quarantine, conflict)
    if opened := _opened(reading, conflict.path, data):
        return replace(whole, kind=DATA, why="both branches changed the same data", total=opened.total, opened=opened)
    if max(sizes.values()) > MAX_TEXT_BYTES or any(code.is_binary(each) for each in data.values()):
        return whole
    found = hunks.pieces(quarantine.repository, data.get("base", b""), data["ours"], data["theirs"])
    total = sum(isinstance(piece, Hunk) for piece in found)
    return replace(whole, kind=TEXT, total=total) if total <= MAX_HUNKS else whole


def _opened(reading: Reading, path: str, data: dict[str, bytes]) -> Opened | None:
    driver = drivers.driver_for(path)
    sides = replace(_sides(reading.commit, path, data), lender=reading.lender)
    return driver.open(reading.repository, sides, beat=reading.beat) if driver else None


def _sides(commit: str, path: str, data: dict[str, bytes]) -> Sides:
    return Sides(commit, path, data.get("base"), data["ours"], data["theirs"])


def sides_of(repository: Repository, file: File, ours: str, theirs: str) -> Sides:
    """The contents of a TEXT or DATA file of the merge of two commits."""
    named = {word: side for word in drivers.SIDES if (side := file.side(word))}
    oids = [side.oid for side in named.values()]
    path = store_of(repository)
    if len(read.blob_sizes(path, oids)) == len(oids):
        known = dict(read.blobs(path, oids))
        return _sides(theirs, file.path, {word: known[side.oid] for word, side in named.items()})
    # The base of histories that crossed was itself made by git, in the quarantine of a merge.
    with store().quarantine(repository.pk) as quarantine:
        merge.merge_tree(quarantine.repository, ours, theirs, extra=quarantine.environment)
        conflict = Conflict(file.path, file.base, file.ours, file.theirs)
        return _sides(theirs, file.path, _blobs(quarantine, conflict))


def _blobs(quarantine: Quarantine, conflict: Conflict) -> dict[str, bytes]:
    with writing.object_store(quarantine.objects) as objects:
        return {
            word: objects.get_raw(side.oid.encode())[1]  # type: ignore[arg-type]  # an id is bytes
            for word, side in _present(conflict)
        }


def _sizes(quarantine: Quarantine, conflict: Conflict) -> dict[str, int]:
    blobs = [(word, side) for word, side in _present(conflict) if side.mode != 0o160000]
    known = read.blob_sizes(quarantine.repository, [side.oid for _, side in blobs])
    return {word: known.get(side.oid, 0) for word, side in blobs}


def _present(conflict: Conflict) -> list[tuple[str, TreeFile]]:
    sides = {"base": conflict.base, "ours": conflict.ours, "theirs": conflict.theirs}
    return [(word, side) for word, side in sides.items() if side]
