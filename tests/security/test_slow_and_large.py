"""Clients that send for ever, or never: neither memory nor a connection is theirs to keep."""

from __future__ import annotations

import asyncio
import re
import sys
from typing import Any

import pytest

from hub import http_protocol
from hub.accounts.actor import Actor
from hub.http_protocol import BoundedProtocol
from hub.lib import streams
from repos.issues.references import references_of
from repos.storage import store as repositories
from tests.support.asgi import Answer, basic


# ---- bodies --------------------------------------------------------------------------------------
def ask_and_stall(
    method: str, path: str, *, every_seconds: float = 0, then_stop: bool = False, **headers: str
) -> Answer:
    """Send a head and the first piece of a body, then nothing, or a byte now and then, without hanging up.

    then_stop: the server is stopped, and waits no longer."""
    from hub.asgi import application

    first = b"--x\r\n" if "boundary" in headers["content_type"] else b"0"
    answer, pieces = Answer(), [{"type": "http.request", "body": first, "more_body": True}]

    async def receive() -> dict[str, Any]:
        if pieces:
            return pieces.pop()
        if every_seconds:
            await asyncio.sleep(every_seconds)
            return {"type": "http.request", "body": b"0", "more_body": True}
        waiting.set()
        await asyncio.sleep(30)
        raise AssertionError("the hub waits for ever")

    async def send(message: dict[str, Any]) -> None:
        answer.status = message.get("status", answer.status)
        answer.headers |= {k.decode(): v.decode() for k, v in message.get("headers", [])}
        answer.body += message.get("body", b"")

    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": method, "scheme": "http",
        "path": path, "raw_path": path.encode(), "query_string": b"", "root_path": "",
        "headers": [(k.replace("_", "-").encode(), v.encode()) for k, v in {"host": "testserver", **headers}.items()],
        "client": ("127.0.0.1", 1), "server": ("testserver", 80),
    }  # fmt: skip

    async def converse() -> None:
        asked = asyncio.create_task(application(scope, receive, send))
        if then_stop:
            await waiting.wait()
            asked.cancel()
        await asked

    waiting = asyncio.Event()
    asyncio.run(converse())
    return answer


UPLOADS = [
    ("POST", "/alice/private.git/git-upload-pack", "application/x-git-upload-pack-request"),
    ("POST", "/alice/private.git/git-receive-pack", "application/x-git-receive-pack-request"),
    ("PUT", "/alice/private.dvc/files/md5/ab/" + "0" * 30, "application/octet-stream"),
    ("PUT", "/alice/private.mlflow/api/2.0/mlflow-artifacts/artifacts/0/x", "application/octet-stream"),
    ("PUT", "/api/v1/repos/alice/private/content/main/x", "multipart/form-data; boundary=x"),
]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("method", "path", "kind"), UPLOADS)
def test_a_body_that_stops_arriving_ends_in_408(
    monkeypatch, settings, tmp_path, alice, private, token_of, method, path, kind
):
    settings.GIT_ROOT, settings.COVEY_HOME = tmp_path / "git", tmp_path
    repositories().create(private.pk)
    monkeypatch.setattr(streams, "IDLE_SECONDS", 0.2)
    answer = ask_and_stall(method, path, content_type=kind, **basic(token_of(alice)))
    assert (answer.status, answer.headers["connection"]) == (408, "close")


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("method", "path", "kind"), [*UPLOADS, ("POST", "/account/login", "application/x-www-form-urlencoded")]
)
def test_a_hub_that_stops_says_so(settings, tmp_path, alice, private, token_of, method, path, kind):
    """uvicorn would answer 500, and log a fault."""
    settings.GIT_ROOT, settings.COVEY_HOME = tmp_path / "git", tmp_path
    repositories().create(private.pk)
    answer = ask_and_stall(method, path, then_stop=True, content_type=kind, **basic(token_of(alice)))
    assert answer.status == 503
    assert "The hub is stopping." in answer.text


def test_a_form_that_stops_arriving_ends_in_408(monkeypatch):
    monkeypatch.setattr(streams, "IDLE_SECONDS", 0.1)
    answer = ask_and_stall("POST", "/account/login", content_type="application/x-www-form-urlencoded")
    assert (answer.status, answer.headers["connection"]) == (408, "close")


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/account/login", "application/x-www-form-urlencoded"),
        ("/alice/public.git/git-upload-pack", "application/x-git-upload-pack-request"),
    ],
)
def test_a_body_of_a_byte_now_and_then_ends_in_408(monkeypatch, settings, tmp_path, public, path, kind):
    settings.GIT_ROOT, settings.COVEY_HOME = tmp_path / "git", tmp_path
    repositories().create(public.pk)
    monkeypatch.setattr(streams, "PATIENT_SECONDS", 0.3)
    answer = ask_and_stall("POST", path, every_seconds=0.1, content_type=kind)
    assert (answer.status, answer.headers["connection"]) == (408, "close")


def test_a_body_that_the_hub_itself_lets_wait_is_not_slow(monkeypatch):
    monkeypatch.setattr(streams, "PATIENT_SECONDS", 0.1)

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"0", "more_body": True}

    async def read() -> None:
        arriving = streams.Arriving(receive)
        for _ in range(4):
            assert (await arriving.next())["body"] == b"0"
            await asyncio.sleep(0.1)

    asyncio.run(read())


# ---- heads ---------------------------------------------------------------------------------------
async def hello(scope: Any, receive: Any, send: Any) -> None:
    more, size = True, 0
    while more:
        message = await receive()
        more, size = message.get("more_body", False), size + len(message.get("body", b""))
    said = b"hi, %d" % size
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(said))]})
    await send({"type": "http.response.body", "body": said})


