"""The inside of a long piece of work (sandbox_job): read one order, report how far it is, answer, end."""

from __future__ import annotations

import importlib
import json
import os
import resource
import signal
import sys
import threading
import time
from pathlib import Path
from typing import Any, TextIO

REPORT_SECONDS = 0.3


def main() -> None:
    talk = _apart()
    order = json.loads(sys.stdin.buffer.readline())
    _bound(order)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    inputs = {name: Path(path) for name, path in order["inputs"].items()}
    module, _, name = order["function"].partition(":")
    try:
        function = getattr(importlib.import_module(module), name)
        answer = {"value": function(inputs, Path(order["folder"]), Report(talk), **order["options"])}
    except (ValueError, KeyError, TypeError, IndexError, AttributeError, RecursionError, OverflowError) as error:
        # Parsers of hostile bytes raise all of these; only a sentence of ours is shown.
        import traceback

        traceback.print_exc()
        text = str(error).split("\n", 1)[0] if isinstance(error, ValueError) else ""
        answer = {"unreadable": text or "The file is not what it claims to be."}
    _say(talk, answer)
    os._exit(0)


def _apart() -> TextIO:
    """Where the hub listens. What else this process prints, engines in C++ too, goes where its errors go."""
    talk = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    return talk


class Report:
    """report(done, total): how far the work is, in rows or bytes; cheap to call often."""

    def __init__(self, talk: TextIO) -> None:
        self._talk, self._last = talk, 0.0

    def __call__(self, done: int, total: int | None = None) -> None:
        if time.monotonic() - self._last >= REPORT_SECONDS:
            self._last = time.monotonic()
            _say(self._talk, {"done": int(done), "total": None if total is None else int(total)})


def _say(talk: TextIO, message: dict[str, Any]) -> None:
    talk.write(json.dumps(message) + "\n")
    talk.flush()


def _bound(order: dict[str, Any]) -> None:
    cpu = int(order["seconds"]) * 2 + 1  # two threads
    resource.setrlimit(resource.RLIMIT_CPU, (cpu, cpu))
    resource.setrlimit(resource.RLIMIT_FSIZE, (order["disk_bytes"], order["disk_bytes"]))
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # a write beyond it is an error that can be told
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform != "darwin":  # macOS refuses limits on address space
        resource.setrlimit(resource.RLIMIT_AS, (order["memory_bytes"], order["memory_bytes"]))


def _end_with_parent() -> None:
    while sys.stdin.buffer.read(1):
        pass
    os._exit(1)
