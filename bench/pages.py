"""How fast and how heavy the pages are, over HTTP with keep-alive as a browser asks: `python -m bench.pages`.

A whole hub (`covey up`: web, worker, beat) with the demo, and a repository of COMMITS commits whose folder `many` has
1,000 entries, each last changed by another commit somewhere in that history. Pages are read signed in, one after the
other, compressed. Cold: the first answer after a new commit, and after a restart of the web process.
Transfer: Chromium loads the page with an empty cache; bytes as they came over the wire, headers included.
Under load: the same pages while bench.slow's clients transfer; idle and loaded rounds take turns.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import random
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import urllib.request
from pathlib import Path
from urllib.parse import urlsplit

from bench.browser import HEADERS, Browser
from tests.support import services
from tests.support.hub import Hub, embedded_hub, production_hub

COMMITS, ENTRIES = 20_000, 1_000
SLOW_OBJECT_BYTES = 50_000_000
TREE, HOME, DEMO = "/bench/big/tree/main/many", "/bench/big", "/demo/bird-counter"
PAGES = {
    "home": "/",
    "repository": DEMO,
    "folder": f"{DEMO}/tree/main/data",
    "python": f"{DEMO}/blob/main/src/train.py",
    "csv": f"{DEMO}/blob/main/data/observations.csv",
    "commits": f"{DEMO}/commits/main",
    "data": f"{DEMO}/data",
    "experiments": f"{DEMO}/experiments",
}
TRANSFERRED = PAGES | {
    "tree of 1,000": TREE,
    "big repository": HOME,
    "explore": "/explore",
    "notebook": f"{DEMO}/blob/main/notebooks/explore.ipynb",
    "blame": f"{DEMO}/blame/main/src/train.py",
    "compare": f"{DEMO}/compare/main...clean-labels",
    "find a file": f"{DEMO}/find/main",
    "tokens": "/settings/tokens",
}
missed: list[str] = []


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--commits", type=int, default=COMMITS)
    options.add_argument("--calls", type=int, default=200)
    options.add_argument("--rounds", type=int, default=3, help="idle and loaded, each")
    options.add_argument("--clients", type=int, default=50)
    options.add_argument("--production", action="store_true", help="PostgreSQL, SeaweedFS and Redis")
    options.add_argument("--only", choices=["latency", "transfer", "load"], nargs="+")
    chosen = options.parse_args()
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # an installed server has its code compiled
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))  # so that the hub is ended too
    root = Path(tempfile.mkdtemp(prefix="covey-bench-pages-"))
    root.chmod(0o755)  # PostgreSQL runs as another person
    if chosen.production:
        os.environ.update(services.production_environment(str(root)))
    (root / "hub").mkdir(mode=0o700)
    hub = (production_hub if chosen.production else embedded_hub)(root / "hub")
    try:
        run(hub.start(), root, chosen)
    finally:
        hub.stop()
        services.stop_all()
        shutil.rmtree(root, ignore_errors=True)
    return bool(missed)


def run(hub: Hub, root: Path, chosen: argparse.Namespace) -> None:
    parts = chosen.only or ["latency", "transfer", "load"]
    hub.covey("demo", "--once")
    wait_for_mlflow(hub, 1)
    token = hub.user("bench")
    work = push_history(hub, token, root, chosen.commits)
    if "latency" in parts:
        latency(hub, work, chosen.calls)
    browser = Browser(hub)
    if "transfer" in parts:
        transfer(hub, browser)
    if "load" in parts:
        under_load(hub, browser, token, work, chosen)


# ---- data ----------------------------------------------------------------------------------------
def push_history(hub: Hub, token: str, root: Path, commits: int) -> Path:
    """bench/big, pushed over HTTP and maintained by the worker; the clone it was pushed from."""
    hub.repository(token, "big", private=False)
    work = make_history(root / "work", commits)
    git(work, "remote", "add", "origin", f"http://any:{token}@{hub.url.removeprefix('http://')}/bench/big.git")
    git(work, "push", "-q", "origin", "main")
    path = Path(hub.covey("admin", "repo-path", "bench/big"))
    graph = path / "objects/info/commit-graphs/commit-graph-chain"
    services.wait_until(
        lambda: graph.exists() or graph.parent.with_name("commit-graph").exists(), what="maintenance", seconds=300
    )
    return work


def make_history(path: Path, commits: int) -> Path:
    """Each entry of many/ is last changed by a commit of its own, spread over the whole history."""
    subprocess.run(["git", "init", "-q", "--bare", "-b", "main", path], check=True)
    importing = subprocess.Popen(["git", "fast-import", "--quiet"], cwd=path, stdin=subprocess.PIPE)
    assert importing.stdin
    chance = random.Random(1)
    readme = "# Big\n\n" + "".join(f"## Part {n}\n\nIt *says* `x = {n}`, and $e^{{{n}}}$.\n\n" for n in range(40))
    for number in range(commits):
        entry, rest = divmod(number * ENTRIES, commits)
        changes = {f"src/part{number % 37}/module{number % 301}.py": chance.randbytes(900).hex()}
        if rest < ENTRIES:
            changes[f"many/sample-{entry:04}.json"] = f'{{"n": {number}}}'
        if number == 0:
            changes |= {"README.md": readme, "LICENSE": "Free.\n", "big.bin": chance.randbytes(8_000_000).hex()}
        message = f"Mend the loader of shard {number % 97} ({number})"
        head = f"commit refs/heads/main\ncommitter Ada <ada@example.org> {1_600_000_000 + 600 * number} +0000\n"
        importing.stdin.write(f"{head}data {len(message)}\n{message}\n".encode())
        for name, content in changes.items():
            importing.stdin.write(f"M 644 inline {name}\ndata {len(content)}\n{content}\n".encode())
    importing.stdin.close()
    assert importing.wait() == 0
    return path


def new_commit(work: Path) -> None:
    """One more commit on main, pushed: nothing that was cached by a commit's id serves it."""
    tree, parent = git(work, "rev-parse", "main^{tree}"), git(work, "rev-parse", "main")
    sha = git(work, "-c", "user.name=B", "-c", "user.email=b@example.org", "commit-tree", "-p", parent, "-m", "x", tree)
    git(work, "update-ref", "refs/heads/main", sha)
    git(work, "push", "-q", "origin", "main")


