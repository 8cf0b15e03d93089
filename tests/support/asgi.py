"""Drive hub.asgi.application in process: a body in pieces, an answer as it was sent, a client that hangs up."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import chain
from typing import Any


@dataclass
class Answer:
    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    complete: bool = False

    @property
    def text(self) -> str:
        return self.body.decode()


def basic(token: str) -> dict[str, str]:
    return {"authorization": "Basic " + base64.b64encode(f"any:{token}".encode()).decode()}


async def exchange(
    method: str,
    path: str,
    *,
    headers: dict[str, str] | None = None,
    body: Iterable[bytes] = (),
    cut: bool = False,
    hang_up_after: int | None = None,
) -> Answer:
    """One request. path may hold a query. body: a piece is asked for when the hub asks for it. cut: the client leaves
    before the body ends. hang_up_after: it leaves once it has this many bytes of the answer."""
    from hub.asgi import application

    answer, gone = Answer(), asyncio.Event()
    last = {"type": "http.disconnect"} if cut else {"type": "http.request", "body": b"", "more_body": False}
    pieces: Iterator[dict[str, Any]] = ({"type": "http.request", "body": p, "more_body": True} for p in body)
    messages = chain(pieces, [last])

    async def receive() -> dict[str, Any]:
        if message := next(messages, None):
            return message
        await gone.wait()
        return {"type": "http.disconnect"}

    async def send(message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            answer.status = message["status"]
            answer.headers = {k.decode(): v.decode("latin-1") for k, v in message["headers"]}
            if hang_up_after == 0:
                gone.set()
        else:
            answer.body += message.get("body", b"")
            answer.complete = not message.get("more_body", False)
            if hang_up_after is not None and len(answer.body) >= hang_up_after:
                gone.set()
        await asyncio.sleep(0)

    raw, _, query = path.partition("?")
    fields = {"host": "testserver", **(headers or {})}
    scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": raw,
        "raw_path": raw.encode(),
        "query_string": query.encode(),
        "root_path": "",
        "headers": [(k.lower().encode(), v.encode("latin-1")) for k, v in fields.items()],
        "client": ("127.0.0.1", 40000),
        "server": ("testserver", 80),
    }
    await application(scope, receive, send)  # type: ignore[arg-type]
    return answer


def ask(method: str, path: str, **options: Any) -> Answer:
    return asyncio.run(exchange(method, path, **options))
