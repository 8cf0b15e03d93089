"""Long work on strangers' files, in a process of its own: behind the sandbox's walls it sees the files it was given,
one folder it may write to, and our code; memory, processor time, wall time and what it writes are bounded.

Where sandbox.call() answers in milliseconds from bytes, this works for minutes on files of any size.
"""

from __future__ import annotations

import json
import logging
import os
import selectors
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from hub.lib import cores, sandbox
from hub.lib.sandbox import Overrun, Unreadable

logger = logging.getLogger("covey.sandbox")
ROOT = Path(__file__).resolve().parent.parent.parent
MAX_LINE_BYTES = 16 * 1024 * 1024
_START = "import sys; sys.path.append(sys.argv[1]); from hub.lib import sandbox_work as w; w.main()"
Beat = Callable[[int, int | None], None]


@dataclass(frozen=True)
class Limits:
    seconds: float = 900.0
    memory_bytes: int = 4 * 1024**3  # of address space; engines are told less
    disk_bytes: int = 8 * 1024**3  # of any one file


def run(
    function: str,
    inputs: Mapping[str, Path],
    folder: Path,
    *,
    package: str,
    limits: Limits,
    beat: Beat,
    **options: Any,
) -> Any:
    """What `function(inputs, folder, report, **options)` returns, as JSON carries it.

    function: "module:name" in package (a top-level package of ours). inputs: files the function may read, by name.
    folder: where it may write. beat(done, total) is called about twice a second; what it raises stops the work.
    Raises Unreadable (the function said what is wrong with the files) or Overrun (too slow, too large, crashed).
    """
    seen, rooms = _rooms(inputs, folder, package)
    command = [*sandbox.walled(*rooms), sys.executable, "-I", "-c", _START, str(ROOT)]
    order = {
        "function": function,
        "inputs": seen,
        "folder": "/out" if rooms and sandbox.walls() else str(folder),
        "options": options,
        "seconds": limits.seconds,
        "memory_bytes": limits.memory_bytes,
        "disk_bytes": limits.disk_bytes,
    }
    with tempfile.TemporaryFile() as noise:
        process = cores.popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=noise, env=sandbox.ENVIRONMENT
        )
        try:
            answer = _follow(process, order, limits, beat)
        finally:
            process.kill()
            process.wait()
            for pipe in (process.stdin, process.stdout):
                if pipe:
                    pipe.close()
        if answer is None:
            noise.seek(0, os.SEEK_SET)
            logger.warning("%s ended without an answer: %s", function, noise.read()[-2000:].decode("utf-8", "replace"))
            raise Overrun(function)
    if "unreadable" in answer:
        raise Unreadable(str(answer["unreadable"])[:1000])
    return answer["value"]


def _rooms(inputs: Mapping[str, Path], folder: Path, package: str) -> tuple[dict[str, str], list[str]]:
    """(where the process finds its files, what bubblewrap is told)."""
    if not sandbox.walls():
        return {name: str(path) for name, path in inputs.items()}, []
    rooms = ["--die-with-parent", "--ro-bind", str(ROOT / package), str(ROOT / package), "--bind", str(folder), "/out"]
    for name, path in inputs.items():
        rooms += ["--ro-bind", str(path), f"/in/{name}"]
    return {name: f"/in/{name}" for name in inputs}, rooms


def _follow(
    process: subprocess.Popen[bytes], order: dict[str, Any], limits: Limits, beat: Beat
) -> dict[str, Any] | None:
    """Read reports until the answer; None when it ends or overruns without one."""
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        process.stdin.write(json.dumps(order).encode() + b"\n")
        process.stdin.flush()  # kept open: the process ends itself when its parent has died
    except BrokenPipeError:
        return None
    deadline = time.monotonic() + limits.seconds
    told: tuple[int, int | None] = (0, None)
    lines = _Lines(process.stdout)
    while time.monotonic() < deadline:
        for line in lines.next(seconds=0.5):
            message = json.loads(line)
            if "done" not in message:
                return dict(message)
            told = (message["done"], message["total"])
        beat(*told)
        if lines.ended:
            return None
    return None


class _Lines:
    """Whole lines of a pipe, as they come."""

    def __init__(self, pipe: IO[bytes]) -> None:
        self.pipe, self.rest, self.ended = pipe, bytearray(), False
        self.selector = selectors.DefaultSelector()
        self.selector.register(pipe, selectors.EVENT_READ)

    def next(self, *, seconds: float) -> list[bytes]:
        if not self.selector.select(seconds):
            return []
        piece = os.read(self.pipe.fileno(), 1024 * 1024)
        self.rest += piece
        if not piece or len(self.rest) > MAX_LINE_BYTES:
            self.ended = True
        *lines, rest = bytes(self.rest).split(b"\n")
        self.rest = bytearray(rest)
        return lines
