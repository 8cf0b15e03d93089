"""uvicorn's HTTP protocol with bounds it lacks: how long and how large the head of a request may be.

Without them one client that never ends its headers fills the memory of the hub, and idle sockets stay for ever.
An offer to upgrade is declined, with the body that came along: git's, curl's and Java's clients offer HTTP/2 so.
And its server, which at a stop would end before what it cancels has told its client so.
"""

from __future__ import annotations

import asyncio
import socket
from array import array
from typing import Any

import httptools
import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEAD_BYTES = 64 * 1024  # address and headers together; trailers after a chunked body too
HEAD_SECONDS = 30
_TOO_LARGE = b"431 Request Header Fields Too Large", b"The headers of this request are too long."
_TOO_SLOW = b"408 Request Timeout", b"The request did not arrive in time."
LAST_WORDS_SECONDS = 3


class Server(uvicorn.Server):
    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """The process ends right after this."""
        await super().shutdown(sockets)
        if cancelled := set(self.server_state.tasks):
            await asyncio.wait(cancelled, timeout=LAST_WORDS_SECONDS)


def _declines(parser: httptools.HttpRequestParser) -> bool:
    return parser.should_upgrade() and parser.get_method() != b"CONNECT"


class DecliningParser(httptools.HttpRequestParser):
    """httptools takes every Upgrade for accepted, and what follows, the body too, for another protocol. It is read
    again here without the offer, as RFC 9110, 7.8 lets a server do."""

    def __init__(self, protocol: BoundedProtocol) -> None:
        super().__init__(protocol)
        self.protocol = protocol

    def feed_data(self, data: bytes | bytearray | memoryview[int] | array[int]) -> None:
        parser = self
        while True:
            try:
                httptools.HttpRequestParser.feed_data(parser, data)
                return
            except httptools.HttpParserUpgrade as offered:
                if not _declines(parser):
                    raise
                data = self.protocol.head_without_upgrade() + bytes(data)[offered.args[0] :]
            parser = self.protocol.parser = DecliningParser(self.protocol)  # after `close` the old one takes no more


class BoundedProtocol(HttpToolsProtocol):
    _unspent = 0  # bytes that neither ended a head nor belonged to a body
    _clock: asyncio.TimerHandle | None = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.parser = DecliningParser(self)

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # asyncio itself calls it so
        super().connection_made(transport)
        self._start_clock()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_clock()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._clock is None and (self.cycle is None or self.cycle.response_complete):
            self._start_clock()
        self._unspent += len(data)
        super().data_received(data)
        if self._unspent > HEAD_BYTES:
            self._end(*_TOO_LARGE)

    def on_headers_complete(self) -> None:
        self._stop_clock()
        self._unspent = 0
        if not _declines(self.parser):
            super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        self._unspent = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._unspent = 0
        if not _declines(self.parser):
            super().on_message_complete()

    def head_without_upgrade(self) -> bytes:
        start = b"%s %s HTTP/%s" % (self.parser.get_method(), self.url, self.parser.get_http_version().encode())
        lines = [start]
        for name, value in self.headers:
            if name == b"connection":
                value = b",".join(token for token in value.split(b",") if token.strip().lower() != b"upgrade")
            if name != b"upgrade":
                lines.append(b"%s: %s" % (name, value))
        return b"\r\n".join([*lines, b"", b""])

    def _start_clock(self) -> None:
        self._clock = self.loop.call_later(HEAD_SECONDS, self._end, *_TOO_SLOW)

    def _stop_clock(self) -> None:
        if self._clock is not None:
            self._clock.cancel()
            self._clock = None

    def _end(self, status: bytes, sentence: bytes) -> None:
        """Say why, unless an answer is under way, and hang up."""
        self._stop_clock()
        if self.transport.is_closing():
            return
        if self.cycle is None or self.cycle.response_complete:
            head = [
                b"HTTP/1.1 " + status,
                b"content-type: text/plain; charset=utf-8",
                b"x-content-type-options: nosniff",
            ]
            head += [b"content-length: %d" % (len(sentence) + 1), b"connection: close", b"", sentence + b"\n"]
            self.transport.write(b"\r\n".join(head))
        self.transport.close()
