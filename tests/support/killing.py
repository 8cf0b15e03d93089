"""kill -9 of the web process while writers are at work, again and again; then every invariant is checked.

Half of the rounds kill only the web process, so that a git it started runs on; half kill its whole process group, as
the supervisor of `covey up` does.
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.support.crash_merges import Merges
from tests.support.crash_uploads import FileUploads
from tests.support.crashes import Batches, GitPushes, Stage, Uploads, Work, make_stage
from tests.support.hub import ROOT, Hub, embedded_hub, production_hub

KINDS: dict[str, type[Work]] = {
    "git": GitPushes,
    "objects": Uploads,
    "files": FileUploads,
    "runs": Batches,
    "merges": Merges,
}
SETTLE_SECONDS = 240  # abandoned pushes are settled after a minute, by a task that runs twice a minute


@dataclass
class Result:
    """What some rounds of one kind came to."""

    kind: str
    rounds: int = 0
    acknowledged: int = 0
    restart_seconds: list[float] = field(default_factory=list)
    violations: list[str] = field(default_factory=list)


@contextmanager
def stage(home: Path, *, production: bool, ready: bool = False) -> Iterator[Stage]:
    """A hub of its own: web, worker and beat as three processes, of which the first is killed. ready: as for hubs."""
    home.mkdir(mode=0o700, exist_ok=True)
    (home / "hub").mkdir(mode=0o700)
    hub = (production_hub if production else embedded_hub)(home / "hub", ready=ready)
    hub.commands = [["serve"]]
    try:
        hub.start()
        hub.commands = [["worker"], ["beat"]]
        hub.start()
        hub.commands = [["serve"], ["worker"], ["beat"]]
        yield make_stage(hub, home / "scratch")
    finally:
        hub.stop()


def rounds(stage: Stage, kind: str, count: int, *, seconds: tuple[float, float] = (0.0, 1.5)) -> Result:
    """count rounds of: writers at work, kill within these seconds after the first acknowledged write, start, check."""
    result = Result(kind)
    for number in range(count):
        work = KINDS[kind](stage, number)
        work.start()
        work.wait_for_first()
        time.sleep(random.Random(f"{kind}{number}").uniform(*seconds))
        kill(stage.hub, group=bool(number % 2))
        work.join()
        begun = time.monotonic()
        stage.hub.restart_web()
        result.restart_seconds.append(time.monotonic() - begun)
        result.rounds += 1
        result.acknowledged += work.acknowledged
        result.violations += [f"round {number}: {found}" for found in work.violations()]
        print(
            f"{kind} {number + 1}/{count}: {result.acknowledged} acknowledged",
            *result.violations,
            sep="\n  ",
            flush=True,
        )
    return result


def kill(hub: Hub, *, group: bool) -> None:
    if group:
        os.killpg(hub.processes[0].pid, signal.SIGKILL)
    hub.kill_web()


def settled(stage: Stage) -> list[str]:
    """Wait until the worker has nothing left to do; what is wrong then."""
    deadline = time.monotonic() + SETTLE_SECONDS
    while True:
        facts = recount(stage)
        if not facts["pending"] or time.monotonic() > deadline:
            return facts["pending"] + facts["wrong"] + log_of(stage)
        time.sleep(5)


def recount(stage: Stage) -> dict[str, list[str]]:
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "tests.support.recount", stage.name],
        cwd=ROOT,
        env=stage.hub.environment,
        text=True,
        capture_output=True,
        timeout=180,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, list[str]] = json.loads(done.stdout.partition("FACTS ")[2])
    return found


def log_of(stage: Stage) -> list[str]:
    return [f"log: {line}" for line in stage.hub.log().splitlines() if "database is locked" in line][:5]
