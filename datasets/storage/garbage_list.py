"""The list of what a look for garbage found: an SQLite file under COVEY_HOME/cache, paged from there."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from urllib.parse import quote

from datasets import results
from datasets.models import StoredObject

_SCHEMA = """
CREATE TABLE garbage (number INTEGER PRIMARY KEY, id INTEGER, key TEXT, size INTEGER, created TEXT, is_dir INTEGER,
gone INTEGER DEFAULT 0);
"""


@dataclass(frozen=True)
class Item:
    """size in bytes; created: when it came. gone: it was collected since."""

    key: str
    size: int
    created: datetime
    gone: bool


@dataclass(frozen=True)
class Sum:
    """size in bytes of all."""

    objects: int
    size: int


class GarbageList:
    def __init__(self, place: Path) -> None:
        self.place = place

    def make(self) -> None:
        with self._open(mode="rwc") as base:
            base.executescript(_SCHEMA)

    def exists(self) -> bool:
        return results.touch(self.place)

    def add(self, rows: Iterable[StoredObject]) -> None:
        """Rows with their blobs."""
        values = [(row.pk, row.key, row.blob.size, row.created.isoformat(), row.key.endswith(".dir")) for row in rows]
        with self._open() as base:
            base.executemany("INSERT INTO garbage (id, key, size, created, is_dir) VALUES (?, ?, ?, ?, ?)", values)

    def batches(self, size: int, *, dirs: bool) -> Iterator[list[int]]:
        """Ids of the rows that are not gone yet, of manifests or of the others."""
        last = 0
        while True:
            with self._open() as base:
                found = base.execute(
                    "SELECT number, id FROM garbage WHERE number > ? AND is_dir = ? AND NOT gone"
                    " ORDER BY number LIMIT ?",
                    (last, dirs, size),
                ).fetchall()
            if not found:
                return
            last = found[-1][0]
            yield [row[1] for row in found]

    def mark_gone(self, ids: Sequence[int]) -> None:
        with self._open() as base:
            base.executemany("UPDATE garbage SET gone = 1 WHERE id = ?", [(pk,) for pk in ids])

    def page(self, start: int, count: int) -> list[Item]:
        """In the order of keys, manifests first."""
        with self._open(mode="ro") as base:
            rows = base.execute(
                "SELECT key, size, created, gone FROM garbage WHERE number > ? ORDER BY number LIMIT ?", (start, count)
            )
            return [Item(key, size, datetime.fromisoformat(made), bool(gone)) for key, size, made, gone in rows]

    def sum(self, *, gone: bool | None = None) -> Sum:
        with self._open(mode="ro") as base:
            row = base.execute(
                "SELECT count(*), coalesce(sum(size), 0) FROM garbage WHERE ? IS NULL OR gone = ?", (gone, gone)
            ).fetchone()
        return Sum(*row)

    @contextmanager
    def _open(self, *, mode: str = "rw") -> Iterator[sqlite3.Connection]:
        """One transaction."""
        base = sqlite3.connect(f"file:{quote(str(self.place))}?mode={mode}", uri=True)
        with closing(base), base:
            yield base
