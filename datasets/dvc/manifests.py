"""The manifest of a directory (.dir): a JSON list of {"md5", "relpath"}, sorted by relpath.

A million entries are 82 MB: they are read as a stream into an index file, once, and then paged from it.
"""

from __future__ import annotations

import json
import os
import secrets
import sqlite3
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from datasets.dvc import keys
from datasets.dvc.pointers import clean
from hub.lib.unicode import is_utf8

MAX_BYTES = 2 * 1024**3
MAX_ENTRY_CHARACTERS = 16_384
BATCH = 5_000
_decoder = json.JSONDecoder()

SCHEMA = """
CREATE TABLE folders (id INTEGER PRIMARY KEY, parent INTEGER, name TEXT, path TEXT UNIQUE);
CREATE INDEX folders_by_parent ON folders (parent, name);
CREATE TABLE files (folder INTEGER, name TEXT, md5 BLOB, PRIMARY KEY (folder, name)) WITHOUT ROWID;
CREATE TABLE others (md5 BLOB);
INSERT INTO folders VALUES (0, NULL, '', '');
"""
_FOLDERS = "SELECT name FROM folders WHERE parent = ? ORDER BY name LIMIT ? OFFSET ?"
_FILES = "SELECT name, md5 FROM files WHERE folder = ? ORDER BY name LIMIT ? OFFSET ?"


class BadManifest(ValueError):
    """Not a manifest as DVC writes it."""


@dataclass(frozen=True, slots=True)
class Item:
    """One child of a folder: a file with its md5, or a folder (md5 "")."""

    name: str
    md5: str

    @property
    def is_dir(self) -> bool:
        return not self.md5


def dumps(entries: Iterable[tuple[str, str]]) -> bytes:
    """(relpath, md5) pairs as the very bytes DVC writes, so that their md5 is the name DVC gives them."""
    return json.dumps(
        [{"md5": md5, "relpath": path} for path, md5 in sorted(entries)],
        sort_keys=True,
    ).encode()


def whole(data: bytes) -> dict[str, str]:
    """path → md5 of a manifest in memory. A path that no file may have is refused here, with BadManifest: passing it
    over would lose it in what is written next."""
    try:
        listed = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise BadManifest("not JSON") from error
    if not isinstance(listed, list):
        raise BadManifest("not a list")
    found: dict[str, str] = {}
    for entry in listed:
        path, md5 = (entry.get("relpath"), entry.get("md5")) if isinstance(entry, dict) else (None, None)
        if not isinstance(path, str) or not isinstance(md5, str) or clean(path) != path or not keys.is_oid(md5):
            raise BadManifest("an entry is none of DVC's")
        found[path] = md5
    return found


async def entries(stream: AsyncIterator[bytes]) -> AsyncIterator[tuple[str, str]]:
    """(relpath, md5) pairs of a manifest, one JSON object at a time; hostile paths are passed over.

    Raises BadManifest.
    """
    async for path, md5 in _pairs(stream):
        if path:
            yield path, md5


async def _pairs(stream: AsyncIterator[bytes]) -> AsyncIterator[tuple[str, str]]:
    """The same with the hostile paths, as ""."""
    text, total, opened = bytearray(), 0, False
    async for piece in stream:
        total += len(piece)
        if total > MAX_BYTES:
            raise BadManifest("larger than 2 GiB")
        text += piece
        found, used, opened = _take(text, opened)
        del text[:used]
        for entry in found:
            yield entry
        if len(text) > 4 * MAX_ENTRY_CHARACTERS:
            raise BadManifest("an entry is too long")
    if not opened or bytes(text).strip() != b"]":
        raise BadManifest("it does not end as a list")


def _take(text: bytearray, opened: bool) -> tuple[list[tuple[str, str]], int, bool]:
    """Every whole entry at the start of text, how many bytes they used, and whether the list has begun."""
    try:
        # Bytes of a character cut in two stay for the next piece.
        string, cut = text.decode(), 0
    except UnicodeDecodeError as error:
        if error.start < len(text) - 3:
            raise BadManifest("not UTF-8") from error
        string, cut = text[: error.start].decode(), len(text) - error.start
    position, found = 0, []
    if not opened:
        stripped = string.lstrip()
        if not stripped:
            return [], 0, False
        if stripped[0] != "[":
            raise BadManifest("not a list")
        position, opened = len(string) - len(stripped) + 1, True
    while True:
        start = _skip(string, position)
        if start >= len(string) or string[start] == "]":
            break
        try:
            entry, end = _decoder.raw_decode(string, start)
        except ValueError:
            break  # not whole yet; if it never will be, the length of what is left tells
        except RecursionError as error:
            raise BadManifest("nested too deep") from error
        position = end
        if pair := _pair(entry):
            found.append(pair)
    used = len(text) - cut - len(string[position:].encode())
    return found, used, opened


def _skip(string: str, position: int) -> int:
    while position < len(string) and string[position] in " \t\r\n,":
        position += 1
    return position


def _pair(entry: object) -> tuple[str, str] | None:
    """None for what no object of DVC can be."""
    if not isinstance(entry, dict):
        raise BadManifest("an entry is no object")
    path, md5 = entry.get("relpath"), entry.get("md5")
    if not isinstance(path, str) or not isinstance(md5, str):
        raise BadManifest("an entry lacks md5 or relpath")
    if not keys.is_oid(md5) or keys.is_manifest(md5):
        return None
    if path.startswith("/") or clean(path) != path:
        return "", md5
    if not is_utf8(path):  # no name that a file can have
        return "", md5
    return path, md5


