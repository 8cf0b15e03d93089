"""Three kinds of writers that are at work when the web process is killed, and what must hold of each afterwards.

A writer keeps what it sent and what was acknowledged; `violations()` compares with what the hub gives back. Used by
`python -m bench.kill` (many rounds) and tests/embedded/test_kill.py (few).
"""

from __future__ import annotations

import hashlib
import os
import random
import subprocess
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from tests.support.hub import Hub


@dataclass(frozen=True)
class Stage:
    """Where the writers work: one repository of one person. path: its bare folder."""

    hub: Hub
    token: str
    path: Path
    scratch: Path
    name: str = "kim/work"

    @property
    def address(self) -> str:
        return f"{self.hub.url}/{self.name}"

    @property
    def remote(self) -> str:
        return self.address.replace("://", f"://any:{self.token}@") + ".git"

    @property
    def auth(self) -> tuple[str, str]:
        return ("any", self.token)


def make_stage(hub: Hub, scratch: Path) -> Stage:
    token = hub.user("kim")
    hub.repository(token, "work")
    scratch.mkdir(exist_ok=True)
    return Stage(hub, token, Path(hub.covey("admin", "repo-path", "kim/work")), scratch)


def begin(stage: Stage) -> None:
    """A branch main, where there is none yet."""
    if git("for-each-ref", "refs/heads/main", folder=stage.path).stdout:
        return
    folder = stage.scratch / "begin"
    git("init", "-q", "-b", "main", str(folder))
    (folder / "README").write_text("begin")
    git("add", "-A", folder=folder)
    git("commit", "-q", "-m", "begin", folder=folder)
    git("push", "-q", stage.remote, "main", folder=folder)


class Work:
    """Writers of one round: count threads running work(number) until it returns, once the hub is gone."""

    count = 1
    acknowledged = 0

    def __init__(self, stage: Stage, round_number: int) -> None:
        self.stage, self.round = stage, round_number
        self.down, self.first = threading.Event(), threading.Event()
        self._lock = threading.Lock()
        self._threads = [threading.Thread(target=self.work, args=(n,), daemon=True) for n in range(self.count)]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def wait_for_first(self, seconds: float = 90) -> None:
        """Return once a write was acknowledged."""
        assert self.first.wait(seconds), f"nothing was acknowledged in {seconds:.0f} s"

    def join(self) -> None:
        self.down.set()
        for thread in self._threads:
            thread.join(120)
            assert not thread.is_alive(), "a writer hangs though its server is dead"

    def acknowledge(self) -> None:
        with self._lock:
            self.acknowledged += 1
        self.first.set()

    def work(self, number: int) -> None:
        raise NotImplementedError

    def violations(self) -> list[str]:
        """After the restart: what was promised and is not so."""
        raise NotImplementedError


# ---- git -----------------------------------------------------------------------------------------
class GitPushes(Work):
    """Two clones; each push makes one branch and moves another, atomically."""

    count = 2

    def __init__(self, stage: Stage, round_number: int) -> None:
        super().__init__(stage, round_number)
        self.sent: dict[str, tuple[str, str]] = {}  # new branch → (its commit, the moving branch)
        self.pushed: set[str] = set()

    def work(self, number: int) -> None:
        folder = self.stage.scratch / f"clone{number}"
        if not folder.exists():
            git("init", "-q", "-b", "main", str(folder))
        line = f"refs/heads/line{number}"
        count = 0
        while not self.down.is_set():
            (folder / "f").write_bytes(os.urandom(150_000))
            git("add", "-A", folder=folder)
            git("commit", "-q", "-m", "more", folder=folder)
            commit = git("rev-parse", "HEAD", folder=folder).stdout.strip()
            branch = f"refs/heads/r{self.round}-{number}-{count}"
            self.sent[branch] = (commit, line)
            done = git(
                "push",
                "-q",
                "--atomic",
                self.stage.remote,
                f"HEAD:{branch}",
                f"+HEAD:{line}",
                folder=folder,
                check=False,
            )
            if done.returncode == 0:
                self.pushed.add(branch)
                self.acknowledge()
            count += 1

    def violations(self) -> list[str]:
        wait_for_git(self.stage.path)
        found = []
        listed = git("for-each-ref", "--format=%(refname) %(objectname)", folder=self.stage.path).stdout
        refs = dict(line.split(" ") for line in listed.splitlines())
        for branch, (commit, line) in self.sent.items():
            if branch in self.pushed and refs.get(branch) != commit:
                found.append(f"acknowledged {branch} is at {refs.get(branch)}")
            if branch in refs:  # then the other half of the push is there too
                inside = git("merge-base", "--is-ancestor", commit, line, folder=self.stage.path, check=False)
                if inside.returncode:
                    found.append(f"half of the atomic push of {branch} is missing from {line}")
        found += damaged(self.stage.path)
        if git("rev-list", "--objects", "--all", folder=self.stage.path, check=False).returncode:
            found.append("a ref cannot be walked")
        found += [f"stale lock {lock.relative_to(self.stage.path)}" for lock in self.stage.path.rglob("*.lock")]
        return found


