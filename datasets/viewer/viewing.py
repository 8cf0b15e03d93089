"""One version of a table, ready to be paged: where its rows are read, and the job that gets it there if need be.

A Parquet object of DVC is read where it lies, by ranges. Everything else (text, Arrow, packed files, what git holds) is
made a Parquet file once, in the sandbox, kept by the hash of its bytes: at once when it is small, else by a job.
"""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from datasets import formats, results, sandboxed
from datasets.comparison import comparing
from datasets.comparison.comparing import local_or_failed, path_of, repository_of
from datasets.models import Blob
from datasets.tables.names import TABLE
from datasets.tracked.versions import Version, version_at
from hub.jobs import jobs
from hub.jobs.jobs import Failed, Run, State
from hub.jobs.models import Job
from hub.lib.errors import NotFound, Unprocessable
from hub.lib.sandbox import Overrun, Unreadable
from hub.lib.served import served
from hub.lib.stores import object_store
from repos.git import read
from repos.models import Repository
from repos.place import Place, quoted

PREPARE = "datasets.table-prepare"
AT_ONCE_BYTES = 1024**2  # a file up to this size is prepared while its page is asked for,
AT_ONCE = {"csv", "tsv", "tab", "jsonl", "ndjson", "parquet", "pq"}  # unless it may unpack to a thousand times as much
MAX_READ_BYTES = 256 * 1024**2  # from the store, for one page
MAX_KEPT_BYTES = 16 * 1024**2


@dataclass(frozen=True)
class Source:
    """Where rows are read: a blob of the store, or a prepared file."""

    repository_id: int
    blob: Blob | None = None
    file: Path | None = None

    @property
    def local(self) -> Path | None:
        """On this machine; None when the store has it elsewhere."""
        return object_store().local(self.blob.key) if self.blob else self.file

    def call(self, function: str, **options: Any) -> Any:
        """A function of datasets.tables.viewing on it; only what it asks for is read. Raises what sandbox.call raises,
        and ObjectStoreError."""
        place = self.local
        if place is not None:
            return sandboxed.call(f"viewing:{function}", files=[place], **options)
        assert self.blob is not None
        size = self.blob.size
        with served(self._read, size=size, max_bytes=MAX_READ_BYTES) as elsewhere:
            descriptors = [elsewhere.socket.fileno()]
            return sandboxed.call(f"viewing:{function}", descriptors=descriptors, size=size, **options)

    def _read(self, start: int, end: int, again: bool) -> bytes:
        """What pages want again, the end of the file and the beginnings of columns, is kept here."""
        assert self.blob is not None
        place = results.part_place(self.repository_id, results.digest("part", self.blob.sha256, start, end))
        if again and results.touch(place):
            return place.read_bytes()
        data = object_store().read_range(self.blob.key, start, end)
        if again and len(data) <= MAX_KEPT_BYTES:
            results.write(data, place)
        return data


@dataclass(frozen=True)
class Table:
    """state: done, queued, running, failed, cancelled or missing (never pushed). about: what datasets.tables.viewing
    says, when done. identity: changes with the bytes and how they are read."""

    place: Place
    version: Version
    state: str
    identity: str
    about: dict[str, Any] = field(default_factory=dict)
    source: Source | None = None
    job: Job | None = None

    @property
    def columns(self) -> list[dict[str, Any]]:
        return list(self.about["columns"])


def table(place: Place, *, user_id: int | None) -> Table:
    """The table at a place. Raises NotFound when none is there, Unprocessable when it takes too much, Busy
    when too much waits, ObjectStoreError."""
    version = version_at(place.repository, place.commit, place.path) if place.path else None
    if version is None:
        raise NotFound(f"There is no file '{place.path_shown}' at {place.rev_shown}.")
    if version.is_dir or not formats.is_table(place.path):
        raise NotFound(
            f"'{place.path_shown}' is no table.", details="Tables are CSV, TSV, JSONL, Parquet, Arrow files."
        )
    identity = identity_of(version)
    if not version.present:
        return Table(place, version, "missing", identity)
    if (blob := _readable_where_it_lies(version)) and (about := _about(place.repository, identity, blob)):
        return Table(place, version, "done", identity, about, Source(place.repository.pk, blob=blob))
    return prepared(place, version, identity, user_id)


