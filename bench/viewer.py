"""How much of a table the viewer reads, and how fast its pages are: `python -m bench.viewer`.

A hub whose store is SeaweedFS behind a proxy that counts the bytes SeaweedFS gives away. A Parquet file of BYTES (20
columns of random doubles: nothing to compress, row groups of a million rows, as pandas and pyarrow write them) is put
through the DVC remote; `--bytes 5000000000` is the size that issue 3 names. Pages are asked for over HTTP with
keep-alive, signed in, compressed. Cold: each page is another one. A CSV of ROWS rows in the same store shows what is
made ready once, then paged, filtered and sorted.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import random
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from bench.browser import Browser
from bench.pages import git, percentile
from tests.support import services
from tests.support.hub import Hub, embedded_hub

BYTES, ROWS, COLUMNS = 300_000_000, 200_000, 20
FIRST_PAGE_BYTES, PAGE_MILLISECONDS = 20_000_000, 300
missed: list[str] = []


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--bytes", type=int, default=BYTES, help="of the Parquet file")
    options.add_argument("--rows", type=int, default=ROWS, help="of the CSV")
    options.add_argument("--calls", type=int, default=40, help="pages of each kind")
    chosen = options.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))  # so that the hub is ended too
    root = Path(tempfile.mkdtemp(prefix="covey-bench-viewer-"))
    s3 = services.seaweedfs(root / "weed")
    proxy = Counter(s3["COVEY_S3_ENDPOINT"])
    (root / "hub").mkdir(mode=0o700)
    hub = embedded_hub(root / "hub")
    hub.environment |= s3 | {"COVEY_S3_ENDPOINT": proxy.url}
    try:
        run(hub.start(), proxy, root, chosen)
    finally:
        hub.stop()
        services.stop_all()
        shutil.rmtree(root, ignore_errors=True)
    return bool(missed)


def run(hub: Hub, proxy: Counter, root: Path, chosen: argparse.Namespace) -> None:
    token = hub.user("bench")
    hub.repository(token, "tables")
    size = write_parquet(root / "rows.parquet", chosen.bytes)
    write_csv(root / "rows.csv", chosen.rows)
    push(hub, token, root, ["rows.parquet", "rows.csv"])
    print(f"rows.parquet: {size / 1e6:,.0f} MB, {COLUMNS} columns; rows.csv: {chosen.rows:,} rows", flush=True)
    browser = Browser(hub)
    browser.get("/bench/tables")  # what a first request of the process costs is not the page's
    parquet(browser, proxy, chosen.calls)
    text(browser, chosen.calls)


def parquet(browser: Browser, proxy: Counter, calls: int) -> None:
    table = "/bench/tables/datasets/table/main/rows.parquet"
    took, read = counted(browser, proxy, table)
    tell("Parquet in S3: first page reads", read, FIRST_PAGE_BYTES, f"bytes ({took:.0f} ms)")
    about = json.loads(browser.plain(f"{table}?format=json"))
    print(f"  {about['total']:,} rows; columns come in {about['parts']} parts", flush=True)
    pages("  warm: the first page again", browser, [table] * calls)
    pages("  cold: pages 2, 3, 4 …", browser, [f"{table}?page={n}" for n in range(2, 2 + calls)])
    chance = random.Random(2)
    deep = [counted(browser, proxy, f"{table}?page={chance.randrange(1, about['pages'] + 1)}") for _ in range(calls)]
    found = [milliseconds for milliseconds, _ in deep]
    reads = [size for _, size in deep]
    times = f"p50 {statistics.median(found):.1f} ms   p95 {percentile(found, 95):.1f} ms"
    amounts = f"reads {statistics.median(reads) / 1e6:.0f} MB, at most {max(reads) / 1e6:.0f} MB"
    print(f"{'  cold: any page (no target)':36} {times}   {amounts}", flush=True)


def text(browser: Browser, calls: int) -> None:
    table = "/bench/tables/datasets/table/main/rows.csv"
    started = time.perf_counter()
    while browser.ask("GET", table)[0] == 200 and b"diff-progress" in browser.plain(table):
        time.sleep(0.2)
    print(f"{'CSV: made ready by the worker in':36} {time.perf_counter() - started:8.1f} s", flush=True)
    chance, most = random.Random(3), json.loads(browser.plain(f"{table}?format=json"))["pages"]
    any_page = [f"{table}?page={chance.randrange(1, most + 1)}" for _ in range(calls)]
    pages("  any page", browser, any_page)
    filters = [f"{table}?filter=price:gt:{chance.random() * 100:.3f}&sort=-price" for _ in range(calls)]
    pages("  filtered and sorted, each another", browser, filters)


def pages(what: str, browser: Browser, paths: list[str]) -> None:
    times = [browser.milliseconds(path) for path in paths]
    tell(f"{what}, p95", percentile(times, 95), PAGE_MILLISECONDS, f"ms (p50 {statistics.median(times):.1f})")


def counted(browser: Browser, proxy: Counter, path: str) -> tuple[float, int]:
    """(milliseconds, bytes that the store gave away)."""
    before = proxy.given
    took = browser.milliseconds(path)
    return took, proxy.given - before


def tell(what: str, value: float, target: float, unit: str) -> None:
    word = "ok" if value <= target else "MISSED"
    if value > target:
        missed.append(what)
    print(f"{what:36} {value:14,.1f} {unit:24} target ≤ {target:,g}  {word}", flush=True)


# ---- data ----------------------------------------------------------------------------------------
def write_parquet(path: Path, size: int) -> int:
    import numpy
    import pyarrow
    from pyarrow import parquet

    chance, schema = numpy.random.default_rng(1), pyarrow.schema([(f"c{n}", pyarrow.float64()) for n in range(COLUMNS)])
    with parquet.ParquetWriter(path, schema) as writer:
        while path.stat().st_size < size:
            columns = [chance.normal(size=1_000_000) for _ in range(COLUMNS)]
            writer.write_table(pyarrow.table(columns, schema=schema))
    return path.stat().st_size


def write_csv(path: Path, rows: int) -> None:
    chance = random.Random(4)
    with path.open("w") as out:
        out.write("id,name,price,when\n")
        for n in range(rows):
            out.write(f"{n},name-{n % 997},{chance.random() * 100:.3f},2026-{n % 12 + 1:02}-{n % 28 + 1:02}\n")


def push(hub: Hub, token: str, root: Path, names: list[str]) -> None:
    """The objects through the DVC remote, their pointers through git."""
    work = root / "work"
    subprocess.run(["git", "init", "-q", "-b", "main", work], check=True)
    for name in names:
        with (root / name).open("rb") as file:
            md5 = hashlib.file_digest(file, "md5").hexdigest()
        (work / f"{name}.dvc").write_text(f"outs:\n- md5: {md5}\n  hash: md5\n  path: {name}\n")
        address = f"/bench/tables.dvc/files/md5/{md5[:2]}/{md5[2:]}"
        with (root / name).open("rb") as file:
            answer = httpx.put(f"{hub.url}{address}", content=file, auth=("any", token), timeout=3600)
            answer.raise_for_status()
        (root / name).unlink()
    git(work, "add", ".")
    git(work, "-c", "user.name=B", "-c", "user.email=b@example.org", "commit", "-qm", "Tables")
    git(work, "push", "-q", f"http://any:{token}@{hub.url.removeprefix('http://')}/bench/tables.git", "main")


# ---- the proxy -----------------------------------------------------------------------------------
class Counter:
    """Passes connections on to an endpoint. given: bytes that came back from it so far."""

    def __init__(self, endpoint: str) -> None:
        self.upstream = urlsplit(endpoint).netloc.rsplit(":", 1)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        self.given = 0
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            client, _ = self.listener.accept()
            server = socket.create_connection((self.upstream[0], int(self.upstream[1])))
            for source, target, back in ((client, server, False), (server, client, True)):
                threading.Thread(target=self._pass, args=[source, target, back], daemon=True).start()

    def _pass(self, source: socket.socket, target: socket.socket, back: bool) -> None:
        try:
            while data := source.recv(256 * 1024):
                self.given += len(data) if back else 0
                target.sendall(data)
        except OSError:
            pass  # the other side hung up
        finally:
            for end in (source, target):
                try:
                    end.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass  # it was so already


if __name__ == "__main__":
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # an installed server has its code compiled
    sys.exit(main())
