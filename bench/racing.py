"""Many who write to one branch at the same second: `python -m bench.racing`. Exit code 1 when anything is lost.

- whether a pull request of 1,000 files can be merged: the hub's answer, in its own process, against `git merge-tree`;
- 20 pull requests merged at once against 20 merged one after the other;
- 200 clients of git that push to one branch, each until it is in, with random waits that grow after each refusal: the
  slowest against the median.

Everything else is compared in the same run; rounds alternate, and the best of each counts.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import httpx

from tests.support import services
from tests.support.crashes import git
from tests.support.hub import ROOT, Hub, embedded_hub, production_hub

FILES, ROUNDS = 1_000, 5
ATTEMPTS = 400  # of one client: fetch, rebase, push
MOST_WAIT_SECONDS = 30  # after a refusal a client waits for up to twice as long as before, as automation does
# The two tips are the main and the side of a repository; both ways begin a process of git and write to a quarantine.
MERGEABILITY = """
import json, os, subprocess, sys, tempfile, time
import django
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "hub.settings")
django.setup(set_prefix=False)
from pathlib import Path
from repos.git import commands
from repos.git.store import refs
from repos.models import Repository
from repos.pulls import mergeability
from repos.storage import store
owner, name = sys.argv[1].split("/")
repository = Repository.objects.select_related("owner").get(owner__name=owner, name=name, deleted=None)
tips = refs(repository.path, "refs/heads/")
base, head = tips["refs/heads/main"], tips["refs/heads/side"]

def ours():
    with store().quarantine(repository.pk) as quarantine:
        found = mergeability.merged(repository, quarantine, base, head, keep=False, beat=lambda *_: None)
    assert found.clean, found
    return found.tree

def plain():
    with tempfile.TemporaryDirectory() as folder:
        extra = {"GIT_OBJECT_DIRECTORY": folder, "GIT_ALTERNATE_OBJECT_DIRECTORIES": str(repository.path / "objects")}
        command = ["git", "merge-tree", "--write-tree", "-z", "--messages", base, head]
        env = {**os.environ, **extra}
        done = subprocess.run(command, cwd=repository.path, env=env, capture_output=True, check=True)
    return done.stdout.partition(b"\\0")[0].decode()

best = {"hub": 9e9, "git": 9e9}
assert ours() == plain()
for number in range(int(sys.argv[2])):
    for what, task in (("hub", ours), ("git", plain)):
        begun = time.perf_counter()
        task()
        best[what] = min(best[what], time.perf_counter() - begun)