# ---- the index file ----------------------------------------------------------------------------
async def build(stream: AsyncIterator[bytes], place: Path) -> None:
    """Write the index of a manifest at place, at once and whole. Raises BadManifest with nothing written."""
    place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    temporary = place.with_name(f".{secrets.token_hex(8)}")
    try:
        with closing(sqlite3.connect(temporary, isolation_level=None, check_same_thread=False)) as base:
            base.executescript("PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF;" + SCHEMA + "BEGIN;")
            folders, batch = {"": 0}, []
            async for path, md5 in _pairs(stream):
                if not path:
                    base.execute("INSERT INTO others VALUES (?)", (bytes.fromhex(md5),))
                    continue
                parent, _, name = path.rpartition("/")
                batch.append((_folder(base, folders, parent), name, bytes.fromhex(md5)))
                if len(batch) >= BATCH:
                    _insert(base, batch)
            _insert(base, batch)
            base.execute("COMMIT")
        os.replace(temporary, place)
    finally:
        temporary.unlink(missing_ok=True)


def _insert(base: sqlite3.Connection, batch: list[tuple[int, str, bytes]]) -> None:
    base.executemany("INSERT OR REPLACE INTO files VALUES (?, ?, ?)", batch)
    batch.clear()


def _folder(base: sqlite3.Connection, known: dict[str, int], path: str) -> int:
    """The id of a folder; it and its parents are made on first sight."""
    missing = []
    while path not in known:
        missing.append(path)
        path = path.rpartition("/")[0]
    for made in reversed(missing):
        parent, _, name = made.rpartition("/")
        known[made] = len(known)
        base.execute("INSERT INTO folders VALUES (?, ?, ?, ?)", (known[made], known[parent], name, made))
    return known[missing[0]] if missing else known[path]


class Manifest:
    """Reads an index file. Folders are paths below the output, "" its root."""

    def __init__(self, place: Path) -> None:
        self.place = place

    def count(self) -> int:
        with self._open() as base:
            return int(base.execute("SELECT count(*) FROM files").fetchone()[0])

    def children(self, folder: str, start: int = 0, limit: int = -1) -> Iterator[Item]:
        """Folders first, each part by name; start and limit (-1: all) choose a page of them."""
        with self._open() as base:
            found = base.execute("SELECT id FROM folders WHERE path = ?", (folder,)).fetchone()
            if found is None:
                return
            given = 0
            for (name,) in base.execute(_FOLDERS, (*found, limit, start)):
                given += 1
                yield Item(name, "")
            if limit < 0 or given < limit:
                (folders,) = base.execute("SELECT count(*) FROM folders WHERE parent = ?", found).fetchone()
                rest = limit - given if limit >= 0 else -1
                for name, md5 in base.execute(_FILES, (*found, rest, max(0, start - folders))):
                    yield Item(name, md5.hex())

    def count_children(self, folder: str) -> int:
        with self._open() as base:
            row = base.execute(
                "SELECT (SELECT count(*) FROM folders WHERE parent = f.id)"
                " + (SELECT count(*) FROM files WHERE folder = f.id) FROM folders f WHERE path = ?",
                (folder,),
            ).fetchone()
        return int(row[0]) if row else 0

    def find(self, path: str) -> Item | None:
        """What a path names, or None."""
        if not is_utf8(path):  # addresses may name any bytes
            return None
        parent, _, name = path.rpartition("/")
        with self._open() as base:
            row = base.execute(
                "SELECT md5 FROM files WHERE name = ? AND folder = (SELECT id FROM folders WHERE path = ?)",
                (name, parent),
            ).fetchone()
            if row:
                return Item(name, row[0].hex())
            if base.execute("SELECT 1 FROM folders WHERE path = ?", (path,)).fetchone():
                return Item(name, "")
        return None

    def files(self) -> Iterator[tuple[str, str]]:
        """Every (relpath, md5), folder by folder."""
        with self._open() as base:
            for folder, name, md5 in base.execute(
                "SELECT path, files.name, md5 FROM files JOIN folders ON id = folder ORDER BY folder, files.name"
            ):
                yield f"{folder}/{name}" if folder else name, md5.hex()

    def md5s(self) -> Iterator[tuple[str, int]]:
        """Every distinct md5 with the number of files that have it."""
        with self._open() as base:
            for md5, count in base.execute("SELECT md5, count(*) FROM files GROUP BY md5"):
                yield md5.hex(), count

    def holds(self, md5s: Sequence[str]) -> bool:
        """Whether one of these is listed; at most a few hundred."""
        marks = ", ".join("?" * len(md5s))
        with self._open() as base:
            asked = f"SELECT EXISTS(SELECT 1 FROM files WHERE md5 IN ({marks}))"  # noqa: S608  # marks are ours
            return bool(base.execute(asked, [bytes.fromhex(md5) for md5 in md5s]).fetchone()[0])

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        base = sqlite3.connect(f"file:{self.place}?mode=ro&immutable=1", uri=True, check_same_thread=False)
        with closing(base):
            yield base
