"""Downloads of Django's flow under ASGI: in pieces, not gathered in memory, without Django's warning of it."""

from __future__ import annotations

import asyncio
import base64
import json
import os
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest
from django.core.asgi import get_asgi_application
from django.test import Client

from hub.accounts import audit
from hub.accounts.actor import Actor
from hub.accounts.models import User
from hub.accounts.views import audit_log
from repos.models import Repository
from tests.support.asgi import ask, basic
from tests.support.writer import Writer

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.filterwarnings("error:StreamingHttpResponse")]


def session_of(user: User) -> dict[str, str]:
    browser = Client()
    browser.force_login(user)
    return {"cookie": "; ".join(f"{name}={morsel.value}" for name, morsel in browser.cookies.items())}


def test_an_archive_flows(
    alice: User,
    private: Repository,
    token_of: Callable[..., str],
    writer: Callable[[Repository], Writer],
) -> None:
    writer(private).commit({"a.txt": "hello", "data.bin": base64.b64encode(os.urandom(300_000))})
    full_name = private.full_name
    for path, headers in [
        (f"/{full_name}/archive/main.zip", session_of(alice)),
        (f"/api/v1/repos/{full_name}/archive/main.zip", basic(token_of(alice))),
    ]:
        answer = ask("GET", path, headers=headers)
        assert answer.status == 200, (path, answer.text)
        assert len(ZipFile(BytesIO(answer.body)).namelist()) >= 1
        head = ask("HEAD", path, headers=headers)
        assert head.status == 200
        assert head.body == b""


def test_the_audit_export_flows(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit_log, "EXPORT_CHUNK", 2)
    alice.is_superuser = True
    alice.save()
    for number in range(5):
        audit.record("test.event", Actor(user=alice), subject=str(number), owner_id=alice.owner_id)
    for path in ("/settings/log/export", "/settings/log/everyone/export"):
        answer = ask("GET", path, headers=session_of(alice))
        lines = [json.loads(line) for line in answer.body.splitlines()]
        assert [line["subject"] for line in lines if line["action"] == "test.event"] == list("01234")


def test_a_static_file_flows(tmp_path: Path, settings: Any, db: None) -> None:
    """WhiteNoise gives Django a synchronous file; its middleware is made with the application."""
    settings.STATIC_ROOT = tmp_path
    data = os.urandom(1024**2)
    (tmp_path / "large.bin").write_bytes(data)
    pieces: list[bytes] = []
    asked: list[bool] = []

    async def receive() -> dict[str, Any]:
        if not asked:
            asked.append(True)
            return {"type": "http.request", "body": b"", "more_body": False}
        return await asyncio.Future()  # the client stays

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start":
            assert message["status"] == 200
        elif message.get("body"):
            pieces.append(message["body"])

    scope = {
        "type": "http",
        "method": "GET",
        "path": "/static/large.bin",
        "query_string": b"",
        "asgi": {"version": "3"},
    }
    scope |= {"headers": [(b"host", b"testserver")], "http_version": "1.1", "scheme": "http"}
    asyncio.run(get_asgi_application()(scope, receive, send))  # type: ignore[arg-type]
    assert b"".join(pieces) == data
    assert len(pieces) > 1


def test_a_private_repository_has_no_archive_for_strangers(private: Repository, charlie: User) -> None:
    assert ask("GET", f"/{private.full_name}/archive/main.zip", headers=session_of(charlie)).status == 404
