"""`dvc push` and `dvc fetch` through the hub against DVC straight to SeaweedFS's S3: `python -m bench.dvc`.

The same client for every side, new content each round, sides in turn; the best of each counts and only ratios
(hub / straight) mean anything. SeaweedFS as it comes fsyncs nothing and the folder store everything, so the folder is
also compared with a bucket of SeaweedFS that is told to fsync (its bytes, not its names): that ratio is only shown.
Prints the growth of the server's resident memory beside them.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from tests.support import clients, services
from tests.support.hub import Hub, embedded_hub

SMALL, SMALL_BYTES = 1_000, 100_000
FSYNCED = "fsynced"  # the bucket of SeaweedFS as durable as the folder store, nearly
TARGETS = {
    ("folder", "small"): (0.75, 0.65),
    ("seaweedfs", "small"): (0.9, 0.75),
    ("folder", "large"): (0.6, 0.6),
    ("seaweedfs", "large"): (0.95, 0.95),
}


@dataclass
class Side:
    """One remote. configure(dvc) makes it the default remote of a fresh clone."""

    name: str
    configure: Callable[[Callable[..., None]], None]
    process: int | None = None
    seconds: dict[str, list[float]] = field(default_factory=dict)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rounds", type=int, default=2)
    options.add_argument("--large-bytes", type=int, default=2_000_000_000, help="0: small files only")
    chosen = options.parse_args()
    root = Path(tempfile.mkdtemp(prefix="bench-dvc-"))
    started: list[Hub] = []
    try:
        sides = make_sides(root, started)
        for number in range(chosen.rounds):
            for side in sides:
                measure(root, side, "small", lambda folder: small_files(folder))
                if chosen.large_bytes:
                    measure(root, side, "large", lambda folder: random_file(folder / "big", chosen.large_bytes))
                print(f"round {number + 1}: {side.name} {memory_of(side)}", flush=True)
        report(sides)
    finally:
        for hub in started:
            hub.stop()
        services.stop_all()
        shutil.rmtree(root, ignore_errors=True)


def make_sides(root: Path, started: list[Hub]) -> list[Side]:
    s3 = services.seaweedfs(root / "store", fsynced=FSYNCED)
    sides = [Side("straight", straight(s3, s3["COVEY_S3_BUCKET"])), Side(FSYNCED, straight(s3, FSYNCED))]
    for name, extra in [("folder", {}), ("seaweedfs", s3)]:
        home = root / f"hub-{name}"
        home.mkdir(mode=0o700)
        hub = embedded_hub(home)
        hub.commands = [["serve"]]
        hub.environment |= extra
        started.append(hub.start())
        token = hub.user("bench")
        sides.append(Side(name, through(hub, token), hub.processes[0].pid))
    return sides


def straight(s3: dict[str, str], bucket: str) -> Callable[[Callable[..., None]], None]:
    def configure(dvc: Callable[..., None]) -> None:
        dvc("remote", "add", "-f", "-d", "r", f"s3://{bucket}/straight")
        dvc("remote", "modify", "r", "endpointurl", s3["COVEY_S3_ENDPOINT"])
        dvc("remote", "modify", "--local", "r", "access_key_id", s3["COVEY_S3_ACCESS_KEY"])
        dvc("remote", "modify", "--local", "r", "secret_access_key", s3["COVEY_S3_SECRET_KEY"])

    return configure


def through(hub: Hub, token: str) -> Callable[[Callable[..., None]], None]:
    hub.repository(token, "data")

    def configure(dvc: Callable[..., None]) -> None:
        dvc("remote", "add", "-f", "-d", "r", f"{hub.url}/bench/data.dvc")
        for key, value in {"auth": "basic", "user": "bench", "password": token}.items():
            dvc("remote", "modify", "--local", "r", key, value)

    return configure


def measure(root: Path, side: Side, kind: str, fill: Callable[[Path], None]) -> None:
    """One push and one fetch of new content, in a clone that is thrown away."""
    work = root / "work"
    clone = work / "clone"
    clone.mkdir(parents=True)
    environment = {
        "PATH": f"{clients.environment('dvc')}:{os.environ['PATH']}",
        "HOME": str(work),
        "DVC_NO_ANALYTICS": "1",
        "DVC_SITE_CACHE_DIR": str(work / "site"),
        "AWS_EC2_METADATA_DISABLED": "true",
    }

    def dvc(*arguments: str) -> None:
        subprocess.run(["dvc", *arguments, "-q"], cwd=clone, env=environment, check=True, timeout=1800)

    try:
        subprocess.run(["git", "init", "-q", clone], check=True)
        dvc("init")
        side.configure(dvc)
        (clone / "data").mkdir()
        fill(clone / "data")
        dvc("add", "data")
        timed(side, f"{kind} push", lambda: dvc("push"))
        shutil.rmtree(clone / ".dvc/cache")
        shutil.rmtree(work / "site", ignore_errors=True)
        timed(side, f"{kind} fetch", lambda: dvc("fetch"))
    finally:
        shutil.rmtree(work, ignore_errors=True)


def timed(side: Side, what: str, act: Callable[[], None]) -> None:
    start = time.perf_counter()
    act()
    side.seconds.setdefault(what, []).append(time.perf_counter() - start)


def small_files(folder: Path) -> None:
    for number in range(SMALL):
        (folder / f"{number:05}.bin").write_bytes(os.urandom(SMALL_BYTES))


def random_file(path: Path, size: int) -> None:
    with path.open("wb") as file:
        for start in range(0, size, 1 << 20):
            file.write(os.urandom(min(1 << 20, size - start)))


def memory_of(side: Side) -> str:
    """Resident memory of the server, now and at its peak (Linux)."""
    if side.process is None or not Path("/proc/self/status").exists():
        return ""
    lines = Path(f"/proc/{side.process}/status").read_text().splitlines()
    return " ".join(" ".join(line.split()) for line in lines if line.startswith(("VmRSS", "VmHWM")))


def report(sides: list[Side]) -> None:
    best = {side.name: {what: min(found) for what, found in side.seconds.items()} for side in sides}
    for name in ("folder", "seaweedfs"):
        for kind in ("small", "large"):
            for what, target in zip(("push", "fetch"), TARGETS[name, kind], strict=True):
                key = f"{kind} {what}"
                if key not in best[name]:
                    continue
                mine, peer = best[name][key], best["straight"][key]
                ratio = mine / peer
                word = "ok" if ratio <= target else "MISSED"
                line = f"{name:10} {key:12} {mine:7.2f} s / {peer:7.2f} s = {ratio:.2f} (≤ {target}) {word}"
                print(line + durable(best, name, key))
    sys.stdout.flush()


def durable(best: dict[str, dict[str, float]], name: str, key: str) -> str:
    """The ratio to the peer that fsyncs, for the side that does; the hub on SeaweedFS is as durable as its bucket."""
    if name != "folder" or key not in best.get(FSYNCED, {}):
        return ""
    return f"; {best[name][key] / best[FSYNCED][key]:.2f} of SeaweedFS with fsync ({best[FSYNCED][key]:.2f} s)"


if __name__ == "__main__":
    main()
