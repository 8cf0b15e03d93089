"""`covey up` as a person starts it: a real tree of processes on the embedded default."""

from __future__ import annotations

import hashlib
import http.client
import os
import re
import select
import shutil
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

ROOT = Path(__file__).resolve().parents[2]
SETTINGS = ("DATABASE_URL", "MLFLOW_DATABASE_URL", "CACHE_URL", "BROKER_URL", "SECRET_KEY", "ALLOWED_HOSTS")
START_SECONDS = 90


def environment(home: Path, **more: str) -> dict[str, str]:
    plain = {k: v for k, v in os.environ.items() if k not in SETTINGS and not k.startswith("COVEY_")}
    return {**plain, "COVEY_HOME": str(home), "COVEY_BIND": "127.0.0.1:0", **more}


class Tree:
    """A running `covey up`. Its folder is kept between starts, as a person's would be."""

    def __init__(self, home: Path) -> None:
        self.home, self.log = home, home.parent / "up.log"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "hub.cli", "up"],
                cwd=ROOT,
                env=environment(home),
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self.url = self.said(r"Covey is ready at (http://\S+)")
        self.wait(lambda: {"worker", "beat"} <= self.children().keys(), "worker and beat to start")

    def said(self, pattern: str) -> str:
        self.wait(lambda: re.search(pattern, self.log.read_text()), pattern)
        return re.findall(pattern, self.log.read_text())[-1]

    def wait(self, condition: Callable[[], object], what: str) -> None:
        deadline = time.monotonic() + START_SECONDS
        while not condition():
            assert time.monotonic() < deadline, f"waited in vain for {what}:\n{self.log.read_text()}"
            time.sleep(0.05)

    def children(self) -> dict[str, int]:
        """serve, worker, beat → process id."""
        listed = subprocess.run(
            ["ps", "-o", "pid=,args=", "--ppid", str(self.process.pid)], capture_output=True, text=True
        )
        found = re.findall(r"^\s*(\d+) .*hub\.cli (\w+)", listed.stdout, re.MULTILINE)
        return {name: int(pid) for pid, name in found}

    def get(self, path: str) -> int:
        connection = http.client.HTTPConnection(urlsplit(self.url).netloc, timeout=60)
        connection.request("GET", path)
        status = connection.getresponse().status
        connection.close()
        return status

    def upload(self, path: str, size: int) -> http.client.HTTPConnection:
        """One whose request is under way: the hub has read its head, and asked for its body."""
        connection = http.client.HTTPConnection(urlsplit(self.url).netloc, timeout=60)
        connection.putrequest("POST" if ".dvc/" in path else "PUT", path)
        connection.putheader("Authorization", f"Bearer {self.token()}")
        connection.putheader("Content-Type", "multipart/form-data; boundary=b")
        connection.putheader("Content-Length", str(size))
        connection.putheader("Expect", "100-continue")
        connection.endheaders()
        said = connection.sock.recv(1000)
        assert said.startswith(b"HTTP/1.1 100"), said
        return connection

    @cache
    def token(self) -> str:
        """Of kim, who has the repository kim/work."""
        self.covey("create-user", "kim", "--email", "kim@example.org", stdin="correct horse battery\n")
        token = self.covey("create-token", "kim", "--name", "test")
        connection = http.client.HTTPConnection(urlsplit(self.url).netloc, timeout=60)
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        connection.request("POST", "/api/v1/user/repos", '{"name": "work", "auto_init": true}', headers)
        assert connection.getresponse().status == 201
        return token

    def covey(self, *arguments: str, stdin: str = "") -> str:
        more = ["--password-stdin"] if stdin else []
        done = subprocess.run(
            [sys.executable, "-W", "ignore", "-m", "hub.cli", "admin", *arguments, *more],
            cwd=ROOT,
            env=environment(self.home, COVEY_BIND=urlsplit(self.url).netloc),
            input=stdin,
            text=True,
            capture_output=True,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def stop(self) -> int:
        self.process.terminate()
        return self.process.wait(30)


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("up") / "data"


@pytest.fixture
def tree(home: Path) -> Iterator[Tree]:
    running = Tree(home)
    yield running
    if running.process.poll() is None:
        running.stop()


def test_it_serves_and_keeps_its_secrets_to_itself(tree: Tree) -> None:
    assert tree.get("/") == 200
    assert stat.S_IMODE(tree.home.stat().st_mode) == 0o700
    for path in tree.home.iterdir():
        assert not stat.S_IMODE(path.stat().st_mode) & 0o077, path
    link = tree.said(r"Sign in as the administrator, once, within an hour: (http://\S+)")
    assert tree.get(urlsplit(link).path) == 200


def test_it_stops_everything_on_ctrl_c(tree: Tree) -> None:
    children = tree.children()
    tree.process.send_signal(signal.SIGINT)
    assert tree.process.wait(30) == 0
    assert [name for name, pid in children.items() if alive(pid)] == []


def answered(connection: http.client.HTTPConnection) -> bool:
    """As curl and aiohttp do: they listen while they send."""
    return bool(select.select([connection.sock], [], [], 0.02)[0])


def test_uploads_at_a_stop_have_some_seconds_and_are_told_when_they_are_over(tree: Tree) -> None:
    data = b"x" * 1_000_000
    oid = hashlib.md5(data).hexdigest()
    short = tree.upload(f"/kim/work.dvc/files/md5/{oid[:2]}/{oid[2:]}", len(data))
    long = [
        tree.upload("/api/v1/repos/kim/work/content/main/d", 10**10),
        tree.upload(f"/kim/work.dvc/files/md5/{oid[:2]}/{oid[2:]}", 10**10),
    ]
    short.send(data[:500_000])
    for connection in long:
        connection.send(b'--b\r\nContent-Disposition: form-data; name="files"; filename="f"\r\n\r\n')
    tree.process.terminate()
    tree.said("stopping")
    short.send(data[500_000:])
    assert short.getresponse().status in {200, 201}
    for connection in long:
        while not answered(connection):
            connection.send(data)
        answer = connection.getresponse()
        assert (answer.status, b"The hub is stopping." in answer.read()) == (503, True)
    assert tree.process.wait(30) == 0
    assert not list((tree.home / "tmp").glob("upload-*"))


def test_a_killed_web_process_is_replaced_and_no_connection_refused(tree: Tree) -> None:
    before = tree.children()["serve"]
    os.kill(before, signal.SIGKILL)
    assert tree.get("/healthz") == 200  # waits in the supervisor's socket until the new process answers
    assert tree.children()["serve"] != before
    assert "web ended with SIGKILL" in tree.log.read_text()


def test_a_web_process_that_dies_while_its_database_is_away_comes_back_with_it(tree: Tree) -> None:
    database, aside = tree.home / "covey.sqlite3", tree.home / "aside"
    database.rename(aside)
    database.mkdir()
    os.kill(tree.children()["serve"], signal.SIGKILL)
    tree.said(r"web ended with exit code 2; it starts again in \d+ s")
    assert tree.process.poll() is None
    database.rmdir()
    aside.rename(database)
    assert tree.get("/healthz") == 200


@pytest.mark.parametrize("name", ["worker", "beat"])
def test_one_that_ends_with_a_refusal_is_started_again_and_the_hub_stays(tree: Tree, name: str) -> None:
    """As over a disk that is full: pages can be read all the while."""
    secret = tree.home / "secret_key"
    right = secret.read_text()
    secret.write_text("short")
    os.kill(tree.children()[name], signal.SIGKILL)
    tree.said(rf"{name} ended with exit code 2; it starts again in \d+ s")
    assert tree.get("/healthz") == 200
    secret.write_text(right)
    tree.wait(lambda: name in tree.children(), f"{name} to start again")


@pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="Linux alone can be told")
def test_the_server_answers_from_one_core_and_the_worker_has_all(tree: Tree) -> None:
    children = tree.children()
    assert len(os.sched_getaffinity(children["serve"])) == 1
    assert os.sched_getaffinity(children["worker"]) == os.sched_getaffinity(0)


