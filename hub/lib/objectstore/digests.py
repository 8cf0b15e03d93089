"""Digests of a stream, and the pieces it is cut into."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable, Collection
from concurrent.futures import ThreadPoolExecutor, wait
from typing import Any, TypeVar

from hub.lib import cores

T = TypeVar("T")
R = TypeVar("R")
CRUMB_BYTES = 4096
PIECE_BYTES = 1024 * 1024
INLINE_BYTES = 128 * 1024
THREADS = 16
_pool = ThreadPoolExecutor(THREADS, thread_name_prefix="objects", initializer=cores.use_all)
# What others wait for in the middle of their work must not stand behind sixteen large parts.
_short = ThreadPoolExecutor(8, thread_name_prefix="objects-short", initializer=cores.use_all)


async def run(function: Callable[..., T], *args: Any) -> T:
    """Blocking work in the store's own bounded pool, so that slow disks never hold up the rows' pool."""
    return await asyncio.get_running_loop().run_in_executor(_pool, function, *args)


async def feed(update: Callable[[bytes], object], piece: bytes) -> None:
    """Give a piece to digests; of a short one at once, since a trip to a thread takes longer."""
    if len(piece) <= INLINE_BYTES:
        update(piece)
    else:
        await run(update, piece)


def at_once(function: Callable[[T], R], items: Collection[T]) -> list[R]:
    """Short blocking work on several, at the same time; their results. Raises what one of them raises, after all."""
    if len(items) == 1:  # a trip to a thread costs more than most of what is done here
        return [function(*items)]
    futures = [_short.submit(function, item) for item in items]
    wait(futures)
    return [future.result() for future in futures]


class Digests:
    """md5 and sha256 of a stream fed in pieces of exactly PIECE_BYTES (the last may be shorter).

    md5 False: without md5, which costs more than sha256. unix_text: also the md5 as DVC 2 named text files, with CRLF
    turned to LF in each 1 MiB piece that looks like text. Follows: dvc_data.hashfile.hash.Dos2UnixHashStreamFile.
    """

    def __init__(self, *, md5: bool = True, unix_text: bool = False) -> None:
        self.size = 0
        self._md5 = hashlib.md5(usedforsecurity=False) if md5 else None
        self._sha256 = hashlib.sha256()
        self._unix = hashlib.md5(usedforsecurity=False) if unix_text else None

    def update(self, piece: bytes | bytearray) -> None:
        self.size += len(piece)
        if self._md5:
            self._md5.update(piece)
        self._sha256.update(piece)
        if self._unix:
            self._unix.update(piece.replace(b"\r\n", b"\n") if _looks_like_text(bytes(piece[:512])) else piece)

    @property
    def md5(self) -> str:
        """Nothing when it was not asked for."""
        return self._md5.hexdigest() if self._md5 else ""

    @property
    def sha256(self) -> str:
        return self._sha256.hexdigest()

    def match(self, md5s: frozenset[str]) -> bool:
        """Whether the stream may bear one of these names; none given means any."""
        return not md5s or self.md5 in md5s or (self._unix is not None and self._unix.hexdigest() in md5s)


def _looks_like_text(block: bytes) -> bool:
    """DVC's own rule decides what DVC 2 took for text; imported by the first old client only (a third of a second)."""
    from dvc_data.hashfile.istextfile import istextblock

    return bool(istextblock(block))


async def pieces(stream: AsyncIterator[bytes], size: int = PIECE_BYTES) -> AsyncIterator[bytes]:
    """The same bytes in pieces of exactly this size; the last may be shorter, and an empty stream has none.

    Each byte is copied once at most, and not at all when it comes in such a piece; what comes in crumbs twice, since an
    object for each would take hundreds of times their room."""
    gathered: list[bytearray | memoryview] = []
    missing = size
    async for part in stream:
        if not gathered and len(part) == size:
            yield part
            continue
        rest = memoryview(part)
        while len(rest) >= missing:
            gathered.append(rest[:missing])
            rest = rest[missing:]
            piece = b"".join(gathered)
            gathered, missing = [], size
            yield piece
        missing -= len(rest)
        if len(rest) >= CRUMB_BYTES:
            gathered.append(rest)
        elif gathered and isinstance(gathered[-1], bytearray):
            gathered[-1] += rest
        elif rest:
            gathered.append(bytearray(rest))
    if gathered:
        yield b"".join(gathered)
