"""Artifacts as streams: PUT and GET of mlflow-artifacts with constant memory, durable before the answer.

MLflow's own handlers spool a whole file and do not fsync. Layout and names are MLflow's, so everything else of it
(listing, the UI, the registry) reads the same files: <destination>/workspaces/r<repository id>/<experiment>/<run>/….
"""

from __future__ import annotations

import heapq
import os
import shutil
import stat
import time
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol
from urllib.parse import quote
from uuid import uuid4

from django.conf import settings

from experiments.mlflow import rules
from experiments.mlflow.context import workspace_of
from experiments.mlflow.responses import artifact_headers
from experiments.tracked import marks
from hub.lib.durable import fsync
from hub.lib.errors import Conflict, Invalid, NotFound, OutOfSpace, Upstream, says_disk_full
from hub.lib.streams import in_thread
from repos.surface import Call

ARTIFACT_LIMIT_BYTES = 50 * 1024**3
PIECE_BYTES = 1024 * 1024
ROUTE = "mlflow-artifacts/artifacts/"


@dataclass(frozen=True)
class Status:
    """Of one artifact. etag: changes with its bytes."""

    size: int
    etag: str


@dataclass(frozen=True)
class Item:
    """One name in a folder of artifacts. size: of a file, None for a folder."""

    name: str
    size: int | None

    @property
    def is_dir(self) -> bool:
        return self.size is None

    @property
    def cursor(self) -> str:
        """Where a listing goes on after it."""
        return f"{self.name}/" if self.is_dir else self.name


class Destination(Protocol):
    async def put(self, path: str, stream: AsyncIterator[bytes]) -> None:
        """Store under a clean path; visible whole or not at all, on disk when this returns."""
        ...

    async def open(self, path: str) -> tuple[int, AsyncIterator[bytes]]:
        """(size in bytes, pieces). Raises NotFound."""
        ...

    def listing(self, prefix: str, limit: int) -> list[tuple[str, int]]:
        """(path below the prefix, size) of the first files, by path; blocking."""
        ...

    def level(self, folder: str, *, after: str, limit: int) -> list[Item]:
        """The first names in a folder that follow `after` (a cursor, "" for all), in the order of the store; none for
        what is no folder; blocking."""
        ...

    def status(self, path: str) -> Status:
        """Blocking. Raises NotFound."""
        ...

    def part(self, path: str, start: int, end: int) -> bytes:
        """Bytes start to end (exclusive); blocking. Raises NotFound."""
        ...

    def pieces(self, path: str, start: int, end: int) -> AsyncIterator[bytes]:
        """The same as a stream."""
        ...

    def workspaces(self) -> set[str]:
        """Those that have artifacts; blocking."""
        ...

    def remove_some(self, prefix: str, most: int) -> tuple[int, int]:
        """Remove up to `most` files below a prefix; (files, bytes) that went, (0, 0) when none is left; blocking."""
        ...

    def sweep(self, *, older_than_seconds: float = 3600) -> int:
        """Remove what uploads that died have left behind; how many there were; blocking."""
        ...


async def upload(call: Call) -> None:
    path = path_of(call)
    if path.startswith(f"workspaces/{workspace_of(call.repository.pk)}/{marks.EXPERIMENT}/"):
        raise Invalid("This run is made from a commit; its files are in git and DVC.")
    await destination().put(path, call.request.inflated_body(limit_bytes=ARTIFACT_LIMIT_BYTES))
    await call.request.respond(200)


async def download(call: Call) -> None:
    path = path_of(call)
    size, pieces = await destination().open(path)
    await send_file(call, path.rsplit("/", 1)[-1], size, pieces)


async def send_file(call: Call, filename: str, size: int, pieces: AsyncIterator[bytes]) -> None:
    """An attachment under a sandbox policy, piece by piece."""
    request = call.request
    async for _ in request.body(limit_bytes=0):
        pass  # a GET has no body; reading its end lets the client's leaving be noticed
    disposition = f"attachment; filename*=UTF-8''{quote(filename, safe='')}"
    await request.start(200, [*artifact_headers(disposition), ("content-length", str(size))])
    if request.method != "HEAD":
        async for piece in pieces:
            await request.write(piece)
    await request.finish()


def path_of(call: Call) -> str:
    """Where this request's artifact lives: always below the workspace of the repository."""
    wanted = rules.clean_path(call.rest).split(ROUTE, 1)[1]
    return scoped(call.repository.pk, wanted)


def scoped(repository_id: int, wanted: str) -> str:
    """Clients name `workspaces/<theirs>/…` or a path inside it. Raises NotFound for another's workspace."""
    workspace = workspace_of(repository_id)
    if wanted.endswith("/"):
        raise Invalid("An artifact's path ends with its file name, not with '/'.")
    first, _, rest = wanted.partition("/")
    if first != "workspaces":
        return f"workspaces/{workspace}/{wanted}"
    theirs, _, inside = rest.partition("/")
    if theirs != workspace or not inside:
        raise NotFound()
    return wanted


def destination() -> Destination:
    if settings.COVEY_S3_ENDPOINT:
        from experiments.mlflow.s3_artifacts import Bucket

        return Bucket()
    return Folder(settings.COVEY_HOME / "artifacts")


