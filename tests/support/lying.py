"""A proxy before a real S3 store that passes everything on, but for the lies that a test has told it to tell."""

from __future__ import annotations

import http.client
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

INTERNAL = b"<?xml version='1.0'?><Error><Code>InternalError</Code><Message>no</Message></Error>"
SLOW_DOWN = b"<?xml version='1.0'?><Error><Code>SlowDown</Code><Message>no</Message></Error>"


@dataclass
class Answer:
    """What the proxy is about to say. announced: its content-length, where that is not the truth."""

    status: int
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    announced: int | None = None


@dataclass
class Asked:
    """One request of the hub; ask() passes it on, with another body where one is given."""

    method: str
    path: str
    body: bytes
    ask: Callable[..., Answer]
    over: threading.Event


class LyingStore:
    """A context manager. lie: from what is asked to what is answered; None passes everything on."""

    def __init__(self, behind: dict[str, str]) -> None:
        self.behind = behind
        self.lie: Callable[[Asked], Answer | None] | None = None
        self.asked: list[str] = []
        self._over = threading.Event()
        store, store_of = self, urlsplit(behind["COVEY_S3_ENDPOINT"])

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                store.asked.append(f"{self.command} {self.path}")
                asked = Asked(self.command, self.path, body, self.passed_on, store._over)
                found = store.lie(asked) if store.lie else None
                found = found or self.passed_on(body)
                self.send_response(found.status)
                for name, value in found.headers.items():
                    self.send_header(name, value)
                length = len(found.body) if found.announced is None else found.announced
                self.send_header("Content-Length", str(length))
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(found.body)
                self.close_connection = length != len(found.body) and self.command != "HEAD"

            def passed_on(self, body: bytes) -> Answer:
                link = http.client.HTTPConnection(store_of.netloc, timeout=60)
                link.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
                for name, value in self.headers.items():
                    if name.lower() not in {"connection", "expect", "content-length"}:
                        link.putheader(name, value)
                link.putheader("Content-Length", str(len(body)))
                link.endheaders(body)
                said = link.getresponse()
                kept = {k: v for k, v in said.getheaders() if k.lower() not in {"connection", "transfer-encoding"}}
                length = kept.pop("Content-Length", None)
                data = said.read()
                link.close()
                head = self.command == "HEAD" and length is not None
                return Answer(said.status, kept, data, int(length) if head else None)

            do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = answer

            def handle_one_request(self) -> None:
                with suppress(ConnectionError):  # the hub has seen enough
                    super().handle_one_request()

            def log_message(self, *_: Any) -> None:
                """Silence: pytest shows what matters."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True

    @property
    def settings(self) -> dict[str, str]:
        return {**self.behind, "COVEY_S3_ENDPOINT": f"http://127.0.0.1:{self._server.server_port}"}

    def __enter__(self) -> LyingStore:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._server.shutdown()
        self._server.server_close()
