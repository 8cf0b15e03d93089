"""A browser as far as a benchmark needs one: a kept connection, a session, compressed answers."""

from __future__ import annotations

import http.client
import re
import time
from urllib.parse import urlencode, urlsplit

from tests.support.hub import Hub

HEADERS = {"Accept": "text/html", "Accept-Encoding": "gzip, deflate, br", "User-Agent": "bench"}
IDLE_SECONDS = 20


class Browser:
    """Signed in as bench, with the password that Hub.user gives."""

    def __init__(self, hub: Hub) -> None:
        self.address = urlsplit(hub.url).netloc
        self.connection = http.client.HTTPConnection(self.address, timeout=60)
        self.cookies: dict[str, str] = {}
        self.used = time.monotonic()
        page = self.plain("/account/login").decode()
        found = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
        assert found
        form = {"csrfmiddlewaretoken": found[1], "login": "bench", "password": "correct horse battery"}
        self.ask("POST", "/account/login", urlencode(form), {"Origin": hub.url})
        assert "sessionid" in self.cookies, "the sign-in failed"

    def get(self, path: str) -> bytes:
        status, body = self.ask("GET", path)
        assert status == 200, f"{path}: {status}"
        return body

    def plain(self, path: str) -> bytes:
        """The page uncompressed."""
        return self.ask("GET", path, extra={"Accept-Encoding": "identity"})[1]

    def ask(self, method: str, path: str, body: str = "", extra: dict[str, str] | None = None) -> tuple[int, bytes]:
        headers = HEADERS | (extra or {}) | {"Cookie": "; ".join(f"{k}={v}" for k, v in self.cookies.items())}
        if body:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        if time.monotonic() - self.used > IDLE_SECONDS:
            self.connection.close()  # the server does so after 30 s; the next request opens it again
        self.connection.request(method, path, body or None, headers)
        answer = self.connection.getresponse()
        for name, value in answer.getheaders():
            if name.lower() == "set-cookie":
                key, _, kept = value.split(";", 1)[0].partition("=")
                self.cookies[key] = kept
        content = answer.read()
        self.used = time.monotonic()
        return answer.status, content

    def milliseconds(self, path: str) -> float:
        started = time.perf_counter()
        self.get(path)
        return (time.perf_counter() - started) * 1000