def test_a_killed_worker_is_replaced(tree: Tree) -> None:
    before = tree.children()["worker"]
    os.kill(before, signal.SIGKILL)
    tree.wait(lambda: tree.children().get("worker", before) != before, "a new worker")


def test_nothing_outlives_a_killed_supervisor(tree: Tree) -> None:
    children = tree.children()
    tree.process.kill()
    tree.process.wait(5)
    tree.wait(lambda: not any(alive(pid) for pid in children.values()), "the children to stop")


def test_a_second_one_on_the_same_home_is_refused(tree: Tree) -> None:
    second = start(environment(tree.home))
    assert second.returncode == 2
    assert "in use by another `covey up`" in second.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no device that is always full")
def test_a_log_that_cannot_be_written_stops_nothing(home: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        bind = f"127.0.0.1:{free.getsockname()[1]}"
    with open("/dev/full", "wb") as full:
        command = [sys.executable, "-m", "hub.cli", "up"]
        process = subprocess.Popen(
            command, cwd=ROOT, env=environment(home, COVEY_BIND=bind), stdout=full, stderr=full, start_new_session=True
        )
    try:
        deadline = time.monotonic() + START_SECONDS
        while process.poll() is None and time.monotonic() < deadline:
            with suppress(httpx.TransportError):
                assert httpx.get(f"http://{bind}/healthz", timeout=60).status_code == 200
                break
            time.sleep(0.1)
        assert process.poll() is None
    finally:
        process.terminate()
        process.wait(30)


def test_a_taken_port_is_named(tree: Tree, tmp_path: Path) -> None:
    taken = urlsplit(tree.url).netloc
    second = start(environment(tmp_path / "other", COVEY_BIND=taken))
    assert second.returncode == 2
    assert f"COVEY_BIND is {taken}, but that port is taken" in second.stderr


def test_a_wrong_setting_stops_the_start_with_one_line(tmp_path: Path) -> None:
    stopped = start(environment(tmp_path / "data", COVEY_URL="hub.example.org"))
    assert stopped.returncode == 2
    assert "COVEY_URL is 'hub.example.org'. Set it to scheme://host[:port]" in stopped.stderr
    assert "Traceback" not in stopped.stderr


def test_production_without_its_secrets_does_not_start(tmp_path: Path) -> None:
    stopped = start(environment(tmp_path / "data", DATABASE_URL="postgres://hub@127.0.0.1/hub"))
    assert stopped.returncode == 2
    assert "SECRET_KEY is not set but DATABASE_URL is" in stopped.stderr


def test_a_home_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    stopped = start(environment(tmp_path / "file" / "data"))
    assert stopped.returncode == 2
    assert stopped.stderr.startswith("covey: COVEY_HOME ")
    assert "Traceback" not in stopped.stderr


def test_files_of_somebody_else_are_named(tmp_path: Path) -> None:
    """What `sudo covey …` leaves in the home of another."""
    plain = [] if os.geteuid() else ["setpriv", "--bounding-set=-dac_override,-dac_read_search"]
    if plain and not shutil.which(plain[0]):
        pytest.skip("root may read everything here")
    home = tmp_path / "data"
    home.mkdir()
    (home / "secret_key").write_text("x")
    (home / "secret_key").chmod(0)
    stopped = start(environment(home), *plain)
    assert stopped.returncode == 2
    assert f"{home}/secret_key: Permission denied" in stopped.stderr
    assert "Traceback" not in stopped.stderr
    home.chmod(0o500)
    stopped = start(environment(home), *plain)
    assert stopped.returncode == 2
    assert stopped.stderr.startswith("covey: COVEY_HOME ")


def start(variables: dict[str, str], *prefix: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*prefix, sys.executable, "-m", "hub.cli", "up"],
        cwd=ROOT,
        env=variables,
        capture_output=True,
        text=True,
        timeout=START_SECONDS,
    )
