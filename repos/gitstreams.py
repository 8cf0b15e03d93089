"""Between a git child and an HTTP client: slots, time limits, what git is told, and the plain relay of its output."""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator, Awaitable
from typing import IO, TypeVar

from django.conf import settings

from hub.lib.errors import Busy, Invalid, WrongType
from hub.lib.streams import Request, in_thread, media_type
from repos.git import commands, pkt
from repos.git.transfer import Transfer

T = TypeVar("T")
INLINE_BYTES = 64 * 1024
FETCH_REQUEST_BYTES = 64 * 1024**2  # wants and haves; a client with 500,000 refs sends 25 MiB
SILENCE_SECONDS = 1800  # for a git that hangs; while it computes it sends keep-alives every 5 s
QUEUE_SECONDS = 60
MAX_WAITING = 100
# git reads this header's value from its environment: nothing but plain words may pass.
_PROTOCOL = re.compile(r"[a-z0-9=.:_-]{1,100}")
NOT_UNDERSTOOD, TRY_CURRENT_GIT = "git did not understand this request.", "Try again with a current git."
NO_CACHE = [
    ("expires", "Fri, 01 Jan 1980 00:00:00 GMT"),
    ("pragma", "no-cache"),
    ("cache-control", "no-cache, no-store, max-age=0, must-revalidate"),
]


class Slots:
    """At most so many git transfers at once in this process, and a short queue before them."""

    def __init__(self, count: int) -> None:
        self._free, self._waiting = asyncio.Semaphore(count), 0

    @contextlib.asynccontextmanager
    async def take(self) -> AsyncIterator[None]:
        """Raises Busy when the queue is full or this one waited QUEUE_SECONDS in it."""
        busy = Busy("Too many git transfers at the moment. Try again in a minute.", headers={"Retry-After": "30"})
        if self._waiting >= MAX_WAITING:
            raise busy
        self._waiting += 1
        try:
            async with asyncio.timeout(QUEUE_SECONDS):
                await self._free.acquire()
        except TimeoutError as error:
            raise busy from error
        finally:
            self._waiting -= 1
        try:
            yield
        finally:
            self._free.release()


def require_type(request: Request, wanted: str) -> None:
    """Raises WrongType before the body is touched."""
    if media_type(request.headers.get("content-type", "")) != wanted:
        raise WrongType(f"git sends this as {wanted}.")


def protocol_of(request: Request) -> str:
    """The Git-Protocol header, or "" when it is absent or holds anything unusual."""
    value = request.headers.get("git-protocol", "")
    return value if _PROTOCOL.fullmatch(value) else ""


def environment(protocol: str, **config: str) -> dict[str, str]:
    """What a transfer's git is told: the protocol and the limits of a push."""
    limits = {"core.hooksPath": str(commands.HOOKS), "receive.maxInputSize": str(settings.GIT_MAX_PUSH_BYTES)}
    extra = {"GIT_PROTOCOL": protocol} if protocol else {}
    return commands.environment(limits | config, **extra)


async def spool(request: Request, file: IO[bytes]) -> None:
    """Read a whole fetch request into a file and check its form, so that git can never wait for a client."""
    splitter, packets = pkt.Splitter(), 0
    try:
        async for piece in request.inflated_body(limit_bytes=FETCH_REQUEST_BYTES):
            file.write(piece)
            packets += await in_thread(splitter.count, piece) if len(piece) > INLINE_BYTES else splitter.count(piece)
        splitter.end()
    except pkt.BadRequest as error:
        raise not_git(error) from error
    if not packets:
        raise not_git(pkt.BadRequest("the request is empty"))
    file.seek(0)


def not_git(error: pkt.BadRequest) -> Invalid:
    return Invalid(f"This is not what git sends: {error}.", details="A proxy in between must not alter bodies.")


async def relay(request: Request, pieces: AsyncIterator[bytes], content_type: str, *, first: bytes = b"") -> None:
    """Send what git says as the answer; its status line goes out with the first piece."""
    piece = await anext(pieces, b"")
    await request.start(200, [("content-type", content_type), *NO_CACHE])
    if first:
        await request.write(first)
    while piece:
        await request.write(piece)
        piece = await anext(pieces, b"")
    await request.finish()


async def output(git: Transfer) -> AsyncIterator[bytes]:
    """What git says. Raises Invalid when it fails without a word."""
    piece = await patiently(git.stdout.read())
    if not piece and await git.wait() != 0:
        raise Invalid(NOT_UNDERSTOOD, details=TRY_CURRENT_GIT)
    while piece:
        yield piece
        piece = await patiently(git.stdout.read())


async def patiently(reading: Awaitable[T]) -> T:
    """What git says next. Raises Busy when it has been silent for too long."""
    try:
        async with asyncio.timeout(SILENCE_SECONDS):
            return await reading
    except TimeoutError as error:
        raise Busy("git did not answer in time.") from error


@contextlib.asynccontextmanager
async def stopped_when_gone(request: Request, git: Transfer) -> AsyncIterator[None]:
    """Inside the block git is stopped as soon as the client hangs up. The body must have been read."""
    gone = request.watch()

    async def watch() -> None:
        await gone.wait()
        git.stop()

    watching = asyncio.create_task(watch())
    try:
        yield
    finally:
        watching.cancel()
