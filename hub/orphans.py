"""What a process of the tree leaves behind when it ends: a git in a session of its own, that prints nothing for an hour
and so does not notice. Linux only, elsewhere nothing happens. Standard library only."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from collections.abc import Collection, Iterator
from contextlib import suppress
from pathlib import Path

_PR_SET_CHILD_SUBREAPER = 36


def adopt() -> None:
    """From now on what loses its parent below this process becomes its child."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def end(known: Collection[int]) -> None:
    """Ask what was adopted to end, with all that it started; git then removes its temporary files. known: pids of the
    children that this process has started itself."""
    for pid in _adopted(known):
        with suppress(ProcessLookupError, PermissionError):
            if os.getpgid(pid) == pid:
                os.killpg(pid, signal.SIGTERM)
            else:
                os.kill(pid, signal.SIGTERM)


def reap(known: Collection[int]) -> None:
    for pid in _adopted(known):
        with suppress(ChildProcessError):
            os.waitpid(pid, os.WNOHANG)


def _adopted(known: Collection[int]) -> Iterator[int]:
    for task in Path("/proc/self/task").glob("*/children"):
        with suppress(OSError):  # a thread that has ended
            yield from (pid for pid in map(int, task.read_text().split()) if pid not in known)
