"""Raw ASGI for machine traffic: bodies stream, disconnects are noticed, ORM calls run in a bounded pool.

Django's ASGI handler would copy each body to disk before anyone asked who is calling; so git, DVC, S3, MLflow,
uploads and raw files are handled here (design §3).
"""

from __future__ import annotations

import asyncio
import contextvars
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any, TypeVar
from urllib.parse import parse_qsl

from django.conf import settings
from django.db import close_old_connections

from hub.lib.errors import Invalid, TooLarge, TooSlow
from hub.lib.numbers import whole

T = TypeVar("T")
Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
Headers = Iterable[tuple[str, str]]

IDLE_SECONDS = 60  # for a client that neither sends nor takes a byte while it is its turn
# A body that the hub has waited for this long must have come at this pace; else a byte now and then held a connection.
PATIENT_SECONDS, LEAST_BYTES_A_SECOND = 60, 100
# What every answer carries unless its handler says otherwise: it is never guessed at, never live, never kept.
SAFE_HEADERS = (
    ("x-content-type-options", "nosniff"),
    ("content-security-policy", "sandbox; default-src 'none'; frame-ancestors 'none'"),
    ("cross-origin-resource-policy", "same-origin"),
    ("referrer-policy", "same-origin"),
    ("cache-control", "no-store"),
)
CONFIRM_SECONDS = 5  # a body that took longer is taken only if it still may come
PIECE_BYTES = 1024 * 1024
LINGER_SECONDS = 2
POOL_THREADS = 16
_pool = ThreadPoolExecutor(POOL_THREADS, thread_name_prefix="hub-io")


class ClientGone(Exception):
    """The client hung up; there is nobody to answer. Stop work, release everything."""


async def in_thread(function: Callable[..., T], *args: Any, **kwargs: Any) -> T:
    """Run blocking code (ORM, files, hashing) in the bounded pool, with fresh database connections around it."""
    context = contextvars.copy_context()

    def call() -> T:
        with fresh_connections():
            return context.run(function, *args, **kwargs)

    return await asyncio.get_running_loop().run_in_executor(_pool, call)


@contextmanager
def fresh_connections() -> Iterator[None]:
    """Around a piece of work on a thread that stays: no connection that is too old or broken, before and after."""
    close_old_connections()
    try:
        yield
    finally:
        close_old_connections()


async def pieces_of(path: Path) -> AsyncIterator[bytes]:
    """The bytes of a file, as a stream for a store."""
    file: IO[bytes] = await in_thread(open, path, "rb")
    try:
        while piece := await in_thread(file.read, PIECE_BYTES):
            yield piece
    finally:
        file.close()


class Arriving:
    """A body on its way. The time that the hub takes itself does not count against the client."""

    def __init__(self, receive: Receive) -> None:
        self._receive, self._waited, self._bytes = receive, 0.0, 0

    async def next(self) -> dict[str, Any]:
        """The next message. Raises TooSlow when nothing comes any more, or next to nothing."""
        clock = asyncio.get_running_loop().time
        began = clock()
        try:
            async with asyncio.timeout(IDLE_SECONDS):
                message = await self._receive()
        except TimeoutError as error:
            raise TooSlow(headers={"Connection": "close"}) from error
        self._waited += clock() - began
        self._bytes += len(message.get("body", b""))
        ended = message["type"] == "http.disconnect" or not message.get("more_body", False)
        if not ended and self._waited > PATIENT_SECONDS and self._bytes < self._waited * LEAST_BYTES_A_SECOND:
            raise TooSlow(headers={"Connection": "close"})
        return message