class Folder:
    """A folder on local disk."""

    def __init__(self, root: Path) -> None:
        self.root = root

    async def put(self, path: str, stream: AsyncIterator[bytes]) -> None:
        await in_thread(self._ready)
        temporary = self.root / ".incoming" / uuid4().hex
        try:
            with open(temporary, "xb") as file:  # noqa: ASYNC230  opening is quick; the writes below go to a thread
                async for piece in joined(stream, PIECE_BYTES):
                    await in_thread(file.write, piece)
                await in_thread(_sync, file.fileno())
            await in_thread(self._publish, temporary, self.root / path)
        finally:
            temporary.unlink(missing_ok=True)

    async def open(self, path: str) -> tuple[int, AsyncIterator[bytes]]:
        size = await in_thread(self._size, self.root / path)
        return size, self.pieces(path, 0, size)

    def listing(self, prefix: str, limit: int) -> list[tuple[str, int]]:
        found: list[tuple[str, int]] = []
        base = self.root / prefix
        for folder, folders, names in os.walk(base):
            folders.sort()
            for name in sorted(names):
                file = Path(folder, name)
                found.append((file.relative_to(base).as_posix(), file.stat().st_size))
                if len(found) == limit:
                    return sorted(found)
        return sorted(found)

    def level(self, folder: str, *, after: str, limit: int) -> list[Item]:
        try:
            with os.scandir(self.root / folder) as entries:
                cursors = (f"{entry.name}/" if entry.is_dir() else entry.name for entry in entries)
                rest = (cursor for cursor in cursors if os.fsencode(cursor) > os.fsencode(after))
                first = heapq.nsmallest(limit, rest, key=os.fsencode)
        except OSError:  # absent, or a file
            return []
        return [
            Item(cursor[:-1], None)
            if cursor.endswith("/")
            else Item(cursor, (self.root / folder / cursor).stat().st_size)
            for cursor in first
        ]

    def status(self, path: str) -> Status:
        found = self._status(self.root / path)
        return Status(found.st_size, f"{found.st_ino:x}-{found.st_mtime_ns:x}-{found.st_size:x}")

    def part(self, path: str, start: int, end: int) -> bytes:
        file = self.root / path
        self._size(file)
        with open(file, "rb") as handle:
            handle.seek(start)
            return handle.read(end - start)

    async def pieces(self, path: str, start: int, end: int) -> AsyncIterator[bytes]:
        with open(self.root / path, "rb") as handle:  # noqa: ASYNC230  # as above
            handle.seek(start)
            while start < end and (piece := await in_thread(handle.read, min(PIECE_BYTES, end - start))):
                start += len(piece)
                yield piece

    def workspaces(self) -> set[str]:
        place = self.root / "workspaces"
        return {entry.name for entry in place.iterdir()} if place.is_dir() else set()

    def remove_some(self, prefix: str, most: int) -> tuple[int, int]:
        count = freed = 0
        for folder, _, names in os.walk(self.root / prefix, topdown=False):
            for name in names:
                if count == most:
                    return count, freed
                with suppress(FileNotFoundError):  # another worker was quicker
                    size = Path(folder, name).stat().st_size
                    Path(folder, name).unlink()
                    count, freed = count + 1, freed + size
        with suppress(FileNotFoundError):
            shutil.rmtree(self.root / prefix)  # folders only, by now
        return count, freed

    def sweep(self, *, older_than_seconds: float = 3600) -> int:
        """Temporary files untouched for this long; a slow upload still touches its own."""
        limit, swept = time.time() - older_than_seconds, 0
        for path in (self.root / ".incoming").glob("*"):
            with suppress(FileNotFoundError):
                if path.stat().st_mtime < limit:
                    path.unlink()
                    swept += 1
        return swept

    def _size(self, file: Path) -> int:
        return self._status(file).st_size

    def _status(self, file: Path) -> os.stat_result:
        try:
            status = file.stat()
        except OSError as error:  # absent, a file where a folder is needed, or a name too long to exist
            raise NotFound(f"There is no artifact {file.name!r}.") from error
        if not stat.S_ISREG(status.st_mode):
            raise Invalid(f"{file.name!r} is a folder of artifacts, not a file.")
        return status

    def _ready(self) -> None:
        (self.root / ".incoming").mkdir(mode=0o700, parents=True, exist_ok=True)

    def _publish(self, temporary: Path, final: Path) -> None:
        """Rename into place; every folder made on the way is on disk too."""
        try:
            made = [parent for parent in final.parents if not parent.exists()]
            final.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            os.replace(temporary, final)
        except (IsADirectoryError, NotADirectoryError, FileExistsError) as error:
            raise Conflict(f"{final.name!r} is both a file and a folder of artifacts. Choose another name.") from error
        except OSError as error:
            if error.errno in {36, 63}:  # ENAMETOOLONG on Linux and macOS
                raise Invalid("The artifact's path is too long for the disk.") from error
            if says_disk_full(error):
                raise OutOfSpace() from error
            raise Upstream("The artifact could not be stored.", details="Run `covey doctor` on the hub.") from error
        for folder in {final.parent, *(parent.parent for parent in made)}:
            fsync(folder)


def _sync(handle: int) -> None:
    os.fsync(handle)


async def joined(stream: AsyncIterator[bytes], size_bytes: int) -> AsyncIterator[bytes]:
    """The same bytes in pieces of at least this size (the last may be smaller)."""
    waiting: list[bytes] = []
    size = 0
    async for piece in stream:
        waiting.append(piece)
        size += len(piece)
        if size >= size_bytes:
            yield b"".join(waiting)
            waiting, size = [], 0
    if waiting:
        yield b"".join(waiting)
