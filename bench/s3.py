"""boto3 through the hub's S3 endpoint against boto3 straight to SeaweedFS: `python -m bench.s3`.

500 objects of 100 kB put and got by 10 threads, and one large object by boto3's own multipart (8 MiB parts, 10 at
once) and back. The same client for every side, new content each round, sides in turn; the best of each counts and only
ratios (hub / straight) mean anything. The folder is also compared with a bucket that fsyncs (bench/dvc.py says why).
The server's peak of resident memory is printed beside them.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from bench.dvc import FSYNCED, durable, memory_of, random_file
from tests.support import clients, services
from tests.support.hub import Hub, embedded_hub

TARGET = 1.2
# Runs in the client's own environment. Prints {what: seconds}.
CLIENT = """
import hashlib, json, os, sys, time
from concurrent.futures import ThreadPoolExecutor
import boto3
from botocore.config import Config
endpoint, bucket, key, secret, large, count, size, prefix = sys.argv[1:]
config = Config(s3={"addressing_style": "path"}, max_pool_connections=20, retries={"max_attempts": 1})
c = boto3.client("s3", endpoint_url=endpoint, aws_access_key_id=key, aws_secret_access_key=secret,
                 region_name="us-east-1", config=config)
objects = {f"{prefix}/{n:05}": os.urandom(int(size)) for n in range(int(count))}
took = {}
def timed(what, act):
    start = time.perf_counter(); act(); took[what] = time.perf_counter() - start
def put(name): c.put_object(Bucket=bucket, Key=name, Body=objects[name])
def get(name): assert c.get_object(Bucket=bucket, Key=name)["Body"].read() == objects[name]
c.head_bucket(Bucket=bucket)
with ThreadPoolExecutor(10) as pool:
    timed("small put", lambda: list(pool.map(put, objects)))
    timed("small get", lambda: list(pool.map(get, objects)))
if os.path.getsize(large):
    timed("large put", lambda: c.upload_file(large, bucket, prefix + "/large"))
    timed("large get", lambda: c.download_file(bucket, prefix + "/large", large + ".back"))
    digest = lambda path: hashlib.file_digest(open(path, "rb"), "sha256").hexdigest()
    assert digest(large) == digest(large + ".back")
    os.unlink(large + ".back")
print(json.dumps(took))
"""


@dataclass
class Side:
    """One endpoint. keys: key id and secret. process: the server's, of the hub."""

    name: str
    endpoint: str
    bucket: str
    keys: tuple[str, str]
    process: int | None = None
    seconds: dict[str, list[float]] = field(default_factory=dict)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rounds", type=int, default=2)
    options.add_argument("--large-bytes", type=int, default=2_000_000_000)
    options.add_argument("--count", type=int, default=500)
    options.add_argument("--size", type=int, default=100_000)
    options.add_argument("--sides", default="folder seaweedfs")
    chosen = options.parse_args()
    root = Path(tempfile.mkdtemp(prefix="bench-s3-"))
    started: list[Hub] = []
    try:
        sides = make_sides(root, started, chosen.sides.split())
        for number in range(chosen.rounds):
            for side in sides:
                measure(root, side, number, chosen)
                print(f"round {number + 1}: {side.name} {last(side)} {memory_of(side)}", flush=True)
        report(sides)
    finally:
        for hub in started:
            hub.stop()
        services.stop_all()
        shutil.rmtree(root, ignore_errors=True)


def make_sides(root: Path, started: list[Hub], names: list[str]) -> list[Side]:
    s3 = services.seaweedfs(root / "weed", fsynced=FSYNCED)
    keys = (s3["COVEY_S3_ACCESS_KEY"], s3["COVEY_S3_SECRET_KEY"])
    sides = [Side("straight", s3["COVEY_S3_ENDPOINT"], s3["COVEY_S3_BUCKET"], keys)]
    sides.append(Side(FSYNCED, s3["COVEY_S3_ENDPOINT"], FSYNCED, keys))
    for name in names:
        home = root / name
        home.mkdir(mode=0o700)
        hub = embedded_hub(home)
        hub.commands = [["serve"]]
        hub.environment |= s3 if name == "seaweedfs" else {}
        started.append(hub.start())
        token = hub.user("bench")
        hub.repository(token, "data")
        sides.append(Side(name, f"{hub.url}/bench/data.s3", "data", (token, token), hub.processes[0].pid))
    return sides


def measure(root: Path, side: Side, number: int, chosen: argparse.Namespace) -> None:
    large = root / "large"
    random_file(large, chosen.large_bytes)
    arguments = [side.endpoint, side.bucket, *side.keys, str(large), str(chosen.count), str(chosen.size)]
    python = clients.environment("s3") / "python"
    done = subprocess.run(
        [str(python), "-c", CLIENT, *arguments, f"round{number}"],
        env={"PATH": os.environ["PATH"], "HOME": str(root), "AWS_EC2_METADATA_DISABLED": "true"},
        capture_output=True,
        text=True,
        timeout=3600,
    )
    if done.returncode:
        raise SystemExit(f"{side.name}: {done.stderr[-3000:]}")
    for what, seconds in json.loads(done.stdout).items():
        side.seconds.setdefault(what, []).append(seconds)
    large.unlink()


def last(side: Side) -> str:
    return " ".join(f"{what} {seconds[-1]:.2f}" for what, seconds in side.seconds.items())


def report(sides: list[Side]) -> None:
    best = {side.name: {what: min(found) for what, found in side.seconds.items()} for side in sides}
    for name in [side.name for side in sides if side.process]:
        for what, seconds in best[name].items():
            peer = best["straight"][what]
            ratio = seconds / peer
            word = "ok" if ratio <= TARGET else "MISSED"
            line = f"{name:10} {what:10} {seconds:7.2f} s / {peer:7.2f} s = {ratio:.2f} (≤ {TARGET}) {word}"
            print(line + durable(best, name, what))
    sys.stdout.flush()


if __name__ == "__main__":
    main()
