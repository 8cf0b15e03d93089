"""MLflow through the hub against a plain `mlflow server` on a database of the same kind; prints ratios (hub / plain).

    .venv/bin/python bench/mlflow.py [--runs 5000] [--calls 200]

Both on SQLite in fresh folders, one process each, calls alternating so that load hits both alike; medians are compared.
The runs page is compared with search_runs of the same 100 runs over HTTP from the plain server.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path

import httpx

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
from tests.support import services  # noqa: E402
from tests.support.hub import Hub, embedded_hub  # noqa: E402

TARGETS = {
    "log_metric": 1.0,
    "log_batch(1000)": 1.0,
    "create_run": 1.0,
    "search_runs(100)": 1.0,
    "up 100 MB": 1.2,
    "down 100 MB": 1.2,
}


class Peer:
    """One server: base URL and credentials."""

    def __init__(self, base: str, token: str = "") -> None:
        self.client = httpx.Client(base_url=base, auth=("any", token) if token else None, timeout=120)

    def call(self, path: str, document: dict) -> dict:
        answer = self.client.post(f"/api/2.0/mlflow/{path}", json=document)
        answer.raise_for_status()
        return answer.json()

    def run(self) -> dict:
        return self.call("runs/create", {"experiment_id": self.experiment, "start_time": time.time_ns() // 10**6})[
            "run"
        ]["info"]

    def fill(self, runs: int) -> None:
        self.experiment = self.call("experiments/create", {"name": "bench"})["experiment_id"]
        for number in range(runs):
            run_id = self.run()["run_id"]
            metrics = [{"key": f"m{k}", "value": number * k, "timestamp": 1, "step": 0} for k in range(20)]
            params = [{"key": f"p{k}", "value": str(number)} for k in range(20)]
            self.call("runs/log-batch", {"run_id": run_id, "metrics": metrics, "params": params})


def plain_server(home: Path) -> tuple[subprocess.Popen[bytes], str]:
    port = services.free_port()
    home.mkdir()
    command = ["mlflow", "server", "--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
    command += ["--backend-store-uri", f"sqlite:///{home}/m.db", "--artifacts-destination", str(home / "a")]
    environment = {**os.environ, "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false", "MLFLOW_DISABLE_TELEMETRY": "true"}
    process = subprocess.Popen(
        [Path(sys.executable).parent / command[0], *command[1:]], env=environment, start_new_session=True,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    services.wait_until(lambda: answers(f"http://127.0.0.1:{port}/health"), what="mlflow server", seconds=180)
    return process, f"http://127.0.0.1:{port}"


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def compare(name: str, calls: int, hub: Callable[[], object], plain: Callable[[], object]) -> dict:
    """Medians in ms of alternating calls, and their ratio."""
    times: dict[str, list[float]] = {"hub": [], "plain": []}
    for _ in range(calls):
        for side, call in (("hub", hub), ("plain", plain)):
            started = time.perf_counter()
            call()
            times[side].append((time.perf_counter() - started) * 1000)
    medians = {side: statistics.median(found) for side, found in times.items()}
    row = {
        "what": name,
        **{k: round(v, 1) for k, v in medians.items()},
        "ratio": round(medians["hub"] / medians["plain"], 2),
    }
    target = TARGETS.get(name)
    print(f"{name:22} hub {row['hub']:9.1f} ms   plain {row['plain']:9.1f} ms   ratio {row['ratio']:5.2f}"
          + (f"   target ≤ {target}" if target else ""), flush=True)  # fmt: skip
    return row


def batch(run_id: str, round_number: list[int]) -> dict:
    round_number[0] += 1
    start = round_number[0] * 1000
    metrics = [{"key": "loss", "value": 1 / (s + 1), "timestamp": 1 + s, "step": s} for s in range(start, start + 1000)]
    return {"run_id": run_id, "metrics": metrics}


def measure(hub: Peer, plain: Peer, page: Callable[[], object], calls: int) -> list[dict]:
    rows, step, rounds = [], [0], [0]
    ids = {peer: peer.run()["run_id"] for peer in (hub, plain)}

    def metric(peer: Peer) -> Callable[[], object]:
        def call() -> object:
            step[0] += 1
            return peer.call(
                "runs/log-metric",
                {"run_id": ids[peer], "key": "a", "value": 1.0, "timestamp": step[0], "step": step[0]},
            )

        return call

    search = {peer: {"experiment_ids": [peer.experiment], "max_results": 100} for peer in (hub, plain)}
    rows.append(compare("log_metric", calls, metric(hub), metric(plain)))
    batches = [lambda p=p: p.call("runs/log-batch", batch(ids[p], rounds)) for p in (hub, plain)]
    rows.append(compare("log_batch(1000)", max(10, calls // 10), *batches))
    rows.append(compare("create_run", calls, hub.run, plain.run))
    rows.append(compare("search_runs(100)", max(10, calls // 10), lambda: hub.call("runs/search", search[hub]),
                        lambda: plain.call("runs/search", search[plain])))  # fmt: skip
    data = os.urandom(100 * 1024**2)
    places = {peer: peer.run()["artifact_uri"].split(":", 1)[1].lstrip("/") for peer in (hub, plain)}
    address = {peer: f"/api/2.0/mlflow-artifacts/artifacts/{place}/big.bin" for peer, place in places.items()}
    rows.append(
        compare(
            "up 100 MB",
            5,
            *(lambda p=p: p.client.put(address[p], content=data).raise_for_status() for p in (hub, plain)),
        )
    )
    rows.append(
        compare("down 100 MB", 5, *(lambda p=p: p.client.get(address[p]).raise_for_status() for p in (hub, plain)))
    )
    ordered = {**search[plain], "order_by": ["metrics.m1 DESC"]}
    rows.append(compare("runs page vs search", 10, page, lambda: plain.call("runs/search", ordered)))
    return rows


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--runs", type=int, default=5000)
    parser.add_argument("--calls", type=int, default=200)
    arguments = parser.parse_args()
    home = Path(tempfile.mkdtemp(prefix="covey-bench-"))
    (home / "hub").mkdir(mode=0o700)
    hub: Hub = embedded_hub(home / "hub")
    hub.commands = [["serve"]]
    server = None
    try:
        hub.start()
        token = hub.user("alice")
        web = httpx.Client(base_url=hub.url, headers={"Authorization": f"Bearer {token}"}, timeout=120)
        web.post("/api/v1/user/repos", json={"name": "bench", "private": False}).raise_for_status()
        server, url = plain_server(home / "plain")
        mine, theirs = Peer(f"{hub.url}/alice/bench.mlflow", token), Peer(url)
        for peer in (mine, theirs):
            peer.fill(arguments.runs)
        columns = "&".join(f"column={kind}{k}" for kind in ("metrics.m", "params.p") for k in range(20))
        path = f"/alice/bench/experiments?sort=-metrics.m1&{columns}"
        rows = measure(
            mine, theirs, lambda: httpx.get(f"{hub.url}{path}", timeout=60).raise_for_status(), arguments.calls
        )
        print(json.dumps(rows))
    finally:
        hub.stop()
        if server is not None:
            server.terminate()
            server.wait(20)
        shutil.rmtree(home, ignore_errors=True)


if __name__ == "__main__":
    main()
