"""One at a time for some work in a repository. The lock is the kernel's: it goes with the process that held it."""

from __future__ import annotations

import fcntl
import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

LOOK_SECONDS = 0.02


@contextmanager
def turn(
    store: Path,
    work: str,
    *,
    most_seconds: float = math.inf,
    look_seconds: float = LOOK_SECONDS,
    waiting: Callable[[], object] = lambda: None,
) -> Iterator[bool]:
    """Whether it is ours, after most_seconds at the latest. Works of another name are not waited for.

    waiting: called each look_seconds until then.
    """
    end = time.monotonic() + most_seconds
    with open(store / f"covey-{work}", "a") as lock:
        while not (ours := _taken(lock)) and time.monotonic() < end:
            waiting()
            time.sleep(look_seconds)
        yield ours


def _taken(lock: IO[str]) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
