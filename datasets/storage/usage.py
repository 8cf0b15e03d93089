"""What takes the space of a repository: by dataset and version, in its buckets, and what others name too.

Counted by a job from the index of versions, the manifests and the names, into one SQLite file that pages read. A size
is that of the distinct objects; "own" is what nothing else here names, so what would be free without it.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from django.db.models import Count, Sum
from django.utils import timezone

from datasets import results
from datasets.comparison.comparing import repository_of
from datasets.dvc import keys
from datasets.models import DatasetVersion, StoredObject
from datasets.storage.garbage import windows
from datasets.tracked.manifests import manifest_of
from hub.jobs import jobs
from hub.jobs.jobs import Run
from hub.lib.objectstore import ObjectStoreError
from repos.models import Repository

MEASURE = "datasets.usage"
VERSIONS_AT_ONCE = 500
# Further parts of a repository that take space: name → (bytes, files). Filled by the apps above.
PARTS: dict[str, Callable[[Repository], tuple[int, int]]] = {}

_SCHEMA = """
PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF;
CREATE TABLE objects (oid TEXT PRIMARY KEY, size INTEGER, uses INTEGER DEFAULT 0, version INTEGER,
  datasets INTEGER DEFAULT 0, dataset TEXT) WITHOUT ROWID;
CREATE TABLE versions (id INTEGER PRIMARY KEY, path TEXT, identity TEXT, is_dir INTEGER, files INTEGER, here INTEGER,
  size INTEGER, own INTEGER DEFAULT 0);
CREATE TABLE datasets (path TEXT PRIMARY KEY, versions INTEGER, size INTEGER, own INTEGER DEFAULT 0) WITHOUT ROWID;
CREATE TABLE shared (repository INTEGER PRIMARY KEY, objects INTEGER, size INTEGER);
"""


@dataclass(frozen=True)
class Dataset:
    """size, own: bytes. versions: how many were ever committed."""

    path: str
    versions: int
    size: int
    own: int


@dataclass(frozen=True)
class Version:
    """files: in it as DVC wrote them, here: of its objects how many are here."""

    path: str
    identity: str
    is_dir: bool
    files: int | None
    here: int
    size: int
    own: int


@dataclass(frozen=True)
class Shared:
    repository: int
    objects: int
    size: int


@jobs.handler(MEASURE)
def measure(run: Run) -> dict[str, Any]:
    """Arguments: repository. Totals in bytes and objects, and the name of the file with the rest."""
    repository = repository_of(run.job.arguments)
    name = results.digest("usage", repository.pk, run.job.pk, timezone.now())
    with results.work_folder() as folder, _open(folder / "usage", "rwc") as base:
        base.executescript(_SCHEMA)
        _objects(run, repository, base)
        _versions(run, repository, base)
        _shared(run, repository, base)
        row = base.execute("SELECT count(*), coalesce(sum(size), 0) FROM objects WHERE uses = 0").fetchone()
        base.commit()
        results.keep(folder / "usage", results.list_place(repository.pk, name))
    buckets = StoredObject.objects.filter(repository=repository).values("bucket")
    found = {b["bucket"]: [b["size"], b["count"]] for b in buckets.annotate(size=Sum("blob__size"), count=Count("pk"))}
    parts = {part: list(count(repository)) for part, count in PARTS.items()}
    return {"list": name, "buckets": found, "parts": parts, "git": repository.size_bytes, "unused": [row[1], row[0]]}


def _objects(run: Run, repository: Repository, base: sqlite3.Connection) -> None:
    for rows in windows(StoredObject.objects.filter(repository=repository, bucket=keys.BUCKET)):
        found = [(keys.oid_of(row.key), row.blob.size) for row in rows]
        base.executemany("INSERT OR IGNORE INTO objects (oid, size) VALUES (?, ?)", found)
        run.progress(0)


def _versions(run: Run, repository: Repository, base: sqlite3.Connection) -> None:
    """Dataset by dataset, so that an object's last dataset tells whether this one has it already."""
    rows = DatasetVersion.objects.filter(repository=repository, identity__startswith="md5:")
    total = rows.count()
    base.execute("CREATE TEMP TABLE inside (oid TEXT PRIMARY KEY) WITHOUT ROWID")
    for done, version in enumerate(rows.order_by("path", "pk").iterator(chunk_size=VERSIONS_AT_ONCE)):
        _version(repository, version, base)
        run.progress(done, total)
    base.execute(
        "UPDATE versions SET own = coalesce((SELECT sum(size) FROM objects WHERE uses = 1 AND version = id), 0)"
    )
    base.execute(
        "UPDATE datasets SET own = coalesce("
        "(SELECT sum(size) FROM objects WHERE objects.datasets = 1 AND dataset = datasets.path), 0)"
    )


