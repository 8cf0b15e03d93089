"""Which cores of the machine threads run on: Linux alone can be told; elsewhere nothing here has an effect.

The threads of one interpreter take turns at it. When they sit on different cores, each turn wakes another core, with
cold caches: what takes 0.5 ms of processor time on one core takes 1.2 on two (docs/decisions/0090-speed.md). So the
server's threads share a core. What computes without the interpreter (hashes, writing, git, sandboxes) has all of them.
"""

from __future__ import annotations

import os
import random
import subprocess
from collections.abc import Collection, Sequence
from contextlib import suppress
from typing import Any

_can = hasattr(os, "sched_setaffinity")
ALL = os.sched_getaffinity(0) if _can else set[int]()  # what this process was given


def share_one() -> None:
    """Keep the calling thread, and whatever it starts from now on, on one core; several hubs spread over them."""
    if _can:
        _move(random.sample(sorted(ALL), 1))


def use_all() -> None:
    """Let the calling thread run on every core again; the initializer of a pool that share_one() is not meant for."""
    if _can:
        _move(ALL)


def popen(command: Sequence[str], **options: Any) -> subprocess.Popen[bytes]:
    """A process in a session of its own, on every core: it would inherit those of the thread that starts it."""
    own = os.sched_getaffinity(0) if _can else ALL
    use_all()
    try:
        return subprocess.Popen(command, cwd="/", start_new_session=True, **options)
    finally:
        if _can:
            _move(own)


def _move(cores: Collection[int]) -> None:
    """No more than a wish: a container may forbid it, or have been given other cores meanwhile."""
    with suppress(OSError):
        os.sched_setaffinity(0, cores)