def git(folder: Path, *arguments: str) -> str:
    return subprocess.run(
        ["git", *arguments], cwd=folder, check=True, stdout=subprocess.PIPE, text=True, timeout=600
    ).stdout.strip()


# ---- time ----------------------------------------------------------------------------------------
def latency(hub: Hub, work: Path, calls: int) -> None:
    browser = Browser(hub)
    cold = []
    for _ in range(5):
        new_commit(work)
        cold.append(browser.milliseconds(TREE))
    tell("tree of 1,000, cold (new commit)", max(cold), 2000, "ms, slowest of 5")
    settle(browser, TREE)
    restart(hub)
    browser = Browser(hub)
    tell("tree of 1,000, cold (restarted)", browser.milliseconds(TREE), 2000, "ms, while MLflow is imported")
    wait_for_mlflow(hub, 2)
    settle(browser, TREE)
    warm, cpu = measured(hub, browser, TREE, calls)
    tell("tree of 1,000, warm p95", percentile(warm, 95), 60, f"ms (p50 {statistics.median(warm):.1f}, {cpu})")
    for name, path in [("big", HOME), ("demo", DEMO)]:
        times, cpu = measured(hub, browser, path, calls)
        p50, p95 = statistics.median(times), percentile(times, 95)
        tell(f"repository home ({name}) p50", p50, 60, f"ms (p95 {p95:.1f}, {cpu})")
    for name, path in PAGES.items():
        times, cpu = measured(hub, browser, path, calls // 4)
        p50, p95 = statistics.median(times), percentile(times, 95)
        print(f"{'  ' + name:36} p50 {p50:8.1f} ms   p95 {p95:8.1f} ms   {cpu}", flush=True)


def measured(hub: Hub, browser: Browser, path: str, calls: int) -> tuple[list[float], str]:
    """Milliseconds of each call, and the processor time of the web process per call: on a busy machine the first
    tells of the machine, the second still of the page."""
    browser.get(path)
    before = processor_seconds(hub)
    times = [browser.milliseconds(path) for _ in range(calls)]
    return times, f"cpu {(processor_seconds(hub) - before) / calls * 1000:.1f} ms"


def processor_seconds(hub: Hub) -> float:
    """Of the web process: the first, or the child of `covey up` that serves."""
    found = [hub.processes[0].pid]
    if hub.commands[0] == ["up"]:
        listed = subprocess.run(
            ["ps", "-o", "pid=,args=", "--ppid", str(found[0])], capture_output=True, text=True, check=True
        )
        found = [int(line.split()[0]) for line in listed.stdout.splitlines() if " serve" in line]
    words = Path(f"/proc/{found[0]}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")


def restart(hub: Hub) -> None:
    hub.stop()
    hub.start()


def wait_for_mlflow(hub: Hub, starts: int) -> None:
    """It is imported in the background after each start of the web process, and takes the interpreter for seconds."""
    services.wait_until(lambda: hub.log().count("MLflow loaded in") >= starts, what="MLflow", seconds=300)


def settle(browser: Browser, path: str) -> None:
    """Ask until every last commit is known, as the page itself does by its fragment."""
    for _ in range(20):
        if b"/tree-commits/" not in browser.plain(path):
            return
        browser.get(path.replace("/tree/", "/tree-commits/"))
    raise AssertionError("the last commits were never all found")


def percentile(values: list[float], percent: int) -> float:
    return statistics.quantiles(values, n=100, method="inclusive")[percent - 1]


def tell(what: str, value: float, target: float, unit: str) -> None:
    word = "ok" if value <= target else "MISSED"
    if value > target:
        missed.append(what)
    print(f"{what:36} {value:10.2f} {unit:38} target ≤ {target:g}  {word}", flush=True)


# ---- bytes ---------------------------------------------------------------------------------------
def transfer(hub: Hub, session: Browser) -> None:
    """First visits in Chromium, nothing cached."""
    from playwright.sync_api import sync_playwright

    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=found, args=["--no-sandbox", "--disable-gpu"])
        for name, path in TRANSFERRED.items():
            total = sum(visit(chromium, hub, session, path).values())
            tell(f"transfer: {name}", total / 1024, 100, "KB")
        run_page = re.search(
            rb'href="(/demo/bird-counter/experiments/runs/[0-9a-f]{32})"', session.plain(PAGES["experiments"])
        )
        assert run_page
        sizes = visit(chromium, hub, session, run_page[1].decode(), wait="[data-chart][data-drawn]")
        plotly = sum(size for url, size in sizes.items() if "plotly" in url)
        tell("transfer: run page without plotly", (sum(sizes.values()) - plotly) / 1024, 100, "KB")
        tell("transfer: plotly", plotly / 1024, 1.3 * 1024, "KB")
        chromium.close()
    script = next(url for url in sizes if "plotly" in url)
    session.connection.request("GET", urlsplit(script).path, headers=HEADERS)
    answer = session.connection.getresponse()
    answer.read()
    kept = answer.headers["Content-Encoding"] == "br" and "immutable" in answer.headers["Cache-Control"]
    tell("plotly is brotli and immutable", 0 if kept else 1, 0, "faults")


