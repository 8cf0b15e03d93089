"""Objects in a folder of the local disk: written beside their place, hashed, linked into it and made durable there."""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import AsyncIterator, Collection, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from hub.lib.durable import fsync
from hub.lib.objectstore.base import DigestMismatch, ObjectMissing, ObjectStoreError, Stored
from hub.lib.objectstore.digests import PIECE_BYTES, Digests, at_once, pieces, run
from hub.lib.objectstore.folder_parts import FolderParts
from hub.lib.together import Together


class FolderStore(FolderParts):
    """<root>/sha256/<2 hex>/<62 hex>, with <root>/tmp for uploads under way (same file system: rename is atomic)
    and <root>/parts for those that come in parts."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.temporary = root / "tmp"
        self.temporary.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._put_together = Together("objects-small", self._put_all)

    def make_folders(self) -> None:
        """All that are missing, at once: to make one of them durable costs as much as an object."""
        folders = [self.root / "sha256" / f"{number:02x}" for number in range(256)]
        if missing := [folder for folder in folders if not folder.is_dir()]:
            for folder in missing:
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            fsync(self.root / "sha256")
            fsync(self.root)

    async def put(
        self, stream: AsyncIterator[bytes], *, md5s: frozenset[str] = frozenset(), unix_text: bool = False
    ) -> Stored:
        upload, last = _Upload(self, _Wanted(md5s, unix_text)), b""
        try:
            async for piece in pieces(stream):
                if last:
                    await run(upload.write, last)
                last = piece
            if upload.file is None:
                return await self._put_together(_Wanted(md5s, unix_text, last))
            await run(upload.write, last)
            (result,) = await run(_finish, [upload])
            if isinstance(result, Exception):
                raise result
            return result
        except OSError as error:
            raise ObjectStoreError(f"The object folder refused the write: {error.strerror or error}.") from error
        finally:
            if upload.file is not None:
                await run(upload.close)

    def _put_all(self, wanted: Sequence[_Wanted]) -> list[Stored | Exception]:
        """Of one piece each."""
        uploads = [_Upload(self, each) for each in wanted]
        try:
            for upload in uploads:
                upload.write(upload.wanted.data)
            return _finish(uploads)
        finally:
            for upload in uploads:
                upload.close()

    def keep_file(self, path: Path, digests: Digests) -> Stored:
        """The object that a file of this disk is already, by these digests of it; the file keeps its name too."""
        upload = _Upload(self, _Wanted(frozenset(), False), digests)
        try:
            try:
                os.link(path, upload.path)
            except OSError:  # this disk knows no links
                os.replace(path, upload.path)
            upload.file = os.open(upload.path, os.O_RDONLY | os.O_CLOEXEC)
            os.utime(upload.file)  # bytes that no row tells of are told from others by their age
            _finish([upload])
            return upload.stored
        finally:
            upload.close()

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

    def at_hand(self, key: str, size: int) -> bytes | None:
        return self.read_range(key, 0, size) if size <= PIECE_BYTES else None

    def exists(self, key: str) -> bool:
        return self._path(key).is_file()

    def present(self, keys: Collection[str]) -> set[str]:
        return {key for key in keys if self.exists(key)}

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

    def written(self, key: str) -> datetime | None:
        try:
            return datetime.fromtimestamp(self._path(key).stat().st_mtime, UTC)
        except FileNotFoundError:
            return None

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


@dataclass(frozen=True)
class _Wanted:
    """What put() was asked for. data: of an object of one piece."""

    md5s: frozenset[str]
    unix_text: bool
    data: bytes = b""


class _Upload:
    """One temporary file on its way to its place. Every method blocks; they never run at the same time."""

    def __init__(self, store: FolderStore, wanted: _Wanted, digests: Digests | None = None) -> None:
        self.store, self.wanted = store, wanted
        self.digests = digests or Digests(unix_text=wanted.unix_text)
        self.path = store.temporary / secrets.token_hex(16)
        self.file: int | None = None

    def write(self, piece: bytes) -> None:
        if self.file is None:
            self.file = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        self.digests.update(piece)
        view = memoryview(piece)
        while view:
            view = view[os.write(self.file, view) :]

    @property
    def matches(self) -> bool:
        return self.digests.match(self.wanted.md5s)

    @property
    def place(self) -> Path:
        return self.store.root / self.stored.key

    @property
    def stored(self) -> Stored:
        sha256 = self.digests.sha256
        key = f"sha256/{sha256[:2]}/{sha256[2:]}"
        return Stored(key=key, size=self.digests.size, md5=self.digests.md5, sha256=sha256)

    def publish(self) -> None:
        """Bring it to its place. No row tells of it before put() has returned, unless the same bytes are there
        already: those are replaced, since the disk may have damaged them, and only by what is durable."""
        assert self.file is not None
        try:
            os.link(self.path, self.place)
        except OSError:  # they are there, or the first object comes, or this disk knows no links
            self.store.make_folders()
            os.fsync(self.file)
            os.replace(self.path, self.place)

    def fsync(self) -> None:
        assert self.file is not None
        os.fsync(self.file)
        fsync(self.place.parent)

    def close(self) -> None:
        """Nothing is left of it beside its place."""
        if self.file is not None:
            os.close(self.file)
            self.file = None
            self.path.unlink(missing_ok=True)


def _finish(uploads: Sequence[_Upload]) -> list[Stored | Exception]:
    """Verify, publish, make durable; bytes that do not match refuse their own upload only.

    All have their names before the first is made durable: what waits together a disk makes durable together."""
    good = [upload for upload in uploads if upload.matches]
    for upload in good:
        upload.publish()
    at_once(_Upload.fsync, good)
    return [
        upload.stored if upload in good else DigestMismatch(f"The bytes have the md5 {upload.digests.md5}.")
        for upload in uploads
    ]
