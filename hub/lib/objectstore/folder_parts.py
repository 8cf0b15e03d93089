"""Parts of objects to come, in the folder <root>/parts/<handle>.

Where all parts but the last have one length, as every client sends them, a part is written to its place in one file,
`whole`, which becomes the object: nothing is copied at the end. That length is told by the first part that comes
(`unit`). A part of another length, or one that comes again, lies in a file of its own, and then the end is a copy.
A place in the whole is taken once (`<number>.place`) and never again: what was acknowledged there stays.
"""

from __future__ import annotations

import hashlib
import os
import re
import secrets
import shutil
import time
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from hub.lib.durable import fsync
from hub.lib.objectstore.base import DigestMismatch, ObjectMissing, ObjectStoreError, Stored, StoredPart
from hub.lib.objectstore.digests import PIECE_BYTES, Digests, pieces, run

KEEP_SECONDS = 8 * 24 * 3600  # a day longer than the rows that tell of them
WHOLE_BYTES = 5 * 1024**4  # no object of S3 is larger, and file systems have their own limits
WHOLE, UNIT, PLACE, JOINED = "whole", "unit", ".place", "joined"
_HANDLE = re.compile(r"[0-9a-f]{32}")


class FolderParts:
    """What FolderStore does with parts. The store gives root, temporary, put and keep_file."""

    root: Path
    temporary: Path
    if TYPE_CHECKING:

        async def put(
            self, stream: AsyncIterator[bytes], *, md5s: frozenset[str] = frozenset(), unix_text: bool = False
        ) -> Stored: ...

        def keep_file(self, path: Path, digests: Digests) -> Stored: ...

    async def begin_parts(self) -> str:
        handle = secrets.token_hex(16)
        await run(self._make, self._folder(handle))
        return handle

    async def put_part(
        self, handle: str, number: int, stream: AsyncIterator[bytes], *, size: int | None = None
    ) -> StoredPart:
        part = await run(self._part, self._folder(handle), number, size)
        try:
            async for piece in pieces(stream):
                await run(part.write, piece)
            return await run(part.finish)
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
        folder = self._folder(handle)
        if not await run(_is_whole, folder, parts):
            return await self.put(self._joined(folder, parts), md5s=md5s, unix_text=unix_text)
        digests = Digests(md5=bool(md5s), unix_text=unix_text)
        try:
            while await run(_digest, folder / JOINED, digests):
                pass
            if not digests.match(md5s):
                raise DigestMismatch(f"The bytes have the md5 {digests.md5}.")
            return await run(self.keep_file, folder / JOINED, digests)
        except OSError as error:
            raise ObjectStoreError(f"The object folder refused the parts: {error.strerror or error}.") from error

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

    def _part(self, folder: Path, number: int, size: int | None) -> _Part:
        unit = self._unit(folder, size) if size else 0
        if size and size <= unit and number * unit <= WHOLE_BYTES:
            with suppress(FileExistsError, FileNotFoundError):  # its place is taken; the upload has ended
                os.close(os.open(folder / f"{number}{PLACE}", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
                return _Placed(folder, number, unit, size)
        return _Apart(folder, number, self.temporary / secrets.token_hex(16))

    def _unit(self, folder: Path, size: int) -> int:
        """The length of all parts but the last, if they have one: of the first to come. 0 when the upload has ended."""
        place = folder / UNIT
        with suppress(FileNotFoundError):
            return int(place.read_text())
        made = self.temporary / secrets.token_hex(16)
        try:
            with made.open("x") as file:
                file.write(str(size))
                file.flush()
                os.fsync(file.fileno())
            os.link(made, place)
        except FileExistsError:
            return int(place.read_text())
        except FileNotFoundError:
            return 0
        except OSError:  # this disk knows no links
            return 0
        finally:
            made.unlink(missing_ok=True)
        return size

    async def _joined(self, folder: Path, parts: Sequence[StoredPart]) -> AsyncIterator[bytes]:
        """The parts one after the other, from where they lie."""
        for part in parts:
            file, start = await run(_open, folder, part)
            try:
                position, end = start, start + part.size
                while piece := await run(os.pread, file, min(PIECE_BYTES, end - position), position):
                    position += len(piece)
                    yield piece
            finally:
                os.close(file)
            if position != end:
                raise ObjectStoreError(f"Part {part.tag} has {position - start} bytes and should have {part.size}.")

    def _folder(self, handle: str) -> Path:
        if not _HANDLE.fullmatch(handle):
            raise ObjectMissing(handle)
        return self.root / "parts" / handle

    @staticmethod
    def _make(folder: Path) -> None:
        folder.mkdir(mode=0o700, parents=True)
        os.close(os.open(folder / WHOLE, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        fsync(folder)
        fsync(folder.parent)
        fsync(folder.parent.parent)


class _Part(ABC):
    """One part on its way. Every method blocks; they never run at the same time. start: its place in the file."""

    def __init__(self, folder: Path, number: int, file: int, start: int, limit: int | None) -> None:
        self.folder, self.number, self.start, self.limit, self.size = folder, number, start, limit, 0
        self.md5 = hashlib.md5(usedforsecurity=False)
        self.file: int | None = file

    def write(self, piece: bytes) -> None:
        assert self.file is not None
        if self.limit is not None and self.size + len(piece) > self.limit:
            raise ObjectStoreError("A part is longer than it was announced.")  # the next place is another's
        self.md5.update(piece)
        view = memoryview(piece)
        while view:
            written = os.pwrite(self.file, view, self.start + self.size)
            self.size += written
            view = view[written:]

    def finish(self) -> StoredPart:
        """Make it durable under its tag."""
        assert self.file is not None
        try:
            os.fsync(self.file)
            tag = self._publish(self.md5.hexdigest())
            fsync(self.folder)
            return StoredPart(self.number, self.size, self.md5.hexdigest(), tag)
        except FileNotFoundError as error:
            raise ObjectMissing(self.folder.name) from error
        finally:
            self.close()

    @abstractmethod
    def _publish(self, md5: str) -> str:
        """Its tag, once the part has it."""

    def close(self) -> None:
        if self.file is not None:
            os.close(self.file)
            self.file = None


class _Apart(_Part):
    """In a file of its own, first a temporary one."""

    def __init__(self, folder: Path, number: int, path: Path) -> None:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        super().__init__(folder, number, os.open(path, flags, 0o600), 0, None)
        self.path = path

    def _publish(self, md5: str) -> str:
        tag = f"{self.number}-{md5}"
        os.replace(self.path, self.folder / tag)
        return tag

    def close(self) -> None:
        super().close()
        self.path.unlink(missing_ok=True)


class _Placed(_Part):
    """In its place of the whole, which is its own. Raises FileNotFoundError when that was joined meanwhile."""

    def __init__(self, folder: Path, number: int, unit: int, size: int) -> None:
        self.unit = unit
        file = os.open(folder / WHOLE, os.O_WRONLY | os.O_CLOEXEC)
        super().__init__(folder, number, file, (number - 1) * unit, size)

    def _publish(self, md5: str) -> str:
        return f"@{self.unit}-{md5}"


def _unit_of(part: StoredPart) -> int:
    """0 for a part that lies apart."""
    return int(part.tag[1:].partition("-")[0]) if part.tag.startswith("@") else 0


def _open(folder: Path, part: StoredPart) -> tuple[int, int]:
    """(file, where in it the part begins)"""
    unit = _unit_of(part)
    for name in (WHOLE, JOINED) if unit else (part.tag,):
        with suppress(FileNotFoundError):
            return os.open(folder / name, os.O_RDONLY | os.O_CLOEXEC), (part.number - 1) * unit
    raise ObjectMissing(str(folder / part.tag))


def _is_whole(folder: Path, parts: Sequence[StoredPart]) -> bool:
    """Whether these parts, and nothing else, are the whole; it is `joined` then, and nobody writes to it any more.

    Whoever writes to the whole has taken a place first: so once it has its other name, the places that are taken are
    all that anybody may still write to."""
    unit, last = _unit_of(parts[0]), len(parts)
    ends = [(part.number - 1) * unit + part.size for part in parts]
    if not unit or any(_unit_of(part) != unit for part in parts) or ends[:-1] != [unit * n for n in range(1, last)]:
        return False
    if parts[-1].number != last:
        return False
    with suppress(FileNotFoundError):
        os.rename(folder / WHOLE, folder / JOINED)
    try:
        taken = {int(entry.name.removesuffix(PLACE)) for entry in os.scandir(folder) if entry.name.endswith(PLACE)}
        return max(taken) == last and (folder / JOINED).stat().st_size == ends[-1]
    except FileNotFoundError as error:
        raise ObjectMissing(str(folder)) from error


def _digest(path: Path, digests: Digests) -> bool:
    """Go on with the digests of a file for a while; False at its end. Short, since a hub that ends waits for it."""
    with path.open("rb", buffering=0) as file:
        file.seek(digests.size)
        for _ in range(64):
            if not (piece := file.read(PIECE_BYTES)):
                return False
            digests.update(piece)
    return True