def git(
    *arguments: str, folder: Path | None = None, check: bool = True, timeout: float = 90
) -> subprocess.CompletedProcess[str]:
    who = {"GIT_AUTHOR_NAME": "K", "GIT_AUTHOR_EMAIL": "k@example.org"}
    who |= {"GIT_COMMITTER_NAME": "K", "GIT_COMMITTER_EMAIL": "k@example.org"}
    environment = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "GIT_TERMINAL_PROMPT": "0", **who}
    return subprocess.run(
        ["git", *arguments], cwd=folder, env=environment, text=True, capture_output=True, check=check, timeout=timeout
    )


def damaged(path: Path) -> list[str]:
    """What git fsck finds twice: packs that maintenance replaced under its eyes are not damage."""
    for _ in range(2):
        fsck = git("fsck", "--full", "--strict", folder=path, check=False)
        if not fsck.returncode and "error" not in fsck.stderr:
            return []
    return [f"git fsck: {fsck.stderr[:500]}"]


def wait_for_git(path: Path, seconds: float = 60) -> None:
    """A killed web process may leave a git that finishes what the policy has allowed."""
    deadline = time.monotonic() + seconds
    while found := subprocess.run(["pgrep", "-f", f"git.*{path}"], capture_output=True, text=True).stdout:
        assert time.monotonic() < deadline, f"git runs on: {found}"
        time.sleep(0.1)


# ---- objects -------------------------------------------------------------------------------------
class Uploads(Work):
    """Chunked uploads of small and large objects, as dvc sends them."""

    count = 6
    sizes = (1, 100, 100_000, 3_000_000, 12_000_000)

    def __init__(self, stage: Stage, round_number: int) -> None:
        super().__init__(stage, round_number)
        self.sent: dict[str, int] = {}  # md5 → size
        self.kept: set[str] = set()

    def work(self, number: int) -> None:
        chance = random.Random(self.round * 100 + number)
        with httpx.Client(auth=self.stage.auth, timeout=60) as client:
            while not self.down.is_set():
                data = os.urandom(chance.choice(self.sizes) + chance.randrange(1000))
                oid = hashlib.md5(data).hexdigest()
                self.sent[oid] = len(data)
                pieces = (data[i : i + 65_536] for i in range(0, len(data), 65_536))
                try:
                    answer = client.post(self._url(oid), content=pieces)
                except httpx.HTTPError:
                    return
                if answer.status_code == 201:
                    self.kept.add(oid)
                    self.acknowledge()

    def violations(self) -> list[str]:
        found = []
        with httpx.Client(auth=self.stage.auth, timeout=60) as client:
            for oid, size in self.sent.items():
                answer = client.get(self._url(oid))
                if answer.status_code == 200 and hashlib.md5(answer.content).hexdigest() != oid:
                    found.append(f"{oid} ({size} bytes) came back as other bytes")
                elif answer.status_code != 200 and (oid in self.kept or answer.status_code != 404):
                    found.append(f"{oid} ({size} bytes, acknowledged: {oid in self.kept}): {answer.status_code}")
        return found

    def _url(self, oid: str) -> str:
        return f"{self.stage.address}.dvc/files/md5/{oid[:2]}/{oid[2:]}"


