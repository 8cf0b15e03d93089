"""A version of one file: what a path is at a commit, by immutable ids, and its bytes as a local file."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from asgiref.sync import async_to_sync

from datasets import objects
from datasets.dvc import keys
from datasets.models import Blob
from datasets.storage.intact import intact
from datasets.tracked.contents import DvcSource
from hub.lib.errors import TooLarge
from hub.lib.stores import object_store
from repos.git import cli, read
from repos.models import Repository
from repos.place import store_of

GIT_SECONDS = 600.0


@dataclass(frozen=True)
class Version:
    """identity: "git:<blob id>", or "md5:<md5>" of a DVC object. sha256: of the object's bytes, "" while they are not
    here (or for git). is_dir: a folder of git's, an output or a folder in one. size in bytes, None when unknown."""

    path: str
    identity: str
    size: int | None
    is_dir: bool = False
    sha256: str = ""
    pointer: str = ""

    @property
    def in_git(self) -> bool:
        return self.identity.startswith("git:")

    @property
    def present(self) -> bool:
        return self.in_git or bool(self.sha256)


def version_at(repository: Repository, commit: str, path: str) -> Version | None:
    """What a path ("" is the root) is at a commit; None when nothing is there. Links of git are nothing."""
    entry = read.find_entry(store_of(repository), commit, path)
    if entry is not None and entry.kind == "dir":
        return Version(path, f"git:{entry.oid}", None, is_dir=True)
    if entry is not None and entry.kind == "file":
        size = read.blob_sizes(store_of(repository), [entry.oid]).get(entry.oid)
        return Version(path, f"git:{entry.oid}", size)
    child = DvcSource().find(repository, commit, path) if path and entry is None else None
    if child is None:
        return None
    if child.is_dir:
        return Version(path, f"md5:{child.oid}" if child.oid else "", None, is_dir=True, pointer=child.pointer)
    blob = objects.find(repository.pk, keys.BUCKET, child.key) if child.key else None
    size = blob.size if blob else child.size
    return Version(path, f"md5:{child.oid}", size, sha256=blob.sha256 if blob else "", pointer=child.pointer)


def local_file(repository: Repository, version: Version, made: Path, *, max_bytes: int) -> Path:
    """The bytes of a version on this machine: where they lie, else copied to made.

    Raises TooLarge before reading, and ObjectStoreError.
    """
    if (version.size or 0) > max_bytes:
        limit = max_bytes // 1024**2
        raise TooLarge(f"'{read.shown(version.path)}' is larger than the {limit:,} MiB that are compared here.")
    if version.in_git:
        _copy_from_git(repository, version, made)
        return made
    return blob_file(Blob.objects.get(sha256=version.sha256), made)


def blob_file(blob: Blob, made: Path) -> Path:
    """The bytes of an object on this machine: where the store has them, else copied to made."""
    place = object_store().local(blob.key)
    if place is not None:
        return place
    with open(made, "wb") as out:
        async_to_sync(_copy)(intact(blob), out)  # what is made of them is kept
    return made


def _copy_from_git(repository: Repository, version: Version, made: Path) -> None:
    oid = version.identity.removeprefix("git:")
    arguments = ("cat-file", "blob", oid)
    with open(made, "wb") as out, cli.pieces(store_of(repository), *arguments, timeout_seconds=GIT_SECONDS) as pieces:
        for piece in pieces:
            out.write(piece)


async def _copy(pieces: AsyncIterator[bytes], out: BinaryIO) -> None:
    async for piece in pieces:
        out.write(piece)
