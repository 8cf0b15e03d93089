"""The router in front of Django: foreign hosts and bodies over the cap get an answer before anything is read."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from hub.asgi import BODY_LIMIT_BYTES, application

PIECE = b"x" * (1 << 20)


def ask(path: str, *, host: str = "testserver", pieces: int = 0, headers: tuple[tuple[bytes, bytes], ...] = ()):
    """Send one raw request; (status, body, how many pieces of the body the hub took)."""
    sent: list[dict[str, Any]] = []
    taken = 0

    async def receive() -> dict[str, Any]:
        nonlocal taken
        if taken < pieces:
            taken += 1
        return {"type": "http.request", "body": PIECE if pieces else b"", "more_body": taken < pieces}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "POST" if pieces else "GET",
        "scheme": "http", "path": path, "raw_path": path.encode(), "query_string": b"", "root_path": "",
        "headers": [(b"host", host.encode()), *headers], "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 80),
    }  # fmt: skip
    asyncio.run(application(scope, receive, send))
    body = b"".join(message.get("body", b"") for message in sent)
    return sent[0]["status"], body, taken


@pytest.mark.parametrize("path", ["/", "/alice/x.git/info/refs", "/alice/x.mlflow/"])
@pytest.mark.parametrize("host", ["evil.example", "", "testserver.evil.example"])
def test_it_refuses_a_foreign_host(settings, path, host):
    settings.ALLOWED_HOSTS = ["testserver"]
    status, body, _ = ask(path, host=host)
    assert status == 400
    assert b"ALLOWED_HOSTS" in body


def test_it_refuses_a_declared_body_over_the_cap_unread():
    length = str(BODY_LIMIT_BYTES + 1).encode()
    status, body, taken = ask("/account/login", pieces=20, headers=((b"content-length", length),))
    assert (status, taken) == (413, 0)
    assert b"10 MiB" in body


def test_it_stops_reading_an_undeclared_body_at_the_cap():
    status, _, taken = ask("/account/login", pieces=20)
    assert (status, taken) == (413, 11)


def test_the_api_says_in_json_that_an_address_holds_nul():
    status, body, _ = ask("/api/v1/repos/a/b/branch-rules/%00")
    assert (status, json.loads(body)) == (404, {"error": "Not found.", "details": ""})
    assert not ask("/explore/%00")[1].startswith(b"{")