def visit(chromium: object, hub: Hub, session: Browser, path: str, wait: str = "") -> dict[str, int]:
    """Bytes on the wire by address."""
    context = chromium.new_context()  # type: ignore[attr-defined]
    context.add_cookies([{"name": k, "value": v, "url": hub.url} for k, v in session.cookies.items()])
    page = context.new_page()
    wire = context.new_cdp_session(page)
    wire.send("Network.enable")
    urls: dict[str, str] = {}
    sizes: dict[str, int] = {}
    wire.on("Network.requestWillBeSent", lambda told: urls.update({told["requestId"]: told["request"]["url"]}))
    wire.on(
        "Network.loadingFinished",
        lambda told: sizes.update({urls.get(told["requestId"], "?"): int(told["encodedDataLength"])}),
    )
    answer = page.goto(f"{hub.url}{path}", wait_until="networkidle")
    assert answer.status == 200, f"{path}: {answer.status}"
    if wait:
        page.locator(wait).first.wait_for(timeout=60_000)
    context.close()
    return sizes


# ---- load ----------------------------------------------------------------------------------------
def under_load(hub: Hub, browser: Browser, token: str, work: Path, chosen: argparse.Namespace) -> None:
    """p95 of the ordinary pages, all together, while slow clients transfer, against none."""
    data = random.Random(3).randbytes(SLOW_OBJECT_BYTES)
    md5 = hashlib.md5(data).hexdigest()
    address = f"{hub.url}/bench/big.dvc/files/md5/{md5[:2]}/{md5[2:]}"
    headers = {"Authorization": f"Bearer {token}"}
    urllib.request.urlopen(urllib.request.Request(address, data, headers, method="PUT"), timeout=300).close()
    slow = [sys.executable, "-m", "bench.slow", hub.url, token, "/bench/big", git(work, "rev-parse", "main"), md5]
    times: dict[str, list[float]] = {"idle": [], "loaded": []}
    sample(browser, chosen.calls // 4)
    for _ in range(chosen.rounds):
        times["idle"] += sample(browser, chosen.calls)
        clients = subprocess.Popen(
            [*slow, "--clients", str(chosen.clients)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert clients.stdout
        assert clients.stdout.readline() == "moving\n", "the slow clients failed"
        times["loaded"] += sample(browser, chosen.calls)
        moved, _ = clients.communicate("")
        assert clients.returncode == 0, "the slow clients failed"
        print(f"  {chosen.clients} slow clients moved {moved.strip()} bytes", flush=True)
    for name, found in times.items():
        print(f"  {name:8} p50 {statistics.median(found):7.1f} ms   p95 {percentile(found, 95):7.1f} ms", flush=True)
    ratio = percentile(times["loaded"], 95) / percentile(times["idle"], 95)
    tell(f"page p95, {chosen.clients} slow clients / idle", ratio, 1.2, "times")


def sample(browser: Browser, calls: int) -> list[float]:
    paths = list(PAGES.values())
    return [browser.milliseconds(paths[number % len(paths)]) for number in range(calls)]


if __name__ == "__main__":
    sys.exit(main())