def _version(repository: Repository, version: DatasetVersion, base: sqlite3.Connection) -> None:
    oid = version.identity.removeprefix("md5:")
    base.execute("DELETE FROM inside")
    base.execute("INSERT INTO inside VALUES (?)", (oid,))
    if keys.is_manifest(oid):
        base.executemany("INSERT OR IGNORE INTO inside VALUES (?)", _files(repository, oid))
    here, size = base.execute("SELECT count(*), coalesce(sum(size), 0) FROM objects JOIN inside USING (oid)").fetchone()
    (fresh,) = base.execute(
        "SELECT coalesce(sum(size), 0) FROM objects JOIN inside USING (oid) WHERE dataset IS NOT ?", (version.path,)
    ).fetchone()
    number = base.execute(
        "INSERT INTO versions (path, identity, is_dir, files, here, size) VALUES (?, ?, ?, ?, ?, ?)",
        (version.path, oid, version.is_dir, version.files, here, size),
    ).lastrowid
    base.execute(
        "UPDATE objects SET uses = uses + 1, version = ?1, datasets = datasets + (dataset IS NOT ?2), dataset = ?2"
        " WHERE oid IN (SELECT oid FROM inside)",
        (number, version.path),
    )
    base.execute(
        "INSERT INTO datasets (path, versions, size) VALUES (?1, 1, ?2)"
        " ON CONFLICT (path) DO UPDATE SET versions = versions + 1, size = size + ?2",
        (version.path, fresh),
    )


def _files(repository: Repository, oid: str) -> Iterator[tuple[str]]:
    keys_ = [keys.key_of(oid), keys.key_of(oid, legacy=True)]
    rows = StoredObject.objects.filter(repository=repository, bucket=keys.BUCKET, key__in=keys_).select_related("blob")
    for row in rows:
        with suppress(ObjectStoreError):  # lost: what it lists is not known
            if manifest := manifest_of(row.blob):
                yield from ((md5,) for md5, _ in manifest.md5s())


def _shared(run: Run, repository: Repository, base: sqlite3.Connection) -> None:
    """Bytes that other repositories name too. Who may see which of them is asked when the page is shown."""
    for bucket in StoredObject.objects.filter(repository=repository).values_list("bucket", flat=True).distinct():
        for rows in windows(StoredObject.objects.filter(repository=repository, bucket=bucket)):
            blobs = {row.blob_id for row in rows}
            others = StoredObject.objects.filter(blob__in=blobs, repository__deleted=None).exclude(
                repository=repository
            )
            pairs = others.values_list("repository_id", "blob_id", "blob__size").distinct()
            base.executemany(
                "INSERT INTO shared VALUES (?, 1, ?)"
                " ON CONFLICT (repository) DO UPDATE SET objects = objects + 1, size = size + excluded.size",
                [(other, size) for other, _, size in pairs],
            )
            run.progress(0)


# ---- for pages ---------------------------------------------------------------------------------
class Usage:
    """Reads what measure() wrote."""

    def __init__(self, place: Path) -> None:
        self.place = place

    def datasets(self, start: int, count: int) -> list[Dataset]:
        """The largest first."""
        question = "SELECT path, versions, size, own FROM datasets ORDER BY size DESC, path LIMIT ? OFFSET ?"
        return [Dataset(*row) for row in self._ask(question, count, start)]

    def versions(self, path: str, start: int, count: int) -> list[Version]:
        """Of one dataset, the latest first."""
        question = "SELECT path, identity, is_dir, files, here, size, own FROM versions WHERE path = ?"
        rows = self._ask(f"{question} ORDER BY id DESC LIMIT ? OFFSET ?", path, count, start)
        return [Version(row[0], row[1], bool(row[2]), *row[3:]) for row in rows]

    def shared(self, most: int) -> list[Shared]:
        """The largest first."""
        question = "SELECT repository, objects, size FROM shared ORDER BY size DESC LIMIT ?"
        return [Shared(*row) for row in self._ask(question, most)]

    def _ask(self, question: str, *values: object) -> list[tuple[Any, ...]]:
        with _open(self.place, "ro") as base:
            return base.execute(question, values).fetchall()


@contextmanager
def _open(place: Path, mode: str) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(f"file:{quote(str(place))}?mode={mode}", uri=True)) as base:
        yield base