def prepared(place: Place, version: Version, identity: str, user_id: int | None) -> Table:
    """The table as a Parquet file of this machine, or the job that makes it."""
    repository = place.repository
    if not _is_prepared(repository, identity):
        job = _job(place, version, identity, user_id)
        if job.state != State.DONE:
            return Table(place, version, str(job.state), identity, job=job)
    source = Source(repository.pk, file=results.place_of(repository.pk, identity))
    return Table(place, version, "done", identity, json.loads(_about_place(repository, identity).read_bytes()), source)


def source_of(repository: Repository, version: Version, identity: str) -> Source | None:
    """Where rows of a prepared table lie on this machine, or of one that needs no preparing."""
    if _is_prepared(repository, identity):
        return Source(repository.pk, file=results.place_of(repository.pk, identity))
    blob = _readable_where_it_lies(version)
    return Source(repository.pk, blob=blob) if blob else None


# ---- Parquet in the store ----------------------------------------------------------------------
def _readable_where_it_lies(version: Version) -> Blob | None:
    if version.in_git or version.path.rsplit(".", 1)[-1].lower() not in {"parquet", "pq"}:
        return None
    return Blob.objects.get(sha256=version.sha256)


def _about(repository: Repository, identity: str, blob: Blob) -> dict[str, Any] | None:
    """Kept once made. None when it cannot be read so: perhaps it is packed, or something else by that name."""
    place = _about_place(repository, identity)
    if not results.touch(place):
        try:
            results.write(json.dumps(Source(repository.pk, blob=blob).call("about")).encode(), place)
        except Unreadable:
            return None
        except Overrun as error:
            raise Unprocessable(
                "This table takes too much time or memory to be read.", details="Download the file."
            ) from error
    return dict(json.loads(place.read_bytes()))


def _about_place(repository: Repository, identity: str) -> Path:
    return results.sketch_place(repository.pk, identity)


# ---- everything else ---------------------------------------------------------------------------
def _is_prepared(repository: Repository, identity: str) -> bool:
    """Rows first, then what is told of them: both are there when the second is."""
    return results.touch(results.place_of(repository.pk, identity)) and results.touch(
        _about_place(repository, identity)
    )


def _job(place: Place, version: Version, identity: str, user_id: int | None) -> Job:
    repository = place.repository
    arguments = {"repository": repository.pk, "commit": place.commit, "path": quoted(place.path)}
    extension = place.path.rsplit(".", 1)[-1].lower()
    small = (version.size or 0) <= AT_ONCE_BYTES and extension in AT_ONCE
    digest = results.digest(PREPARE, repository.pk, identity)
    return comparing.job_of(
        PREPARE,
        digest,
        arguments,
        repository,
        user_id,
        is_kept=lambda _: _is_prepared(repository, identity),
        at_once=small,
    )


@jobs.handler(PREPARE)
def prepare(run: Run) -> dict[str, Any]:
    """Arguments: repository, commit, path. The table is kept as two files."""
    repository, version, identity = asked_version(run)
    if _is_prepared(repository, identity):
        return {}
    with results.work_folder() as folder:
        file = local_or_failed(repository, version, folder / "in")
        filename = read.shown(version.path)
        about = comparing.work(run, "datasets.tables.preparing:prepare", {"table": file}, folder, filename=filename)
        made = folder / "out" / TABLE
        if about.pop("as_it_lies"):
            (shutil.move if file == folder / "in" else shutil.copyfile)(file, made)
        results.keep(made, results.place_of(repository.pk, identity))
        results.write(json.dumps(about).encode(), _about_place(repository, identity))
    return {"rows": about["rows"]}


def asked_version(run: Run) -> tuple[Repository, Version, str]:
    asked = run.job.arguments
    repository, path = repository_of(asked), path_of(asked)
    version = version_at(repository, asked["commit"], path)
    if version is None or version.is_dir:
        raise Failed("The file is gone.")
    return repository, version, identity_of(version)


def identity_of(version: Version) -> str:
    """By the bytes and by how they are read."""
    return results.digest("viewed-2", version.sha256 or version.identity, formats.extension(version.path))
