"""Parts of objects to come, in the folder: <root>/parts/<handle>/<number>-<md5>, joined by one more copy."""

from __future__ import annotations

import hashlib
import os
import re
import secrets
import shutil
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from hub.lib.objectstore.base import ObjectMissing, ObjectStoreError, Stored, StoredPart
from hub.lib.objectstore.digests import PIECE_BYTES, pieces, run

KEEP_SECONDS = 8 * 24 * 3600  # a day longer than the rows that tell of them
_HANDLE = re.compile(r"[0-9a-f]{32}")


class FolderParts:
    """What FolderStore does with parts. The store gives root, temporary and put."""

    root: Path
    temporary: Path
    if TYPE_CHECKING:

        async def put(
            self, stream: AsyncIterator[bytes], *, md5s: frozenset[str] = frozenset(), unix_text: bool = False
        ) -> Stored: ...

    async def begin_parts(self) -> str:
        handle = secrets.token_hex(16)
        await run(self._make, self._folder(handle))
        return handle

    async def put_part(self, handle: str, number: int, stream: AsyncIterator[bytes]) -> StoredPart:
        part = await run(_PartFile, self.temporary / secrets.token_hex(16))
        try:
            async for piece in pieces(stream):
                await run(part.write, piece)
            return await run(part.finish, self._folder(handle), number)
        except OSError as error:
            raise ObjectStoreError(f"The object folder refused the write: {error.strerror or error}.") from error
        finally:
            if part.file is not None:
                await run(part.close)

    async def join_parts(
        self,
        handle: str,
        parts: Sequence[StoredPart],
        *,
        md5s: frozenset[str] = frozenset(),
        unix_text: bool = False,
    ) -> Stored:
        return await self.put(self._joined(handle, parts), md5s=md5s, unix_text=unix_text)

    async def forget_parts(self, handle: str) -> None:
        await run(lambda: shutil.rmtree(self._folder(handle), ignore_errors=True))

    drop_parts = forget_parts

    def sweep_parts(self, *, older_than_seconds: float = KEEP_SECONDS) -> int:
        """Folders that no part has come to for this long."""
        limit, swept = time.time() - older_than_seconds, 0
        with suppress(FileNotFoundError):
            for entry in os.scandir(self.root / "parts"):
                if entry.stat().st_mtime < limit:
                    shutil.rmtree(entry.path, ignore_errors=True)
                    swept += 1
        return swept

    async def _joined(self, handle: str, parts: Sequence[StoredPart]) -> AsyncIterator[bytes]:
        for part in parts:
            path = self._folder(handle) / part.tag
            try:
                file = await run(os.open, path, os.O_RDONLY | os.O_CLOEXEC)
            except FileNotFoundError as error:
                raise ObjectMissing(str(path)) from error
            try:
                position = 0
                while piece := await run(os.pread, file, PIECE_BYTES, position):
                    position += len(piece)
                    yield piece
            finally:
                os.close(file)
            if position != part.size:
                raise ObjectStoreError(f"Part {path} has {position} bytes and should have {part.size}.")

    def _folder(self, handle: str) -> Path:
        if not _HANDLE.fullmatch(handle):
            raise ObjectMissing(handle)
        return self.root / "parts" / handle

    @staticmethod
    def _make(folder: Path) -> None:
        folder.mkdir(mode=0o700, parents=True)
        fsync_folder(folder.parent)
        fsync_folder(folder.parent.parent)


class _PartFile:
    """One temporary file on its way to its place. Every method blocks; they never run at the same time."""

    def __init__(self, path: Path) -> None:
        self.path, self.size = path, 0
        self.md5 = hashlib.md5(usedforsecurity=False)
        self.file: int | None = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)

    def write(self, piece: bytes) -> None:
        assert self.file is not None
        self.size += len(piece)
        self.md5.update(piece)
        view = memoryview(piece)
        while view:
            view = view[os.write(self.file, view) :]

    def finish(self, folder: Path, number: int) -> StoredPart:
        assert self.file is not None
        try:
            os.fsync(self.file)
            tag = f"{number}-{self.md5.hexdigest()}"
            try:
                os.replace(self.path, folder / tag)
                fsync_folder(folder)
            except FileNotFoundError as error:
                raise ObjectMissing(folder.name) from error
            return StoredPart(number, self.size, self.md5.hexdigest(), tag)
        finally:
            self.close()

    def close(self) -> None:
        if self.file is not None:
            os.close(self.file)
            self.file = None
            self.path.unlink(missing_ok=True)


def fsync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