class Request:
    """One raw ASGI request. path is as received (undecoded); header names are lower case."""

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.scope, self._receive, self._send = scope, receive, send
        self._arriving = Arriving(receive)
        self.method: str = scope["method"]
        raw: bytes = scope.get("raw_path") or scope["path"].encode()
        self.path = raw.split(b"?", 1)[0].decode("latin-1")
        self.headers = {k.decode("latin-1").lower(): v.decode("latin-1") for k, v in scope["headers"]}
        self.request_id: str = scope.get("state", {}).get("request_id", "")
        self.started = False
        self.lingering = False
        # Asks the gate again, blocking, at the end of a body that took long; raises what the gate raises.
        self.confirm: Callable[[], object] | None = None
        self._body_asked = False
        self._body_done = False
        self._gone = asyncio.Event()
        self._watch: asyncio.Task[None] | None = None

    @property
    def query(self) -> dict[str, str]:
        pairs = parse_qsl(self.scope.get("query_string", b"").decode("latin-1"), keep_blank_values=True)
        return dict(pairs)

    @property
    def remote_address(self) -> str:
        client = self.scope.get("client")
        return client[0] if client else ""

    # ---- body ----------------------------------------------------------------------------------
    async def body(self, *, limit_bytes: int) -> AsyncIterator[bytes]:
        """The body in pieces, as received. Raises TooLarge past the limit, ClientGone when it is cut short, TooSlow
        when nothing came for IDLE_SECONDS, or next to nothing for longer; after CONFIRM_SECONDS what confirm raises."""
        declared = whole(self.headers.get("content-length", "")) or 0
        if declared > limit_bytes:
            raise TooLarge(f"The body is {declared:,} bytes; this address accepts {limit_bytes:,}.")
        total, clock = 0, asyncio.get_running_loop().time
        began = clock()
        while not self._body_done:
            message = await self._next()
            if message["type"] == "http.disconnect":
                self._gone.set()
                raise ClientGone
            piece: bytes = message.get("body", b"")
            self._body_done = not message.get("more_body", False)
            total += len(piece)
            if total > limit_bytes:
                raise TooLarge(f"The body is larger than the {limit_bytes:,} bytes this address accepts.")
            if piece:
                yield piece
        if self.confirm and clock() - began > CONFIRM_SECONDS:
            await in_thread(self.confirm)

    async def inflated_body(self, *, limit_bytes: int) -> AsyncIterator[bytes]:
        """The body with Content-Encoding gzip undone as a stream; the limit counts inflated bytes."""
        encoding = self.headers.get("content-encoding", "identity").lower()
        if encoding in {"", "identity"}:
            async for piece in self.body(limit_bytes=limit_bytes):
                yield piece
            return
        if encoding not in {"gzip", "x-gzip"}:
            raise Invalid(f"Content-Encoding {encoding!r} is not understood; send gzip or none.")
        inflater, total = zlib.decompressobj(wbits=31), 0
        async for piece in self.body(limit_bytes=limit_bytes):
            pending = piece
            while pending:
                try:
                    out = inflater.decompress(pending, 1 << 20)
                except zlib.error as error:
                    raise Invalid("The gzip body is damaged.") from error
                pending = inflater.unconsumed_tail
                total += len(out)
                if total > limit_bytes:
                    raise TooLarge(f"The body inflates to more than {limit_bytes:,} bytes.")
                if out:
                    yield out
        if not inflater.eof:
            raise Invalid("The gzip body ends too early.")

    async def read(self, *, limit_bytes: int) -> bytes:
        """The whole small body, inflated."""
        return b"".join([piece async for piece in self.inflated_body(limit_bytes=limit_bytes)])

    # ---- answer --------------------------------------------------------------------------------
    async def start(self, status: int, headers: Headers = ()) -> None:
        """Send the status line; from here on the client's leaving is watched when the body was read."""
        self.started = True
        await self._emit({"type": "http.response.start", "status": status, "headers": self._fields(headers)})
        self.watch()

    def watch(self) -> asyncio.Event:
        """gone, watched from now on when the body was read; start() calls this too."""
        if self._body_done and self._watch is None:
            self._watch = asyncio.create_task(self._watch_disconnect())
        return self._gone

    async def write(self, piece: bytes) -> None:
        """Send a piece of the body. Raises ClientGone when nobody is listening."""
        if self._gone.is_set():
            raise ClientGone
        await self._emit({"type": "http.response.body", "body": piece, "more_body": True})

    async def finish(self) -> None:
        if self._watch:
            self._watch.cancel()
        await self._emit({"type": "http.response.body", "body": b"", "more_body": False})

    async def respond(self, status: int, body: bytes = b"", headers: Headers = ()) -> None:
        """A whole small answer at once. lingering: then wait for a client that is still sending: bytes that nobody
        takes reset a connection when it ends, and the client loses its answer."""
        fields = [*headers, ("content-length", str(len(body)))]
        self.started = True
        await self._emit({"type": "http.response.start", "status": status, "headers": self._fields(fields)})
        sent = b"" if self.method == "HEAD" else body
        # One that was not asked for its body may never send it, and is not asked now.
        if self.lingering and not self._body_done and (self._body_asked or "expect" not in self.headers):
            await self._emit({"type": "http.response.body", "body": sent, "more_body": True})
            await self._linger()
            sent = b""
        await self._emit({"type": "http.response.body", "body": sent})

    async def _linger(self) -> None:
        """Take what comes, for a moment; a client that has read its answer hangs up."""
        with suppress(TimeoutError, TooSlow):
            async with asyncio.timeout(LINGER_SECONDS):
                while not self._body_done:
                    message = await self._arriving.next()
                    self._body_done = not message.get("more_body", False)

    async def respond_empty(self, status: int, headers: Headers = ()) -> None:
        """Status and headers alone: 304, and HEAD, whose content-length tells of a body that is not sent."""
        await self.start(status, headers)
        await self.finish()

    @property
    def gone(self) -> asyncio.Event:
        """Set when the client has left (watched from start() on)."""
        return self._gone

    def close(self) -> None:
        if self._watch:
            self._watch.cancel()

    def _fields(self, headers: Headers) -> list[tuple[bytes, bytes]]:
        given = [(name.lower(), value) for name, value in headers]
        names = {name for name, _ in given}
        given += [(name, value) for name, value in SAFE_HEADERS if name not in names]
        if settings.SECURE_HSTS_SECONDS:
            given.append(("strict-transport-security", f"max-age={settings.SECURE_HSTS_SECONDS}"))
        if self.request_id:
            given.append(("x-request-id", self.request_id))
        if not self._body_asked and self.headers.get("expect", "").lower() == "100-continue":
            # The client was never told to go on: it may send the body or not, so nobody knows where the next request
            # begins on this connection.
            given = [*(field for field in given if field[0] != "connection"), ("connection", "close")]
        return [(name.encode("latin-1"), value.encode("latin-1")) for name, value in given]

    async def _next(self) -> dict[str, Any]:
        self._body_asked = True
        return await self._arriving.next()

    async def _emit(self, message: dict[str, Any]) -> None:
        try:
            async with asyncio.timeout(IDLE_SECONDS):
                await self._send(message)
        except OSError as error:  # ASGI 2.4 servers raise when the client is gone; TimeoutError: it takes nothing
            self._gone.set()
            raise ClientGone from error

    async def _watch_disconnect(self) -> None:
        while True:
            message = await self._receive()
            if message["type"] == "http.disconnect":
                self._gone.set()
                return


def media_type(header: str) -> str:
    """The type of a Content-Type header, without its parameters."""
    return header.split(";", 1)[0].strip().lower()
