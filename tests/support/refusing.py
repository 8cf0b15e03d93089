"""An S3 server that takes no bytes: what MinIO, Ceph and others answer when they have no room, or no mind to."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class RefusingStore:
    """A context manager; settings point a hub at it. Every request is answered by one S3 error."""

    def __init__(self, status: int, code: str) -> None:
        body = f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>no</Message></Error>".encode()

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self) -> None:
                self.rfile.read(int(self.headers.get("Content-Length", 0)))
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            do_GET = do_PUT = do_POST = do_DELETE = answer

            def log_message(self, *_: Any) -> None:
                """Silence: pytest shows what matters."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)

    @property
    def settings(self) -> dict[str, str]:
        return {
            "COVEY_S3_ENDPOINT": f"http://127.0.0.1:{self._server.server_port}",
            "COVEY_S3_BUCKET": "hub",
            "COVEY_S3_ACCESS_KEY": "key",
            "COVEY_S3_SECRET_KEY": "secret",
        }

    def __enter__(self) -> RefusingStore:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