async def converse(*sent: bytes, most: int = 1 << 20) -> tuple[bytes, int]:
    """(what the server answered until it hung up, how many bytes it took)."""
    from uvicorn.config import Config
    from uvicorn.server import ServerState

    config, state = Config(hello, log_config=None, access_log=False, timeout_keep_alive=1), ServerState()
    server = await asyncio.get_running_loop().create_server(
        lambda: BoundedProtocol(config=config, server_state=state, app_state={}), "127.0.0.1", 0
    )
    reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
    taken = 0
    try:
        for piece in sent:
            writer.write(piece)
            await asyncio.wait_for(writer.drain(), 10)
            taken += len(piece)
            await asyncio.sleep(0)
    except ConnectionError:
        pass
    try:
        answer = await asyncio.wait_for(reader.read(most), 10)
    except ConnectionError:
        answer = b""
    writer.close()
    server.close()
    return answer, taken


HEAD = b"POST / HTTP/1.1\r\nHost: hub\r\n"
ENDLESS = [b"x-%d: %s\r\n" % (number, b"a" * 50_000) for number in range(400)]  # 20 MB


@pytest.mark.parametrize(
    "start",
    [
        pytest.param([HEAD], id="many headers"),
        pytest.param([HEAD + b"x: "], id="one header"),
        pytest.param([b"GET /"], id="an address"),
        pytest.param([HEAD + b"transfer-encoding: chunked\r\n\r\n1\r\na\r\n0\r\n"], id="trailers"),
    ],
)
def test_a_head_without_end_is_refused_early(start):
    tail = ENDLESS if start[0].endswith(b"\n") else [b"a" * 50_000] * 400
    answer, taken = asyncio.run(converse(*start, *tail))
    assert taken < 10_000_000
    assert answer[:12] in {b"HTTP/1.1 431", b""}  # nothing: the reset of the connection was faster


@pytest.mark.parametrize("start", [b"", b"GE", HEAD + b"x: y\r\n"])
def test_a_head_that_never_ends_is_not_waited_for(monkeypatch, start):
    monkeypatch.setattr(http_protocol, "HEAD_SECONDS", 0.2)
    answer, _ = asyncio.run(converse(start))
    assert answer.startswith(b"HTTP/1.1 408")


def test_usual_requests_pass_one_after_another(monkeypatch):
    monkeypatch.setattr(http_protocol, "HEAD_SECONDS", 0.2)
    body = b"%x\r\n%s\r\n0\r\n\r\n" % (500_000, b"b" * 500_000)
    large = HEAD + b"cookie: " + b"c" * 30_000 + b"\r\ntransfer-encoding: chunked\r\n\r\n" + body
    answer, _ = asyncio.run(converse(large, b"GET / HTTP/1.1\r\nHost: hub\r\n\r\n"))
    assert answer.count(b"HTTP/1.1 200") == 2


UPGRADE = b"connection: Upgrade, HTTP2-Settings\r\nupgrade: h2c\r\nhttp2-settings: AAMAAABkAAQCAAAA\r\n"


def test_a_request_that_offers_another_protocol_keeps_its_body_and_its_connection():
    """What git (http.version HTTP/2), curl --http2 and Java's HttpClient send to a hub without TLS."""
    chunked = HEAD + UPGRADE + b"transfer-encoding: chunked\r\n\r\n7\r\npiece 1\r\n0\r\n\r\n"
    sized = HEAD + UPGRADE + b"content-length: 5\r\n\r\n12345"
    last = HEAD + b"connection: upgrade, close\r\nupgrade: websocket\r\ncontent-length: 3\r\n\r\n123"
    answer, _ = asyncio.run(converse(chunked, sized[:-3], sized[-3:], b"GET / HTTP/1.1\r\nHost: hub\r\n\r\n", last))
    assert re.findall(rb"HTTP/1.1 (\d+)|hi, (\d+)", answer) == [
        found for size in (7, 5, 0, 3) for found in ((b"200", b""), (b"", b"%d" % size))
    ]


# ---- addresses -----------------------------------------------------------------------------------
PARTS = 30_000  # what a head may hold
DEEP = "a/" * PARTS + "x"


def joins_of(act):
    """How many paths are put together of parts: the same on a slow machine."""
    counted = 0

    def count(_frame, event, argument):
        nonlocal counted
        counted += event == "c_call" and argument.__qualname__ == "str.join"

    sys.setprofile(count)
    try:
        act()
    finally:
        sys.setprofile(None)
    return counted


@pytest.mark.django_db
@pytest.mark.parametrize("page", ["tree", "compare", "data", "line-threads/main", "datasets/history/main"])
def test_an_address_of_very_many_parts_is_not_taken_apart(page, client, public, writer):
    """Each of them may end the name of a branch, or be a folder that DVC tracks."""
    writer(public).commit({"a.txt": "a\n"}, "First")
    client.get(f"/alice/public/{page}/a/x")  # what is loaded by the first
    few, many = (joins_of(lambda path=path: client.get(f"/alice/public/{page}/{path}")) for path in ("a/x", DEEP))
    assert many - few < PARTS / 10


@pytest.mark.django_db
@pytest.mark.parametrize("begins", ["data:", "http://testserver/alice/public/blob/"])
def test_a_text_that_names_a_path_of_very_many_parts_is_not_taken_apart(begins, alice, public, writer, settings):
    settings.COVEY_URL = "http://testserver"
    writer(public).commit({"a.txt": "a\n"}, "First")
    few, many = (
        joins_of(lambda path=path: references_of(public, Actor(user=alice), [begins + path])) for path in ("a/x", DEEP)
    )
    assert many - few < PARTS / 10
