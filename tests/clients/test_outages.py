"""The object store or Redis goes away under a running hub and comes back: clear errors, nothing half-done."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import psycopg
import pytest

from tests.support import services
from tests.support.crashes import Stage, git, make_stage
from tests.support.gate import Gate
from tests.support.hub import production_hub

pytestmark = pytest.mark.client
PATIENCE_SECONDS = 45  # what a person at a terminal bears


@pytest.fixture(scope="module")
def gates(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Gate]:
    if os.environ.get("COVEY_TEST") != "production":
        folder = tmp_path_factory.mktemp("services")
        os.chmod(folder, 0o755)
        os.environ.update(services.production_environment(str(folder)))
    return {
        name: Gate(urlsplit(os.environ[name]).port or 0) for name in ("COVEY_S3_ENDPOINT", "CACHE_URL", "DATABASE_URL")
    }


@pytest.fixture(scope="module")
def stage(gates: dict[str, Gate], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """A hub that reaches the store and Redis through gates."""
    home = tmp_path_factory.mktemp("outages")
    (home / "hub").mkdir()
    hub = production_hub(home / "hub")
    for name in ("COVEY_S3_ENDPOINT", "CACHE_URL", "BROKER_URL"):
        gate = gates["CACHE_URL" if name == "BROKER_URL" else name]
        url = urlsplit(hub.environment[name])
        hub.environment[name] = url._replace(netloc=f"127.0.0.1:{gate.port}").geturl()
    hub.commands = [["serve"]]
    try:
        hub.start()
        hub.commands = [["worker"], ["beat"]]
        hub.start()
        yield make_stage(hub, home / "scratch")
    finally:
        hub.stop()


@contextmanager
def away(gate: Gate) -> Iterator[None]:
    gate.shut()
    try:
        yield
    finally:
        gate.open()


def url_of(stage: Stage, data: bytes) -> str:
    oid = hashlib.md5(data).hexdigest()
    return f"{stage.address}.dvc/files/md5/{oid[:2]}/{oid[2:]}"


def call(stage: Stage, method: str, url: str, **options: object) -> tuple[httpx.Response, float]:
    begun = time.monotonic()
    answer = httpx.request(method, url, auth=stage.auth, timeout=120, **options)  # type: ignore[arg-type]
    return answer, time.monotonic() - begun


def test_without_the_object_store_uploads_and_reads_say_so_and_recover(stage, gates):
    kept, small, large = os.urandom(5000), os.urandom(5000), os.urandom(20_000_000)
    assert call(stage, "POST", url_of(stage, kept), content=kept)[0].status_code == 201
    with away(gates["COVEY_S3_ENDPOINT"]):
        for method, data in [("POST", small), ("PUT", large), ("GET", kept)]:
            answer, seconds = call(stage, method, url_of(stage, data), content=data if method != "GET" else None)
            assert answer.status_code == 502, answer.text
            assert "object store" in answer.text
            assert "Try again" in answer.text
            assert seconds < PATIENCE_SECONDS
        assert call(stage, "GET", url_of(stage, small))[0].status_code == 404
        assert call(stage, "GET", f"{stage.hub.url}/healthz")[0].status_code == 200
    assert call(stage, "GET", url_of(stage, small))[0].status_code == 404
    for data in (small, large):
        assert call(stage, "POST", url_of(stage, data), content=data)[0].status_code == 201
    for data in (kept, small, large):
        assert call(stage, "GET", url_of(stage, data))[0].content == data


def test_a_store_that_goes_in_the_middle_of_an_upload_leaves_nothing_half_done(stage, gates):
    data = os.urandom(30_000_000)

    def pieces() -> Iterator[bytes]:
        for start in range(0, len(data), 1_000_000):
            if start == 20_000_000:
                gates["COVEY_S3_ENDPOINT"].shut()
            yield data[start : start + 1_000_000]

    try:
        answer, seconds = call(stage, "POST", url_of(stage, data), content=pieces())
    finally:
        gates["COVEY_S3_ENDPOINT"].open()
    assert answer.status_code == 502
    assert seconds < PATIENCE_SECONDS
    assert call(stage, "GET", url_of(stage, data))[0].status_code == 404
    assert call(stage, "POST", url_of(stage, data), content=data)[0].status_code == 201
    assert call(stage, "GET", url_of(stage, data))[0].content == data


def test_without_redis_pages_pushes_and_uploads_work_and_events_come_later(stage, gates):
    folder = stage.scratch / "clone"
    git("init", "-q", "-b", "main", str(folder))
    (folder / "README.md").write_text("# Hello\n")
    git("add", "-A", folder=folder)
    git("commit", "-q", "-m", "first", folder=folder)
    address = stage.address.replace("://", f"://any:{stage.token}@") + ".git"
    data = os.urandom(1000)
    with away(gates["CACHE_URL"]):
        begun = time.monotonic()
        git("push", "-q", address, "main", folder=folder)
        assert time.monotonic() - begun < PATIENCE_SECONDS
        assert call(stage, "POST", url_of(stage, data), content=data)[0].status_code == 201
        for path in ("explore", "account/login", "api/v1/repos/kim/work", "api/v1/repos/kim/work/commits"):
            answer, seconds = call(stage, "GET", f"{stage.hub.url}/{path}", follow_redirects=True)
            assert answer.status_code == 200, f"{path}: {answer.status_code} {answer.text[:300]}"
            assert seconds < PATIENCE_SECONDS
        assert undelivered(stage) > 0
    services.wait_until(lambda: undelivered(stage) == 0, what="the outbox to be relayed", seconds=120)
    assert "Traceback" not in web_log(stage)


def undelivered(stage: Stage) -> int:
    with psycopg.connect(stage.hub.environment["DATABASE_URL"]) as connection:
        row = connection.execute("SELECT count(*) FROM jobs_outbox WHERE delivered IS NULL").fetchone()
    assert row
    return int(row[0])


def web_log(stage: Stage) -> str:
    return Path(stage.hub.home / "serve.log").read_text()
