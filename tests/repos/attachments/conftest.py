"""Forms and sessions of a browser, as the raw surface gets them."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.middleware.csrf import _get_new_csrf_string
from django.test import Client
from PIL import Image

from hub.accounts.models import User
from hub.lib import stores
from tests.support.asgi import Answer, ask

Send = Callable[..., Answer]


@pytest.fixture(autouse=True)
def disk(tmp_path: Path, settings: Any) -> None:
    settings.GIT_ROOT, settings.TMP_ROOT, settings.OBJECTS_ROOT = (tmp_path / n for n in ("git", "tmp", "objects"))
    settings.TMP_ROOT.mkdir()
    stores.object_store.cache_clear()


@pytest.fixture
def png() -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (40, 30), (200, 30, 30)).save(out, "PNG")
    return out.getvalue()


@pytest.fixture
def browser() -> Callable[[User], dict[str, str]]:
    """browser(user) → the headers of a script of our own page, signed in."""

    def headers(user: User) -> dict[str, str]:
        client, secret = Client(), _get_new_csrf_string()
        client.force_login(user)
        cookies = {name: morsel.value for name, morsel in client.cookies.items()} | {"csrftoken": secret}
        cookie = "; ".join(f"{name}={value}" for name, value in cookies.items())
        more = {"accept": "application/json", "x-csrftoken": secret, "origin": "http://testserver"}
        return {"cookie": cookie, **more}

    return headers


@pytest.fixture
def send() -> Send:
    """send(path, {name: bytes}, headers) → the answer to a form with these files."""

    def post(path: str, files: dict[str, bytes], headers: dict[str, str]) -> Answer:
        parts = [
            f'--b\r\nContent-Disposition: form-data; name="files"; filename="{name}"\r\n\r\n'.encode() + data + b"\r\n"
            for name, data in files.items()
        ]
        body = b"".join(parts) + b"--b--\r\n"
        kind = {"content-type": "multipart/form-data; boundary=b", "content-length": str(len(body))}
        return ask(
            "POST", path, headers={**kind, **headers}, body=[body[n : n + 9999] for n in range(0, len(body), 9999)]
        )

    return post


@pytest.fixture
def attached(send: Send, browser: Callable[[User], dict[str, str]]) -> Callable[..., dict[str, Any]]:
    """attached(user, "alice/private", name, bytes) → what the answer says of it."""

    def make(user: User, full_name: str, name: str, data: bytes) -> dict[str, Any]:
        answer = send(f"/{full_name}/attachments/upload", {name: data}, browser(user))
        assert answer.status == 201, answer.body
        found: dict[str, Any] = json.loads(answer.body)["attachments"][0]
        return found

    return make
