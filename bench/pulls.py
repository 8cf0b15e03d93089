"""How fast the pages of a large pull request are, over HTTP and in Chromium: `python -m bench.pulls`.

A whole hub (`covey up`), and a pull request of FILES files in which LINES lines change. First paint is Chromium's own,
signed in, with the hub's scripts and styles cached, as for somebody who uses the hub. Cold: the first visit after a
push to the branch, when nothing of the difference was ever made. Panels are fetched a second time.
The text of the difference is compared with `git diff` over the same store, the two taking turns.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import Any

from bench.browser import Browser
from bench.pages import missed, tell
from repos.git import diff
from tests.support import services
from tests.support.hub import Hub, embedded_hub, production_hub

FILES, LINES = 500, 20_000
PULL = "/bench/big/pull/1"
WORDS = ["alpha", "beta", "gamma", "delta", "return", "value", "x", "y", "loss", "rate", "=", "+", "(", ")", "[", "]"]


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rounds", type=int, default=5)
    options.add_argument("--production", action="store_true", help="PostgreSQL, SeaweedFS and Redis")
    chosen = options.parse_args()
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # an installed server has its code compiled
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))  # so that the hub is ended too
    root = Path(tempfile.mkdtemp(prefix="covey-bench-pulls-"))
    root.chmod(0o755)  # PostgreSQL runs as another person
    if chosen.production:
        os.environ.update(services.production_environment(str(root)))
    (root / "hub").mkdir(mode=0o700)
    hub = (production_hub if chosen.production else embedded_hub)(root / "hub")
    try:
        run(hub.start(), root / "work", chosen.rounds)
    finally:
        hub.stop()
        services.stop_all()
        shutil.rmtree(root, ignore_errors=True)
    return bool(missed)


def run(hub: Hub, work: Path, rounds: int) -> None:
    print(f"load {os.getloadavg()[0]:.1f}", flush=True)
    token = hub.user("bench")
    hub.repository(token, "big", private=False)
    history = History(work, f"http://any:{token}@{hub.url.removeprefix('http://')}/bench/big.git")
    history.change(0)
    body = json.dumps({"title": "Much", "head": "work", "base": "main"}).encode()
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    urllib.request.urlopen(
        urllib.request.Request(f"{hub.url}/api/v1/repos/bench/big/pulls", body, headers), timeout=60
    ).close()
    browser = Browser(hub)
    paint(hub, browser, history, rounds)
    panels(browser, history.base, history.head, rounds)
    text(hub, browser, rounds)
    print(f"load {os.getloadavg()[0]:.1f}", flush=True)


class History:
    """main, and `work`, which change() makes anew: the same files with other lines changed."""

    def __init__(self, path: Path, remote: str) -> None:
        self.path, self.remote, self.head = path, remote, ""
        self.chance = random.Random(1)
        subprocess.run(["git", "init", "-q", "--bare", "-b", "main", path], check=True)
        self.files = {f"src/part{n % 20}/module{n}.py": self.text() for n in range(FILES)}
        self.base = self.commit("main", self.files)

    def text(self) -> list[str]:
        return ["    " + " ".join(self.chance.choice(WORDS) for _ in range(9)) for _ in range(200)]

    def change(self, number: int) -> None:
        files = {}
        for name, lines in self.files.items():
            files[name] = list(lines)
            for at in self.chance.sample(range(200), LINES // FILES // 2):
                files[name][at] += f"  # change {number}"
        self.head = self.commit("work", files)

    def commit(self, branch: str, files: dict[str, list[str]]) -> str:
        words = [f"commit refs/heads/{branch}\ncommitter b <b@example.org> 1700000000 +0000\ndata 1\nx\n"]
        words += [f"from {self.base}\n"] if branch != "main" else []
        for name, lines in files.items():
            data = "\n".join(lines) + "\n"
            words.append(f"M 644 inline {name}\ndata {len(data)}\n{data}\n")
        importing = ["git", "fast-import", "--quiet", "--force"]
        subprocess.run(importing, cwd=self.path, input="".join(words).encode(), check=True)
        subprocess.run(["git", "push", "-q", "-f", self.remote, branch], cwd=self.path, check=True)
        done = subprocess.run(["git", "rev-parse", branch], cwd=self.path, capture_output=True, text=True, check=True)
        return done.stdout.strip()


FIRST_PAINT = """() => new Promise((told) => new PerformanceObserver((seen) => {
  const found = seen.getEntriesByName("first-contentful-paint");
  if (found.length) told(found[0].startTime);
}).observe({ type: "paint", buffered: true }))"""  # not wait_for_function: the page's policy forbids what it evaluates


def paint(hub: Hub, session: Browser, history: History, rounds: int) -> None:
    from playwright.sync_api import sync_playwright

    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=found, args=["--no-sandbox", "--disable-gpu"])
        context = chromium.new_context()
        context.add_cookies([{"name": k, "value": v, "url": hub.url} for k, v in session.cookies.items()])
        page = context.new_page()
        for name, path in (("files", f"{PULL}/files"), ("conversation", PULL)):
            first_paint(page, f"{hub.url}{path}")  # scripts and styles
            cold = []
            for number in range(rounds):
                history.change(number + 1)
                cold.append(first_paint(page, f"{hub.url}{path}"))
            tell(f"first paint, {name}, cold", statistics.median(cold), 400, f"ms (slowest {max(cold):.0f})")
            before = f"{hub.url}/bench/big/issues"  # who comes from a page of the hub needs no process anew
            warm = [first_paint(page, f"{hub.url}{path}", before=before) for _ in range(3 * rounds)]
            tell(f"first paint, {name}, warm", statistics.median(warm), 150, f"ms (slowest {max(warm):.0f})")
        chromium.close()


def first_paint(page: Any, url: str, *, before: str = "about:blank") -> float:
    """Milliseconds from the request. before: the page one comes from."""
    page.goto(before)
    page.wait_for_timeout(300)  # a page that is read: what it still loads is not the next one's cost
    page.goto(url, wait_until="domcontentloaded")
    return float(page.evaluate(FIRST_PAINT))


def panels(browser: Browser, base: str, head: str, rounds: int) -> None:
    ends, repository = f"{base}...{head}", "/bench/big"
    asked = {
        "merge box": f"{PULL}/merge-box",
        "second page of files": f"{PULL}/files?page=2",
        "one file": f"{PULL}/diff/{base}/{head}/src/part3/module483.py",
        "notebooks": f"{PULL}/notebooks",
        "data": f"{repository}/datasets/diff/{ends}",
        "experiments": f"{repository}/experiments/diff/{ends}",
        "pipelines": f"{repository}/pipelines/diff/{ends}",
        "versions": f"{PULL}/range",
    }
    for name, path in asked.items():
        settled(browser, path)
        times = [browser.milliseconds(path) for _ in range(2 * rounds)]
        tell(f"panel: {name}, cached", statistics.median(times), 300, f"ms (slowest {max(times):.0f})")


def settled(browser: Browser, path: str) -> None:
    """Ask until a worker has made what it shows."""
    for _ in range(120):
        if b'hx-trigger="load delay' not in browser.plain(path):
            return
        time.sleep(0.5)
    raise AssertionError(f"{path} was never made")


def text(hub: Hub, browser: Browser, rounds: int) -> None:
    """As the hub makes it, and for the record as a page's reader gets it: with the gate and over HTTP."""
    store = Path(hub.covey("admin", "repo-path", "bench/big"))
    command = ["git", f"--git-dir={store}", "diff", "--full-index", "main...work"]
    base = subprocess.run([*command[:2], "merge-base", "main", "work"], capture_output=True, check=True, text=True)
    head = subprocess.run([*command[:2], "rev-parse", "work"], capture_output=True, check=True, text=True)
    ends = base.stdout.strip(), head.stdout.strip()

    async def collect(pieces: list[bytes]) -> None:
        pieces.extend([piece async for piece in diff.text(store, *ends)])

    def made() -> bytes:
        pieces = list[bytes]()
        asyncio.run(collect(pieces))  # not returned: run() makes the repr of its task, and so of all it returns
        return b"".join(pieces)

    ours, served, theirs, texts = list[float](), list[float](), list[float](), set[bytes]()
    for _ in range(4 * rounds):
        for taken, make in (
            (theirs, lambda: subprocess.run(command, capture_output=True, check=True).stdout),
            (ours, made),
            (served, lambda: browser.plain(f"{PULL}.diff")),
        ):
            began = time.perf_counter()
            said = make()
            taken.append(time.perf_counter() - began)
            texts.add(said)
    assert len(texts) == 1, "the text is not what git says"
    git = statistics.median(theirs)
    tell("text of the difference / git diff", statistics.median(ours) / git, 1.2, f"times (git {git * 1000:.0f} ms)")
    print(f"  the same over HTTP, with the gate: {statistics.median(served) / git:.2f} times", flush=True)


if __name__ == "__main__":
    sys.exit(main())
