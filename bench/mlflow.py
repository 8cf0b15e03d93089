"""MLflow through the hub against a plain `mlflow server` on a database of the same kind: `python -m bench.mlflow`.

The peer is what its documentation starts: `mlflow server` with its own defaults (4 workers), proxied artifacts in a
folder, no telemetry. Both are of the same version and driver, each with an empty database of its own: a SQLite file
(the peer's in MLflow's own mode, ours in WAL; both sync each commit to disk), or a database of one PostgreSQL server
with fsync on. The hub also syncs each artifact to disk, which the peer does not. One client, one kept connection per
side, calls take turns so that load hits both alike; medians are compared and only ratios (hub / plain) mean anything.
The runs page is read signed in, as a browser does, and compared with search_runs of the same 100 runs over HTTP.
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx

from bench.browser import Browser
from tests.support import services
from tests.support.hub import Hub, embedded_hub

ARTIFACT_BYTES = 100 * 1024**2
TARGETS = {
    "log_metric": 1.0,
    "log_batch(1000)": 1.0,
    "create_run": 1.0,
    "search_runs(100)": 1.0,
    "up 100 MB": 1.2,
    "down 100 MB": 1.2,
    "runs page / search_runs": 0.1,
    "filtered page / search_runs": 0.1,
}
FILTER = "metrics.m2 > 10 and params.p3 != '7' and attributes.status = 'RUNNING'"  # both sides read it
COLUMNS = "&".join(f"column={kind}{number}" for kind in ("metrics.m", "params.p") for number in range(20))
missed: list[str] = []


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--database", choices=["sqlite", "postgres"], default="sqlite")
    options.add_argument("--runs", type=int, default=5000)
    options.add_argument("--calls", type=int, default=300)
    chosen = options.parse_args()
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # an installed server has its code compiled
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))  # so that both servers are ended
    home = Path(tempfile.mkdtemp(prefix="covey-bench-mlflow-"))
    home.chmod(0o755)  # PostgreSQL runs as another person
    server: subprocess.Popen[bytes] | None = None
    hub: Hub | None = None
    try:
        hub, address = make_hub(home, chosen.database)
        hub.start()
        server, url = plain_server(home / "plain", address)
        run(hub, url, server.pid, chosen)
    finally:
        if hub:
            hub.stop()
        if server:
            end(server)
        services.stop_all()
        shutil.rmtree(home, ignore_errors=True)
    return bool(missed)


# ---- both sides ----------------------------------------------------------------------------------
def make_hub(home: Path, database: str) -> tuple[Hub, str]:
    """The hub's web process alone, and the address of the peer's database."""
    (home / "hub").mkdir(mode=0o700)
    hub, address = embedded_hub(home / "hub"), f"sqlite:///{home}/plain/mlflow.db"
    hub.commands = [["serve"]]
    if database == "postgres":
        server = services.postgres(home / "postgres", durable=True)
        redis = services.redis_server(home / "redis")
        hub.environment |= {"DATABASE_URL": f"{server}/covey", "CACHE_URL": f"{redis}/0", "BROKER_URL": f"{redis}/1"}
        hub.environment |= {
            "COVEY_URL": hub.url,
            "SECRET_KEY": "a bench key that is long enough for a real one, no secret",
        }
        address = services.fresh_database(f"{server}/covey", "plain").replace("postgres://", "postgresql+psycopg://", 1)
    return hub, address


def plain_server(home: Path, database: str) -> tuple[subprocess.Popen[bytes], str]:
    port = services.free_port()
    home.mkdir()
    command = ["mlflow", "server", "--host", "127.0.0.1", "--port", str(port), "--backend-store-uri", database]
    command += ["--artifacts-destination", str(home / "artifacts")]
    environment = {**os.environ, "MLFLOW_DISABLE_TELEMETRY": "true"}
    with (home / "log").open("wb") as log:
        process = subprocess.Popen(
            [Path(sys.executable).parent / command[0], *command[1:]],
            env=environment, start_new_session=True, stdout=log, stderr=log, cwd=home,
        )  # fmt: skip
    services.wait_until(lambda: answers(f"http://127.0.0.1:{port}/health"), what="mlflow server", seconds=180)
    return process, f"http://127.0.0.1:{port}"


def end(server: subprocess.Popen[bytes]) -> None:
    """Its workers too, also amid a request."""
    os.killpg(server.pid, signal.SIGKILL)
    server.wait()


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


class Side:
    """One server: its experiment and one run to log to."""

    def __init__(self, name: str, base: str, pid: int, token: str = "") -> None:
        self.name, self.pid = name, pid
        self.client = httpx.Client(base_url=base, auth=("any", token) if token else None, timeout=120)
        self.experiment = self.call("experiments/create", {"name": "bench"})["experiment_id"]
        self.step = 0

    def call(self, path: str, document: dict[str, Any]) -> dict[str, Any]:
        answer = self.client.post(f"/api/2.0/mlflow/{path}", json=document)
        answer.raise_for_status()
        return answer.json()

    def create_run(self) -> dict[str, Any]:
        fields = {"experiment_id": self.experiment, "start_time": time.time_ns() // 10**6}
        return self.call("runs/create", fields)["run"]["info"]

    def fill(self, runs: int) -> None:
        for number in range(runs):
            metrics = [{"key": f"m{k}", "value": number * k, "timestamp": 1, "step": 0} for k in range(20)]
            params = [{"key": f"p{k}", "value": str(number)} for k in range(20)]
            run_id = self.create_run()["run_id"]
            self.call("runs/log-batch", {"run_id": run_id, "metrics": metrics, "params": params})
        self.run = self.create_run()
        path = self.run["artifact_uri"].split(":", 1)[1].lstrip("/")
        self.artifact = f"/api/2.0/mlflow-artifacts/artifacts/{path}/big.bin"

    def log_metric(self) -> None:
        self.step += 1
        self.call("runs/log-metric", {"run_id": self.run["run_id"], "key": "a", "value": 1.0} | self._when(self.step))

    def log_batch(self) -> None:
        self.step += 1000
        metrics = [{"key": "loss", "value": 1 / s} | self._when(s) for s in range(self.step - 999, self.step + 1)]
        self.call("runs/log-batch", {"run_id": self.run["run_id"], "metrics": metrics})

    @staticmethod
    def _when(step: int) -> dict[str, int]:
        return {"timestamp": step, "step": step}

    def search(self, *order: str, filter_: str = "") -> None:
        wanted = {"experiment_ids": [self.experiment], "max_results": 100, "order_by": list(order), "filter": filter_}
        assert len(self.call("runs/search", wanted)["runs"]) == 100

    def upload(self, data: bytes) -> None:
        self.client.put(self.artifact, content=data).raise_for_status()

    def download(self, data: bytes) -> None:
        taken = 0
        with self.client.stream("GET", self.artifact) as answer:
            answer.raise_for_status()
            for piece in answer.iter_raw():
                taken += len(piece)
        assert taken == len(data)


# ---- measuring -----------------------------------------------------------------------------------
def run(hub: Hub, url: str, plain_pid: int, chosen: argparse.Namespace) -> None:
    token = hub.user("bench")
    web = httpx.Client(base_url=hub.url, headers={"Authorization": f"Bearer {token}"}, timeout=120)
    web.post("/api/v1/user/repos", json={"name": "lab", "private": True}).raise_for_status()
    mine = Side("hub", f"{hub.url}/bench/lab.mlflow", hub.processes[0].pid, token)
    theirs = Side("plain", url, plain_pid)
    filling = [threading.Thread(target=side.fill, args=(chosen.runs,)) for side in (mine, theirs)]
    for thread in filling:
        thread.start()
    for thread in filling:
        thread.join()
    print(f"{chosen.runs} runs of 20 metrics and 20 params on {chosen.database}", flush=True)
    few = max(10, chosen.calls // 10)
    compare("log_metric", chosen.calls, mine.log_metric, theirs.log_metric)
    compare("log_batch(1000)", few, mine.log_batch, theirs.log_batch)
    compare("create_run", chosen.calls, mine.create_run, theirs.create_run)
    compare("search_runs(100)", few, mine.search, theirs.search)
    data = os.urandom(ARTIFACT_BYTES)
    with growth(mine), growth(theirs):
        compare("up 100 MB", 5, lambda: mine.upload(data), lambda: theirs.upload(data))
        compare("down 100 MB", 5, lambda: mine.download(data), lambda: theirs.download(data))
    browser = Browser(hub)
    path = f"/bench/lab/experiments?sort=-metrics.m1&{COLUMNS}"
    page = browser.plain(path)
    assert page.count(b"<tr") > 100
    compare("runs page / search_runs", few, lambda: browser.get(path), lambda: theirs.search("metrics.m1 DESC"))
    filtered = f"{path}&{urlencode({'q': FILTER})}"
    assert browser.plain(filtered).count(b"<tr") > 100
    compare(
        "filtered page / search_runs",
        few,
        lambda: browser.get(filtered),
        lambda: theirs.search("metrics.m1 DESC", filter_=FILTER),
    )


def compare(name: str, calls: int, hub: Callable[[], object], plain: Callable[[], object]) -> None:
    """Medians of alternating calls, and their ratio."""
    times: dict[str, list[float]] = {"hub": [], "plain": []}
    for number in range(calls + 3):
        for side, call in (("hub", hub), ("plain", plain)):
            started = time.perf_counter()
            call()
            if number >= 3 or calls < 10:  # the first calls fill caches
                times[side].append((time.perf_counter() - started) * 1000)
    mine, theirs = (statistics.median(found) for found in times.values())
    ratio, target = mine / theirs, TARGETS[name]
    if ratio > target:
        missed.append(name)
    print(f"{name:28} hub {mine:9.1f} ms   plain {theirs:9.1f} ms   ratio {ratio:6.3f}   target ≤ {target:<4} "
          f"{'ok' if ratio <= target else 'MISSED'}", flush=True)  # fmt: skip


@contextmanager
def growth(side: Side) -> Iterator[None]:
    """Print by how much the memory that the processes of a server hold for themselves grew at most inside."""
    processes = [side.pid, *children(side.pid)]
    before, peak, done = sum(map(anonymous_bytes, processes)), 0, threading.Event()

    def watch() -> None:
        nonlocal peak
        while not done.wait(0.02):
            peak = max(peak, sum(map(anonymous_bytes, processes)))

    watching = threading.Thread(target=watch)
    watching.start()
    try:
        yield
    finally:
        done.set()
        watching.join()
        print(f"  memory of {side.name} with artifacts: +{(peak - before) / 1024**2:.0f} MB at most", flush=True)


def children(pid: int) -> list[int]:
    found = subprocess.run(["ps", "-o", "pid=", "--ppid", str(pid)], capture_output=True, text=True).stdout.split()
    return [each for child in map(int, found) for each in (child, *children(child))]


def anonymous_bytes(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("RssAnon:")), 0)


if __name__ == "__main__":
    sys.exit(main())