print("FACTS " + json.dumps(best))
"""


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--clients", type=int, default=200)
    options.add_argument("--merges", type=int, default=20)
    options.add_argument("--production", action="store_true", help="on PostgreSQL, SeaweedFS and Redis")
    chosen = options.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))
    root = Path(tempfile.mkdtemp(prefix="bench-racing-"))
    os.chmod(root, 0o755)  # PostgreSQL runs as another person
    try:
        (root / "hub").mkdir(mode=0o700)
        if chosen.production:
            os.environ.update(services.production_environment(str(root)))
        hub = production_hub(root / "hub") if chosen.production else embedded_hub(root / "hub")
        hub.start()
        try:
            return run(Racing(hub, root), chosen.merges, chosen.clients)
        finally:
            hub.stop()
    finally:
        services.stop_all()
        shutil.rmtree(root, ignore_errors=True)


def run(racing: Racing, merges: int, clients: int) -> int:
    found = racing.mergeability()
    print_row(f"mergeable, {FILES:,} files / git merge-tree", found["hub"], found["git"], 1.2)
    serial = racing.merged("serial", merges, at_once=False)
    racing_seconds = racing.merged("racing", merges, at_once=True)
    print_row(f"{merges} merges racing / one after the other", racing_seconds, serial, 1.3)
    seconds = racing.pushed(clients)
    print_row(f"{clients} clients, the slowest / the median", max(seconds), statistics.median(seconds), 3.0)
    print(*racing.lost, sep="\n")
    return int(bool(racing.lost))


def print_row(what: str, ours: float, theirs: float, bound: float) -> None:
    missed = "" if ours <= bound * theirs else "  missed"
    print(f"{what:44}{ours:9.3f} s{theirs:9.3f} s{ours / theirs:8.2f} (at most {bound}){missed}", flush=True)


class Racing:
    """A hub with one person and the repositories of each race. lost: what was acknowledged and is not there."""

    def __init__(self, hub: Hub, root: Path) -> None:
        self.hub, self.root, self.lost = hub, root, list[str]()
        self.token = hub.user("bench")

    def mergeability(self) -> dict[str, float]:
        folder, remote = self.create("wide")
        for number in range(2 * FILES):
            (folder / f"{number % 40}").mkdir(exist_ok=True)
            (folder / f"{number % 40}" / f"{number}.txt").write_text("".join(f"{n} {number}\n" for n in range(40)))
        self.commit(folder, "Begin")
        for branch, line in (("side", 3), ("main", 30)):
            git("switch", "-q", "-C", branch, "main", folder=folder)
            for number in range(FILES):
                path = folder / f"{number % 40}" / f"{number}.txt"
                lines = path.read_text().splitlines(keepends=True)
                lines[line] = f"{branch}\n"
                path.write_text("".join(lines))
            self.commit(folder, branch)
            if branch == "side":
                git("push", "-q", remote, "main", "side", folder=folder)
        git("push", "-q", remote, "main", folder=folder)
        done = subprocess.run(
            [sys.executable, "-W", "ignore", "-c", MERGEABILITY, "bench/wide", str(ROUNDS)],
            cwd=ROOT, env=self.hub.environment, text=True, capture_output=True,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        found: dict[str, float] = json.loads(done.stdout.partition("FACTS ")[2])
        return found

    def merged(self, name: str, count: int, *, at_once: bool) -> float:
        """Seconds until count pull requests, each with a file of its own, are in the base."""
        folder, remote = self.create(name)
        self.commit(folder, "Begin")
        branches = [f"b{number}" for number in range(count)]
        for branch in branches:
            git("switch", "-q", "-c", branch, "main", folder=folder)
            self.commit(folder, branch)
        git("push", "-q", remote, "main", *branches, folder=folder)
        numbers = [self.api("POST", name, "pulls", title=b, head=b, base="main")["number"] for b in branches]

        def merge(number: int) -> None:
            for _ in range(50):
                if not self.api("PUT", name, f"pulls/{number}/merge").get("conflict"):
                    return
            self.lost.append(f"{name}: #{number} was never merged")

        begun = time.perf_counter()
        if at_once:
            together(merge, numbers)
        else:
            for number in numbers:
                merge(number)
        took = time.perf_counter() - begun
        self.look(name, folder, remote, branches)
        return took

    def pushed(self, count: int) -> list[float]:
        """Seconds of each client from its first attempt until its commit is in the branch."""
        folder, remote = self.create("busy")
        self.commit(folder, "Begin")
        git("push", "-q", remote, "main", folder=folder)
        clones = []
        for number in range(count):
            clone = self.root / f"client{number}"
            git("clone", "-q", "--depth", "1", f"file://{folder}", str(clone))
            self.commit(clone, f"c{number}")
            clones.append(clone)
        seconds = [0.0] * count

        def push(number: int) -> None:
            begun = time.perf_counter()
            for attempt in range(ATTEMPTS):
                if not git("push", "-q", remote, "HEAD:main", folder=clones[number], check=False).returncode:
                    break
                time.sleep(random.uniform(0, min(MOST_WAIT_SECONDS, 0.1 * 2**attempt)))
                git("fetch", "-q", "--depth", "1", remote, "main", folder=clones[number], check=False, timeout=300)
                git("reset", "-q", "--mixed", "FETCH_HEAD", folder=clones[number], check=False)
                git("add", f"c{number}", folder=clones[number])
                git("commit", "-q", "-m", f"c{number}", folder=clones[number], check=False)
            else:
                self.lost.append(f"client {number} gave up")
            seconds[number] = time.perf_counter() - begun

        together(push, range(count))
        self.look("busy", folder, remote, [f"c{number}" for number in range(count)])
        return seconds

    def look(self, name: str, folder: Path, remote: str, wanted: list[str]) -> None:
        git("fetch", "-q", remote, "main", folder=folder)
        there = set(git("ls-tree", "--name-only", "FETCH_HEAD", folder=folder).stdout.split())
        self.lost += [f"{name}: {path} is not in the base" for path in wanted if path not in there]

    def create(self, name: str) -> tuple[Path, str]:
        self.hub.repository(self.token, name)
        folder = self.root / name
        git("init", "-q", "-b", "main", str(folder))
        return folder, f"{self.hub.url.replace('//', f'//any:{self.token}@')}/bench/{name}.git"

    def commit(self, folder: Path, name: str) -> None:
        (folder / name).write_text(name)
        git("add", "-A", folder=folder)
        git("commit", "-q", "-m", name, folder=folder)

    def api(self, method: str, name: str, path: str, **body: str) -> dict[str, Any]:
        """{"conflict": True} when others were faster: try again."""
        url = f"{self.hub.url}/api/v1/repos/bench/{name}/{path}"
        answer = httpx.request(method, url, json=body, auth=("any", self.token), timeout=300)
        if answer.status_code in {409, 503}:
            return {"conflict": True}
        answer.raise_for_status()
        found: dict[str, Any] = answer.json()
        return found


def together(task: Callable[[int], None], numbers: Iterable[int]) -> None:
    threads = [threading.Thread(target=task, args=(number,)) for number in numbers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


if __name__ == "__main__":
    sys.exit(main())
