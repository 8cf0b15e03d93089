"""What merging data takes, whether by itself or by what people chose: objects read, tables merged, results stored."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from asgiref.sync import async_to_sync, sync_to_async

from datasets import formats, objects
from datasets.dvc import keys, pointers
from datasets.dvc.foldermerging import Folder
from datasets.dvc.manifests import BadManifest
from datasets.dvc.merging import Directory
from datasets.models import Blob
from datasets.storage import removal
from datasets.storage.intact import intact
from datasets.tables.names import MERGED
from datasets.tracked.declared_keys import declared_key
from datasets.tracked.versions import blob_file
from hub.lib import sandbox_job
from hub.lib.objectstore import Stored
from hub.lib.sandbox_job import Beat, Limits
from hub.lib.stores import object_store
from repos.git.read import shown, typed
from repos.models import Repository
from repos.pulls.drivers import Sides

MAX_MANIFEST_BYTES = 128 * 1024**2  # of each side: about a million files
MAX_TABLE_BYTES = 64 * 1024**2  # of each side
_PIECE_BYTES = 1024 * 1024


class NotHere(Exception):
    """An object that has to be pushed first."""


class Work:
    """One file of one merge."""

    def __init__(self, repository: Repository, sides: Sides) -> None:
        self.repository, self.sides = repository, sides
        self.folder = sides.path.rpartition("/")[0]

    def path_of(self, path: str) -> str:
        """From the root, of a path as the pointer has it; "" when it leads out."""
        return pointers.clean("/".join(filter(None, [self.folder, path]))) or ""

    def key_of(self, path: str) -> tuple[str, ...]:
        """The columns that name a row of the table at a path from the root; () when it is none, or has no key."""
        return declared_key(self.repository, self.sides.commit, path) if path and formats.is_table(path) else ()

    def manifests(self, base: str, ours: str, theirs: str) -> tuple[bytes | None, bytes, bytes]:
        """The lists of files of three versions of a folder; base "" for none."""
        return self._bytes(base) if base else None, self._bytes(ours), self._bytes(theirs)

    def tables(self, folder: Path, *oids: str) -> dict[str, Path] | None:
        """The files of base ("" for none), ours and theirs; None when one is too large."""
        blobs = {side: self._blob(oid) for side, oid in zip(("base", "ours", "theirs"), oids, strict=True) if oid}
        if max(blob.size for blob in blobs.values()) > MAX_TABLE_BYTES:
            return None
        return {side: blob_file(blob, folder / f"in-{side}") for side, blob in blobs.items()}

    def own_tables(self, folder: Path) -> dict[str, Path] | None:
        """The same of a table that git keeps."""
        sides = {"base": self.sides.base, "ours": self.sides.ours, "theirs": self.sides.theirs}
        inputs = {}
        for side, data in sides.items():
            if data is not None:
                inputs[side] = folder / f"in-{side}"
                inputs[side].write_bytes(data)
        return None if max(len(self.sides.ours), len(self.sides.theirs)) > MAX_TABLE_BYTES else inputs

    def directory_of(self, merged: Folder, *, keep: bool) -> Directory:
        """Raises NotHere when the repository lacks files that are listed. keep: store the list."""
        md5s = merged.md5s()
        sizes = self._sizes(list(dict.fromkeys(map(keys.key_of, md5s))))
        if lost := [md5 for md5 in md5s if keys.key_of(md5) not in sizes]:
            raise NotHere(f"{len(lost)} files of the folder, e.g. {lost[0]}")
        if keep:
            self.store(_once(merged.data), ".dir")
        return Directory(merged.oid, sum(sizes[keys.key_of(md5)] for md5 in md5s), len(md5s))

    def file_of(self, made: Path, *, keep: bool) -> Directory:
        stored = self.store(_pieces(made), "") if keep else None
        return Directory(stored.md5 if stored else "0" * 32, made.stat().st_size, None)

    def store(self, pieces: AsyncIterator[bytes], suffix: str) -> Stored:
        return async_to_sync(_stored)(self.repository, pieces, suffix)

    def _blob(self, oid: str) -> Blob:
        for repository in filter(None, (self.repository, self.sides.lender)):
            if blob := objects.find(repository.pk, keys.BUCKET, keys.key_of(oid)):
                return blob
        raise NotHere(oid)

    def _sizes(self, names: Sequence[str]) -> dict[str, int]:
        found = objects.sizes(self.repository.pk, keys.BUCKET, names)
        lender, lost = self.sides.lender, [name for name in names if name not in found]
        return found | objects.sizes(lender.pk, keys.BUCKET, lost) if lender and lost else found

    def _bytes(self, oid: str) -> bytes:
        blob = self._blob(oid)
        if blob.size > MAX_MANIFEST_BYTES:
            raise BadManifest("the list of files is too large to be merged here")
        return b"".join(async_to_sync(_all)(blob))


def merge_tables(
    inputs: Mapping[str, Path], folder: Path, path: str, key: Sequence[str], *, limits: Limits, beat: Beat
) -> dict[str, Any]:
    """The answer of datasets.tables.merging.merge_tables, whose files are then in folder/out. Raises Unreadable,
    Overrun."""
    out = folder / "out"
    out.mkdir(exist_ok=True)
    answer: dict[str, Any] = sandbox_job.run(
        "datasets.tables.merging:merge_tables",
        inputs,
        out,
        package="datasets",
        limits=limits,
        beat=beat,
        filename=shown(path).rpartition("/")[2],
        key=list(key),
    )
    return answer


def made_in(folder: Path) -> Path:
    return folder / "out" / MERGED


def push(pointer: str) -> str:
    """What pushes the objects that a pointer names; of a pipeline's all."""
    return f"dvc push {typed(pointer)}" if pointer.endswith(".dvc") else "dvc push"


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
