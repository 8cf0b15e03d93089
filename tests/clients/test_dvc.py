"""The unmodified dvc command against a running hub: push, pull, two stores, hostile ends."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from tests.support import clients
from tests.support.hub import Hub

pytestmark = pytest.mark.client
NAMES = iter(range(10_000))


def md5(data: bytes) -> str:
    return hashlib.md5(data).hexdigest()


@dataclass
class Remote:
    """A repository of the hub as dvc sees it, with two people's tokens."""

    url: str
    token: str
    stranger: str

    def object(self, data: bytes, token: str | None = None, method: str = "GET", **options) -> httpx.Response:
        oid = md5(data)
        address = f"{self.url}.dvc/files/md5/{oid[:2]}/{oid[2:]}"
        return httpx.request(method, address, auth=("any", token or self.token), timeout=60, **options)


@dataclass
class Clone:
    """A folder with git and dvc in it."""

    folder: Path
    bin: Path

    def dvc(self, *arguments: str, check: bool = True, timeout: float = 180) -> subprocess.CompletedProcess[str]:
        done = self.start(*arguments)
        try:
            out, _ = done.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            done.kill()
            raise
        found = subprocess.CompletedProcess(arguments, done.returncode, out)
        assert not check or found.returncode == 0, f"dvc {' '.join(arguments)}:\n{out}"
        return found

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        scratch = self.folder.parent / "scratch"
        environment = {
            "PATH": f"{self.bin}:{os.environ['PATH']}",
            "HOME": str(scratch),
            "LC_ALL": "C.UTF-8",
            "DVC_NO_ANALYTICS": "1",
            "DVC_GLOBAL_CONFIG_DIR": str(scratch / "global"),
            "DVC_SYSTEM_CONFIG_DIR": str(scratch / "system"),
            "DVC_SITE_CACHE_DIR": str(scratch / "site"),
        }
        return subprocess.Popen(
            [self.bin / "dvc", *arguments],
            cwd=self.folder,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def remote(self, remote: Remote, token: str, **options: str) -> None:
        self.dvc("remote", "add", "--default", "--force", "origin", f"{remote.url}.dvc")
        for key, value in {"auth": "basic", "user": "any", "password": token, **options}.items():
            self.dvc("remote", "modify", "--local", "origin", key, value)

    def write(self, files: dict[str, bytes]) -> None:
        for name, data in files.items():
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)

    def forget(self, *paths: str) -> None:
        """Drop the cache and dvc's own memory of the remote, and these work files."""
        for path in (".dvc/cache", ".dvc/tmp", "../scratch/site", *paths):
            subprocess.run(["rm", "-rf", self.folder / path], check=True)


@pytest.fixture(scope="session")
def people(hub: Hub) -> tuple[str, str]:
    return hub.user("dana"), hub.user("mallory")


@pytest.fixture
def remote(hub: Hub, people: tuple[str, str]) -> Remote:
    name = f"data-{next(NAMES)}"
    answer = httpx.post(
        f"{hub.url}/api/v1/user/repos",
        json={"name": name, "private": True},
        headers={"Authorization": f"Bearer {people[0]}"},
        timeout=60,
    )
    assert answer.status_code == 201, answer.text
    return Remote(f"{hub.url}/dana/{name}", *people)


@pytest.fixture
def clone(tmp_path: Path) -> Clone:
    made = Clone(tmp_path / "clone", clients.environment("dvc"))
    made.folder.mkdir()
    subprocess.run(["git", "init", "-q", made.folder], check=True)
    made.dvc("init", "-q")
    return made


FILES = {
    "data/a.txt": b"alpha",
    "data/sub/b.bin": bytes(range(256)) * 5000,
    "data/empty": b"",
    "data/ünïcødé 文件 +%#&.txt": b"names",
}


@pytest.mark.parametrize("method", ["POST", "PUT"])
def test_a_directory_goes_up_and_comes_back(remote, clone, method):
    clone.remote(remote, remote.token, method=method)
    clone.write(FILES)
    clone.dvc("add", "data")
    assert "new:" in clone.dvc("status", "-c").stdout
    clone.dvc("push")
    assert "up to date" in clone.dvc("push").stdout
    clone.forget("data")
    clone.dvc("pull")
    assert {name: (clone.folder / name).read_bytes() for name in FILES} == FILES
    assert "in sync" in clone.dvc("status", "-c").stdout


def test_a_large_file_goes_up_and_comes_back(remote, clone):
    data = os.urandom(1 << 20) * 70
    clone.remote(remote, remote.token)
    clone.write({"big.bin": data})
    clone.dvc("add", "big.bin")
    clone.dvc("push")
    clone.forget("big.bin")
    clone.dvc("pull")
    assert md5((clone.folder / "big.bin").read_bytes()) == md5(data)


def test_a_wrong_token_stores_nothing(remote, clone):
    clone.remote(remote, remote.token + "x")
    clone.write({"f": b"refused"})
    clone.dvc("add", "f")
    done = clone.dvc("push", check=False)
    assert done.returncode != 0
    assert "401" in done.stdout
    assert remote.object(b"refused").status_code == 404


def test_a_stranger_neither_pushes_nor_pulls(remote, clone):
    clone.remote(remote, remote.token)
    clone.write({"f": b"private bytes"})
    clone.dvc("add", "f")
    clone.dvc("push")
    clone.remote(remote, remote.stranger)
    clone.write({"g": b"intruder"})
    clone.dvc("add", "g")
    done = clone.dvc("push", "g.dvc", check=False)
    assert done.returncode != 0
    assert "failed to push" in done.stdout  # what dvc makes of a 404
    clone.forget("f")
    assert clone.dvc("pull", "f.dvc", check=False).returncode != 0
    assert remote.object(b"intruder").status_code == 404


def test_a_push_that_was_killed_can_be_finished(remote, clone):
    data = os.urandom(1 << 20) * 60
    clone.remote(remote, remote.token)
    clone.write({"cut.bin": data})
    clone.dvc("add", "cut.bin")
    push = clone.start("push")
    time.sleep(2)
    push.send_signal(signal.SIGKILL)
    push.communicate(timeout=20)
    found = remote.object(data)
    assert found.status_code == 404 or found.content == data  # nothing, or all of it
    clone.dvc("push")
    assert remote.object(data).content == data


def test_two_clones_push_the_same_files_at_once(remote, clone, tmp_path):
    other = Clone(tmp_path / "second" / "clone", clone.bin)
    other.folder.mkdir(parents=True)
    subprocess.run(["git", "init", "-q", other.folder], check=True)
    other.dvc("init", "-q")
    for one in (clone, other):
        one.remote(remote, remote.token)
        one.write({f"data/{n}": b"%d" % n * 1000 for n in range(60)})
        one.dvc("add", "data")
    pushes = [one.start("push") for one in (clone, other)]
    outputs = [push.communicate(timeout=120)[0] for push in pushes]
    assert [push.returncode for push in pushes] == [0, 0], outputs
    clone.forget("data")
    clone.dvc("pull")
    assert (clone.folder / "data/7").read_bytes() == b"7" * 1000