# ---- runs ----------------------------------------------------------------------------------------
@dataclass
class _Run:
    run_id: str
    sent: int = 0
    acknowledged: set[int] = field(default_factory=set)


class Batches(Work):
    """log_batch after log_batch, each of 50 metrics, 5 params and a tag; the last is sent again after the restart."""

    count = 3
    metrics, params = 50, 5

    def __init__(self, stage: Stage, round_number: int) -> None:
        super().__init__(stage, round_number)
        self.runs: list[_Run] = []

    def work(self, number: int) -> None:
        with httpx.Client(auth=self.stage.auth, timeout=120) as client:
            try:
                made = client.post(self._url("runs/create"), json={"experiment_id": "0", "run_name": f"r{number}"})
                if made.status_code != 200:
                    return
                run = _Run(made.json()["run"]["info"]["run_id"])
                self.runs.append(run)
                while not self.down.is_set():
                    run.sent += 1
                    if client.post(self._url("runs/log-batch"), json=self._batch(run, run.sent)).status_code == 200:
                        run.acknowledged.add(run.sent)
                        self.acknowledge()
            except httpx.HTTPError:
                return

    def violations(self) -> list[str]:
        found = []
        with httpx.Client(auth=self.stage.auth, timeout=120) as client:
            for run in self.runs:
                found += self._of(client, run)
                for number in {run.sent} - {0}:  # as a client does whose answer was lost
                    client.post(self._url("runs/log-batch"), json=self._batch(run, number)).raise_for_status()
                    run.acknowledged.add(number)
                found += self._of(client, run)
        return found

    def _of(self, client: httpx.Client, run: _Run) -> list[str]:
        """Every batch is there whole and once, or not at all; the acknowledged ones are there."""
        found = []
        data = client.get(self._url("runs/get"), params={"run_id": run.run_id}).raise_for_status().json()["run"]["data"]
        params = {p["key"] for p in data.get("params", [])}
        tags = {t["key"] for t in data.get("tags", [])}
        steps = [int(m["step"]) for m in self._history(client, run.run_id)]
        if len(steps) != len(set(steps)):
            found.append(f"run {run.run_id}: a metric is there twice")
        for number in range(1, run.sent + 1):
            first = number * self.metrics
            there = len([step for step in set(steps) if first <= step < first + self.metrics])
            parts = {f"p{number}_{i}" for i in range(self.params)}
            state = (there, len(parts & params), f"t{number}" in tags)
            if state not in {(0, 0, False), (self.metrics, self.params, True)}:
                found.append(f"run {run.run_id}: batch {number} is there in part: {state}")
            if number in run.acknowledged and not there:
                found.append(f"run {run.run_id}: acknowledged batch {number} is gone")
        return found

    def _history(self, client: httpx.Client, run_id: str) -> list[dict[str, str]]:
        found: list[dict[str, str]] = []
        query = {"run_id": run_id, "metric_key": "m", "max_results": "1000"}
        while True:
            page = client.get(self._url("metrics/get-history"), params=query).raise_for_status().json()
            found += page.get("metrics", [])
            if not page.get("next_page_token"):
                return found
            query["page_token"] = page["next_page_token"]

    def _batch(self, run: _Run, number: int) -> dict[str, object]:
        steps = range(number * self.metrics, (number + 1) * self.metrics)
        return {
            "run_id": run.run_id,
            "metrics": [{"key": "m", "value": s / 7, "timestamp": 1_700_000_000_000 + s, "step": s} for s in steps],
            "params": [{"key": f"p{number}_{i}", "value": str(i)} for i in range(self.params)],
            "tags": [{"key": f"t{number}", "value": "1"}],
        }

    def _url(self, name: str) -> str:
        return f"{self.stage.address}.mlflow/api/2.0/mlflow/{name}"
