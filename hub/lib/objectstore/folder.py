"""Objects in a folder of the local disk: written beside their place, hashed, made durable, then renamed into it."""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from pathlib import Path

from hub.lib.objectstore.base import DigestMismatch, ObjectMissing, ObjectStoreError, Stored
from hub.lib.objectstore.digests import PIECE_BYTES, Digests, pieces, run
from hub.lib.objectstore.folder_parts import FolderParts, fsync_folder


class FolderStore(FolderParts):
    """<root>/sha256/<2 hex>/<62 hex>, with <root>/tmp for uploads under way (same file system: rename is atomic)
    and <root>/parts for those that come in parts."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.temporary = root / "tmp"
        self.temporary.mkdir(mode=0o700, parents=True, exist_ok=True)

    async def put(
        self, stream: AsyncIterator[bytes], *, md5s: frozenset[str] = frozenset(), unix_text: bool = False
    ) -> Stored:
        upload = _Upload(self, Digests(unix_text=unix_text), md5s)
        previous = b""
        try:
            async for piece in pieces(stream):
                if previous:
                    await run(upload.write, previous)
                previous = piece
            # The last piece and the rename share one trip to a thread: most objects are that small.
            return await run(upload.finish, previous)
        except OSError as error:
            raise ObjectStoreError(f"The object folder refused the write: {error.strerror or error}.") from error
        finally:
            if not upload.closed:
                await run(upload.abandon)

    async def get(self, key: str, start: int = 0, end: int | None = None) -> AsyncIterator[bytes]:
        # Opening and the first piece share one trip to a thread: most objects are that small.
        file, first = await run(self._begin, key, start, end)
        try:
            position, stop = start + len(first), os.fstat(file).st_size if end is None else end
            if first:
                yield first
            while position < stop:
                piece = await run(os.pread, file, min(PIECE_BYTES, stop - position), position)
                if not piece:
                    raise ObjectStoreError(f"Object {key} ends at {position} and should reach {stop}.")
                position += len(piece)
                yield piece
        finally:
            os.close(file)

    def head(self, key: str, limit: int) -> bytes:
        file = self._open(key)
        try:
            return os.pread(file, limit, 0)
        finally:
            os.close(file)

    def read_range(self, key: str, start: int, end: int) -> bytes:
        file = self._open(key)
        try:
            data = os.pread(file, end - start, start)
        finally:
            os.close(file)
        if len(data) != end - start:
            raise ObjectStoreError(f"Object {key} gave {len(data)} bytes instead of {end - start}.")
        return data

    def exists(self, key: str) -> bool:
        return self._path(key).is_file()

    def local(self, key: str) -> Path | None:
        path = self._path(key)
        if not path.is_file():
            raise ObjectMissing(key)
        return path

    def delete(self, key: str) -> None:
        self._path(key).unlink(missing_ok=True)

    def list(self, prefix: str = "") -> Iterator[tuple[str, int]]:
        base = self.root / "sha256"
        for shard in sorted(base.iterdir()) if base.is_dir() else ():
            if not f"sha256/{shard.name}/".startswith(prefix[:10]):
                continue
            for entry in sorted(os.scandir(shard), key=lambda e: e.name):
                key = f"sha256/{shard.name}/{entry.name}"
                if key.startswith(prefix):
                    yield key, entry.stat().st_size

    def sweep(self, *, older_than_seconds: float = 3600) -> int:
        """Temporary files untouched for this long; a slow upload still touches its own."""
        limit, swept = time.time() - older_than_seconds, 0
        for entry in os.scandir(self.temporary):
            with suppress(FileNotFoundError):
                if entry.stat().st_mtime < limit:
                    os.unlink(entry.path)
                    swept += 1
        return swept + self.sweep_parts()

    def check(self) -> None:
        path = self.temporary / f"check-{secrets.token_hex(8)}"
        try:
            path.write_bytes(b"covey")
            path.unlink()
        except OSError as error:
            raise ObjectStoreError(f"The object folder {self.root} cannot be written: {error.strerror}.") from error

    def presigned_url(self, key: str, *, seconds: int, filename: str = "") -> str | None:
        return None

    def _path(self, key: str) -> Path:
        """Keys are made here and kept in rows, never taken from a client; still, none may lead out of the root."""
        area, _, rest = key.partition("/")
        if area != "sha256" or not rest.replace("/", "").isalnum() or ".." in key:
            raise ObjectMissing(key)
        return self.root / key

    def _begin(self, key: str, start: int, end: int | None) -> tuple[int, bytes]:
        file = self._open(key)
        try:
            return file, os.pread(file, PIECE_BYTES if end is None else min(PIECE_BYTES, end - start), start)
        except OSError:
            os.close(file)
            raise

    def _open(self, key: str) -> int:
        try:
            return os.open(self._path(key), os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError as error:
            raise ObjectMissing(key) from error


class _Upload:
    """One temporary file on its way to its place. Every method blocks; they never run at the same time."""

    def __init__(self, store: FolderStore, digests: Digests, md5s: frozenset[str]) -> None:
        self.store, self.digests, self.md5s = store, digests, md5s
        self.path = store.temporary / secrets.token_hex(16)
        self.file: int | None = None
        self.closed = False

    def write(self, piece: bytes) -> None:
        if self.file is None:
            self.file = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        self.digests.update(piece)
        view = memoryview(piece)
        while view:
            view = view[os.write(self.file, view) :]

    def finish(self, last: bytes) -> Stored:
        """Verify, make durable, publish. Raises DigestMismatch and removes the file."""
        try:
            self.write(last)
            if not self.digests.match(self.md5s):
                raise DigestMismatch(f"The bytes have the md5 {self.digests.md5}.")
            assert self.file is not None
            os.fsync(self.file)
            sha256 = self.digests.sha256
            key = f"sha256/{sha256[:2]}/{sha256[2:]}"
            self._publish(self.store.root / key)
            return Stored(key=key, size=self.digests.size, md5=self.digests.md5, sha256=sha256)
        finally:
            self.abandon()

    def abandon(self) -> None:
        self.closed = True
        if self.file is not None:
            os.close(self.file)
            self.file = None
            self.path.unlink(missing_ok=True)

    def _publish(self, place: Path) -> None:
        """An older copy of the same bytes is replaced: that mends one the disk has damaged."""
        if not place.parent.is_dir():
            place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            fsync_folder(place.parent.parent)
            fsync_folder(self.store.root)
        os.replace(self.path, place)
        fsync_folder(place.parent)
