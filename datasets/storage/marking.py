"""What a repository still needs of its DVC objects: the oids that its history, its run cache and its manifests name.

Nothing here parses YAML or JSON: every word of 32 hexadecimal digits in a pointer counts as a name. So nothing that any
version of DVC could read is missed, whatever its form, its size or its paths; at worst too much is kept.

Pull requests keep the commits they need as refs (refs/pull/…), and refs are all that is asked for here.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import TypeAlias
from urllib.parse import quote

from datasets.dvc.manifests import Manifest
from datasets.tracked import commits
from hub.lib.errors import NotFound
from repos.git import commands, read
from repos.models import Push, Repository
from repos.place import store_of

PATTERNS = ["*.dvc", "*dvc.lock", "*Dvcfile"]  # Dvcfile: of DVC before 1.0
BATCH = 500
_OID = re.compile(rb"(?<![0-9A-Fa-f])[0-9A-Fa-f]{32}(?:\.dir)?(?![0-9A-Fa-f])", re.IGNORECASE)
_OVERLAP_BYTES = 64  # more than an oid and what stands around it
Beat: TypeAlias = Callable[[], None]


def oids_in(pieces: Iterable[bytes]) -> Iterator[str]:
    """Every word that may be an oid; some twice."""
    tail = b""
    for piece in pieces:
        window = tail + piece
        for found in _OID.finditer(window):
            yield found[0].decode().lower()
        tail = window[-_OVERLAP_BYTES:]


class Marks:
    """A set of oids in a file of its own: a million take 40 MB of disk and hardly any memory."""

    def __init__(self, place: Path) -> None:
        self._base = sqlite3.connect(f"file:{quote(str(place))}", uri=True, isolation_level=None)
        self._base.executescript(
            "PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; PRAGMA cache_size=-64000;"
            "CREATE TABLE marks (oid BLOB PRIMARY KEY) WITHOUT ROWID"
        )

    def close(self) -> None:
        self._base.close()

    def add(self, oids: Iterable[str]) -> None:
        self._base.executemany("INSERT OR IGNORE INTO marks VALUES (?)", ((_packed(oid),) for oid in oids))

    def add_manifest(self, manifest: Manifest) -> None:
        """Every file that a manifest lists, those with hostile paths too."""
        self._base.execute("ATTACH ? AS manifest", (f"file:{quote(str(manifest.place))}?mode=ro&immutable=1",))
        try:
            for table in ("files", "others"):
                self._base.execute(f"INSERT OR IGNORE INTO marks SELECT md5 FROM manifest.{table} ORDER BY md5")  # noqa: S608
        finally:
            self._base.execute("DETACH manifest")

    def batches(self, size: int) -> Iterator[list[str]]:
        """All of them, in their order; those added meanwhile may or may not be among them."""
        last = b""
        question = "SELECT oid FROM marks WHERE oid > ? ORDER BY oid LIMIT ?"
        while rows := self._base.execute(question, (last, size)).fetchall():
            last = rows[-1][0]
            yield [packed[:16].hex() + (".dir" if len(packed) > 16 else "") for (packed,) in rows]

    def unmarked(self, oids: Sequence[str]) -> set[str]:
        """Those of them that nothing names; at most a few thousand at once."""
        packed = {_packed(oid): oid for oid in oids}
        holes = ",".join("?" * len(packed))
        named = self._base.execute(f"SELECT oid FROM marks WHERE oid IN ({holes})", list(packed))  # noqa: S608  # holes
        return set(packed.values()) - {packed[row[0]] for row in named}


def _packed(oid: str) -> bytes:
    md5, dot, _ = oid.partition(".")
    return bytes.fromhex(md5) + dot.encode()


class History:
    """Marks what the pointers of every commit name that a ref leads to, now and, asked again, as of then."""

    def __init__(self, repository: Repository, marks: Marks) -> None:
        self.repository, self.marks = repository, marks
        self._generation: int | None = None
        self._tips: list[str] = []
        self._seen: set[str] = set()

    def mark(self, *, beat: Beat = lambda: None) -> None:
        """Raises GitError, also when a pointer or a commit cannot be read: then nobody can say what it names."""
        generation = self._settled()  # asked before git: a ref that moves after this makes another generation
        self._tips = _tips(self.repository)
        unread: list[str] = []
        found = commits.readable(self.repository, (), refs=["--all"], patterns=PATTERNS, unread=unread)
        fresh = self._fresh(found if self._tips else iter(()), beat)
        while batch := list(islice(fresh, BATCH)):
            for pieces in contents(self.repository, batch):
                self.marks.add(oids_in(pieces))
                beat()
        if unread:
            said = f"commit {unread[0][:10]} changes more files than can be listed; remove the branches that lead to it"
            raise commands.GitError(("log",), None, said)
        self._generation = generation

    def refresh(self) -> None:
        """Mark what refs lead to that moved since. With no push in between this is one query."""
        generation = self._settled()
        if generation is not None and generation == self._generation:
            return
        if _tips(self.repository) != self._tips:
            self.mark()
        self._generation = generation

    def _fresh(self, found: Iterator[commits.Commit], beat: Beat) -> Iterator[str]:
        for commit in found:
            beat()
            for blob in commit.blobs:
                if blob.new and blob.new not in self._seen:
                    self._seen.add(blob.new)
                    yield blob.new

    def _settled(self) -> int | None:
        """The generation of the refs, None while a push is under way that may have moved some already."""
        if Push.objects.filter(repository=self.repository, state=Push.State.PREPARED).exists():
            return None
        found = Repository.objects.filter(pk=self.repository.pk).values_list("ref_generation", flat=True)
        return found.first()


def _tips(repository: Repository) -> list[str]:
    try:
        store = store_of(repository)
    except NotFound:  # nothing was ever pushed
        return []
    return sorted(set(commands.run(store, "for-each-ref", "--format=%(objectname)").decode().split()))


def contents(repository: Repository, oids: list[str]) -> Iterator[Iterable[bytes]]:
    """The bytes of each of these blobs of git. Raises GitError when one is missing."""
    store = store_of(repository)
    sizes = read.blob_sizes(store, oids)
    if missing := [oid for oid in oids if oid not in sizes]:
        raise commands.GitError(("cat-file",), None, f"blob {missing[0]} is missing")
    for _, pieces in read.each_blob(store, sizes, oids, timeout_seconds=commits.GIT_SECONDS):
        yield pieces
