"""How pull requests merge data: lists of files in folders, pointers, dvc.lock, and tables whose rows have a key.

Git calls two changes of one pointer a conflict; most of the time they touch other files or other rows.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from asgiref.sync import async_to_sync, sync_to_async

from datasets import formats, lending, objects, removal, results
from datasets.declared_keys import declared_key
from datasets.dvc import keys, merging, pointers
from datasets.dvc.documents import Malformed
from datasets.dvc.manifests import BadManifest
from datasets.dvc.merging import Directory, MergedFile
from datasets.intact import intact
from datasets.models import Blob
from datasets.presence import presence
from datasets.tables.names import MERGED
from datasets.threeway import Conflict
from datasets.tracking import Output, tracked
from datasets.versions import blob_file
from hub.lib import sandbox_job
from hub.lib.objectstore import Stored
from hub.lib.sandbox import Overrun, Unreadable
from hub.lib.sandbox_job import Limits
from hub.lib.stores import object_store
from repos.git.read import shown
from repos.models import Repository
from repos.pulls.drivers import Beat, Choice, Choices, Missing, Opened, Outcome, Place, Sides

MAX_MANIFEST_BYTES = 128 * 1024**2  # of each side: about a million files
MAX_TABLE_BYTES = 64 * 1024**2  # of each side
LIMITS = Limits(seconds=25, memory_bytes=3 * 1024**3, disk_bytes=256 * 1024**2)  # somebody waits for the answer
MOST_NAMED = 200
_PIECE_BYTES = 1024 * 1024


class _NotHere(Exception):
    """An object that has to be pushed first."""


class DataDriver:
    def wants(self, path: str) -> bool:
        return pointers.is_pointer(path) or formats.is_table(path)

    def merge(self, repository: Repository, sides: Sides, *, keep: bool) -> Outcome:
        work = _Work(repository, sides, keep)
        try:
            return work.pointer() if pointers.is_pointer(sides.path) else work.table()
        except (Malformed, BadManifest) as error:
            return Outcome(None, (f"It cannot be read as DVC's: {error}",))
        except _NotHere as error:
            return Outcome(None, missing=(str(error),), command=_push(sides.path))

    def open(self, repository: Repository, sides: Sides, *, beat: Beat) -> Opened | None:
        return None

    def places(self, repository: Repository, sides: Sides, opened: Opened, start: int, limit: int) -> list[Place]:
        return []

    def check(self, repository: Repository, places: list[Place], choices: Mapping[int, Choice]) -> dict[int, str]:
        return {}

    def resolve(self, repository: Repository, sides: Sides, opened: Opened, choices: Choices, *, beat: Beat) -> Outcome:
        return Outcome(None)

    def missing(
        self, repository: Repository, base: str, head: str, *, lender: Repository | None = None
    ) -> list[Missing]:
        """Of a repository that keeps its data elsewhere nothing is asked."""
        old, new = tracked(repository, base).outputs, tracked(repository, head).outputs
        changed = [output for path, output in new.items() if path not in old or old[path].out != output.out]
        if not changed or not objects.whole(repository.pk, keys.BUCKET).exists():
            return []
        lost = _not_whole(repository, changed)
        if lost and lender:
            lost = _not_whole(lender, lost)
        return [Missing(o.pointer, (f"{shown(o.path)} ({o.out.oid})",), _push(o.pointer)) for o in lost[:MOST_NAMED]]

    def lend(
        self, lender: Repository, repository: Repository, wanted: Sequence[str], known: Sequence[str], *, beat: Beat
    ) -> None:
        lending.lend(lender, repository, wanted, known, beat=beat)


def _not_whole(repository: Repository, outputs: Sequence[Output]) -> list[Output]:
    return [found.output for found in presence(repository, outputs) if not found.whole and not found.elsewhere]


class _Work:
    """One file of one merge. keep: store what the merged file names."""

    def __init__(self, repository: Repository, sides: Sides, keep: bool) -> None:
        self.repository, self.sides, self.keep = repository, sides, keep
        self.folder = sides.path.rpartition("/")[0]

    def pointer(self) -> Outcome:
        sides = self.sides
        if sides.path.rpartition("/")[2] == "dvc.lock":
            return _outcome(merging.merge_lock(sides.base, sides.ours, sides.theirs))
        return _outcome(
            merging.merge_pointers(
                sides.base,
                sides.ours,
                sides.theirs,
                merge_directory=self.directory,
                merge_file=self.file,
            )
        )

    def directory(self, base: str, ours: str, theirs: str) -> Directory | list[Conflict[Any]]:
        """Two lists of the files of a folder."""
        old = self._bytes(base) if base else None
        merged, oid = merging.merge_manifests(old, self._bytes(ours), self._bytes(theirs))
        if merged.conflicts:
            return list(merged.conflicts)
        md5s = [str(entry["md5"]) for entry in json.loads(merged.data)]
        sizes = self._sizes([keys.key_of(md5) for md5 in md5s])
        if lost := [md5 for md5 in md5s if keys.key_of(md5) not in sizes]:
            raise _NotHere(f"{len(lost)} files of the folder, e.g. {lost[0]}")
        if self.keep:
            self._store(_once(merged.data), ".dir")
        return Directory(oid, sum(sizes[keys.key_of(md5)] for md5 in md5s), len(md5s))

    def file(self, path: str, base: str, ours: str, theirs: str) -> Directory | list[Conflict[Any]] | None:
        """Two versions of a table that one pointer tracks."""
        below = pointers.clean("/".join(filter(None, [self.folder, path])))
        key = declared_key(self.repository, self.sides.commit, below) if below else ()
        if not key or not formats.is_table(path):
            return None
        blobs = {
            side: self._blob(oid)
            for side, oid in zip(("base", "ours", "theirs"), (base, ours, theirs), strict=True)
            if oid
        }
        if max(blob.size for blob in blobs.values()) > MAX_TABLE_BYTES:
            return None
        with results.work_folder() as folder:
            inputs = {side: blob_file(blob, folder / f"in-{side}") for side, blob in blobs.items()}
            made = _merged_table(inputs, folder, path, key)
            if isinstance(made, list):
                return made
            stored = self._store(_pieces(made), "") if self.keep else None
            return Directory(stored.md5 if stored else "0" * 32, made.stat().st_size, None)

    def table(self) -> Outcome:
        """A table that git keeps."""
        sides = self.sides
        key = declared_key(self.repository, sides.commit, sides.path)
        if not key or max(len(sides.ours), len(sides.theirs)) > MAX_TABLE_BYTES:
            return Outcome(None, ("The lines differ. With a key for this table, Covey merges it row by row.",))
        with results.work_folder() as folder:
            inputs = {}
            for side, data in (("base", sides.base), ("ours", sides.ours), ("theirs", sides.theirs)):
                if data is not None:
                    inputs[side] = folder / f"in-{side}"
                    inputs[side].write_bytes(data)
            made = _merged_table(inputs, folder, sides.path, key)
            if isinstance(made, list):
                return Outcome(None, _lines(made))
            return Outcome(made.read_bytes())

    def _blob(self, oid: str) -> Blob:
        for repository in filter(None, (self.repository, self.sides.lender)):
            if blob := objects.find(repository.pk, keys.BUCKET, keys.key_of(oid)):
                return blob
        raise _NotHere(oid)

    def _sizes(self, names: Sequence[str]) -> dict[str, int]:
        found = objects.sizes(self.repository.pk, keys.BUCKET, names)
        lender, lost = self.sides.lender, [name for name in names if name not in found]
        return found | objects.sizes(lender.pk, keys.BUCKET, lost) if lender and lost else found

    def _bytes(self, oid: str) -> bytes:
        blob = self._blob(oid)
        if blob.size > MAX_MANIFEST_BYTES:
            raise BadManifest("the list of files is too large to be merged here")
        return b"".join(async_to_sync(_all)(blob))

    def _store(self, pieces: AsyncIterator[bytes], suffix: str) -> Stored:
        return async_to_sync(_stored)(self.repository, pieces, suffix)


def _merged_table(inputs: dict[str, Path], folder: Path, path: str, key: Iterable[str]) -> Path | list[Conflict[Any]]:
    """The merged table, or its conflicts; a table that cannot be read is one too."""
    out = folder / "out"
    out.mkdir(exist_ok=True)
    try:
        answer = sandbox_job.run(
            "datasets.tables.merging:merge_tables",
            inputs,
            out,
            package="datasets",
            limits=LIMITS,
            beat=lambda _done, _total: None,
            filename=shown(path).rpartition("/")[2],
            key=list(key),
        )
    except Unreadable as error:
        return [Conflict(str(error), None, None, None, "unreadable")]
    except Overrun:
        return [Conflict("The table takes too long to be merged here.", None, None, None, "unreadable")]
    if answer["conflicts_total"]:
        return [_cell_conflict(one) for one in answer["conflicts"][:MOST_NAMED]]
    return out / MERGED


def _cell_conflict(one: dict[str, Any]) -> Conflict[Any]:
    row = ", ".join(f"{name}={value}" for name, value in one["key"].items())
    where = f"row {row}, {one['column']}" if one["column"] else f"row {row}"
    return Conflict(where, one["base"], one["ours"], one["theirs"])


def _outcome(merged: MergedFile) -> Outcome:
    notes = tuple(
        f"Both sides changed the inputs of the stage {each.where}: run dvc repro after the merge."
        for each in merged.needs_repro
    )
    return (
        Outcome(None, _lines(merged.conflicts), notes=notes) if merged.conflicts else Outcome(merged.data, notes=notes)
    )


def _lines(conflicts: Iterable[Conflict[Any]]) -> tuple[str, ...]:
    """Where, and what each side has of it, a line each."""
    found = []
    for conflict in list(conflicts)[:MOST_NAMED]:
        line = shown(str(conflict.where))
        if all(isinstance(side, str | int | float | None) for side in (conflict.base, conflict.ours, conflict.theirs)):
            sides = [f"{name} {_short(side)}" for name, side in (("base", conflict.ours), ("head", conflict.theirs))]
            line += f": {', '.join(sides)}" if conflict.reason == "changed" else ""
        found.append(line[:500])
    return tuple(found)


def _short(value: object) -> str:
    return "removed it" if value is None else f"has {str(value)[:80]!r}"


def _push(pointer: str) -> str:
    """What pushes the objects that a pointer names; of a pipeline's all."""
    return f"dvc push {shlex.quote(shown(pointer))}" if pointer.endswith(".dvc") else "dvc push"


async def _all(blob: Blob) -> list[bytes]:
    return [piece async for piece in intact(blob)]


async def _stored(repository: Repository, pieces: AsyncIterator[bytes], suffix: str) -> Stored:
    made = await object_store().put(pieces)
    async with removal.dropped_over_quota(made):
        key = keys.key_of(made.md5 + suffix)
        await sync_to_async(objects.publish)(repository.pk, keys.BUCKET, key, made)
    return made


async def _once(data: bytes) -> AsyncIterator[bytes]:
    yield data


async def _pieces(path: Path) -> AsyncIterator[bytes]:
    with path.open("rb") as file:  # a small file of our own, in a thread of the page's
        while piece := file.read(_PIECE_BYTES):
            yield piece
