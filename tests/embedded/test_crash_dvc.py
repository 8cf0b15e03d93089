"""kill -9 of the web process in the middle of uploads: what was acknowledged is whole, what was not is not there."""

from __future__ import annotations

import hashlib
import os
import random
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.support.hub import Hub, embedded_hub

pytestmark = pytest.mark.embedded
ROUNDS = int(os.environ.get("COVEY_CRASH_ROUNDS", "3"))
WRITERS = 6


@pytest.fixture
def own_hub(tmp_path: Path) -> Iterator[Hub]:
    """A hub nobody else uses, since it is killed."""
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    made = embedded_hub(home, ready=True)
    made.commands = [["serve"]]
    try:
        yield made.start()
    finally:
        made.stop()


def path_of(data: bytes) -> str:
    oid = hashlib.md5(data).hexdigest()
    return f"files/md5/{oid[:2]}/{oid[2:]}"


class Writers:
    """Threads that upload small and large objects until the server dies; sent and acknowledged are kept."""

    def __init__(self, base: str, token: str) -> None:
        self.base, self.auth = base, ("any", token)
        self.sent: dict[str, bytes] = {}
        self.acknowledged: dict[str, bytes] = {}
        self.threads = [threading.Thread(target=self._write, args=(n,)) for n in range(WRITERS)]

    def _write(self, number: int) -> None:
        chance = random.Random(number)
        while True:
            data = os.urandom(chance.choice([0, 100, 100_000, 3_000_000, 12_000_000]) + 1)
            path = path_of(data)
            self.sent[path] = data
            pieces = (data[i : i + 65_536] for i in range(0, len(data), 65_536))
            try:
                answer = httpx.post(f"{self.base}/{path}", content=pieces, auth=self.auth, timeout=30)
            except httpx.HTTPError:
                return
            if answer.status_code == 201:
                self.acknowledged[path] = data


def test_what_was_acknowledged_survives_kill_9(own_hub):
    token = own_hub.user("dana")
    own_hub.repository(token, "r")
    base = f"{own_hub.url}/dana/r.dvc"
    acknowledged = 0
    for number in range(ROUNDS):
        writers = Writers(base, token)
        for thread in writers.threads:
            thread.start()
        time.sleep(random.Random(number).uniform(0.3, 2.0))
        own_hub.kill_web()
        for thread in writers.threads:
            thread.join(60)
        own_hub.restart_web()
        check(base, token, writers)
        acknowledged += len(writers.acknowledged)
    assert acknowledged > ROUNDS
    no_row_without_bytes_nor_the_reverse(own_hub)


def check(base: str, token: str, writers: Writers) -> None:
    with httpx.Client(auth=("any", token), timeout=60) as client:
        for path, data in writers.sent.items():
            answer = client.get(f"{base}/{path}")
            if path in writers.acknowledged:
                assert answer.status_code == 200, f"an acknowledged object of {len(data)} bytes is gone"
            if answer.status_code == 200:
                assert answer.content == data
            else:
                assert answer.status_code == 404


def no_row_without_bytes_nor_the_reverse(hub: Hub) -> None:
    """Every row's file is whole; temporary files of the dead are few, and gone once they are swept."""
    objects = hub.home / "objects"
    with sqlite3.connect(f"file:{hub.home / 'covey.sqlite3'}?mode=ro", uri=True) as base:
        rows = base.execute("SELECT sha256, md5, size, key FROM datasets_blob").fetchall()
    for sha256, md5, size, key in rows:
        data = (objects / key).read_bytes()
        assert (hashlib.sha256(data).hexdigest(), hashlib.md5(data).hexdigest(), len(data)) == (sha256, md5, size)
    left = list((objects / "tmp").iterdir())
    assert len(left) <= ROUNDS * WRITERS
    for path in left:
        os.utime(path, (time.time() - 4000,) * 2)
    script = "from datasets.tasks import sweep_store; sweep_store()"
    subprocess.run(
        [sys.executable, "-W", "ignore", "manage.py", "shell", "-v0", "-c", script],
        env=hub.environment,
        cwd=Path(__file__).parents[2],
        check=True,
        timeout=120,
    )
    assert list((objects / "tmp").iterdir()) == []
