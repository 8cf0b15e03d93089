"""Run a function of ours on a stranger's bytes in a child that can hurt nobody.

The child sees no files but Python's own, no network, no environment; its memory, time and output are bounded; what
comes back is JSON. One warm helper process forks a child per call (a few milliseconds). Where bubblewrap is missing
or namespaces are off, the limits hold and the walls do not; the log says so once.
"""

from __future__ import annotations

import atexit
import json
import logging
import os
import shutil
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from hub.lib import cores
from hub.lib.errors import Busy

logger = logging.getLogger("covey.sandbox")
MIB = 1024 * 1024
SECONDS, MEMORY_BYTES, OUTPUT_BYTES = 5.0, 768 * MIB, 16 * MIB
AT_ONCE, WAIT_SECONDS = 2, 20.0
START_SECONDS = 20.0  # for a helper to load its modules on a busy machine; a call's own time begins after it
# One thread of linear algebra: nothing here multiplies matrices, and the library's threads spin while they wait.
# numpy sorts by AVX2: its AVX-512 takes five times as long on AMD's Zen 4, and hardly less than AVX2 on others.
ENVIRONMENT = {
    "PATH": os.defpath,
    "LC_ALL": "C.UTF-8",
    "OPENBLAS_NUM_THREADS": "1",
    "NPY_DISABLE_CPU_FEATURES": "X86_V4 AVX512_ICL AVX512_SPR",
}
_PACKAGE = Path(__file__).resolve().parent.parent  # …/hub: the only code of ours that a child may read


class Unreadable(Exception):
    """The bytes are not what they claim to be; the message is for the person who looks at them."""


class Overrun(Exception):
    """The child was stopped: too slow, too large, or crashed."""


def call(
    function: str,
    payload: bytes = b"",
    *,
    seconds: float = SECONDS,
    memory_bytes: int = MEMORY_BYTES,
    output_bytes: int = OUTPUT_BYTES,
    helper: Helper | None = None,
    files: Sequence[Path] = (),
    descriptors: Sequence[int] = (),
    **options: Any,
) -> Any:
    """What `function(payload, **options)` returns, as JSON carries it.

    function: "module:name" below what the helper allows (of previews, unless one is given). files: opened here and
    named to the function, in this order, as option `files`: it sees no others. descriptors: open ones, named after them
    (a socket of hub.lib.served, for bytes that lie elsewhere). Raises Unreadable (what the function
    said), Overrun, Busy when too many wait already, or OSError when a file cannot be opened.
    """
    order = {"function": function, "options": options, "seconds": seconds, "memory_bytes": memory_bytes}
    with _turn(), _opened(files) as opened, (helper or previews).channel([*opened, *descriptors]) as channel:
        deadline = max(time.monotonic(), (helper or previews).began + START_SECONDS) + seconds + 1
        try:
            answer = _talk(channel, order, payload, deadline=deadline, output_bytes=output_bytes)
        except OSError as error:  # a timeout, or a child that died while it was being fed
            raise Overrun(function) from error
    if not answer:
        raise Overrun(function)
    try:
        result = json.loads(answer)
    except ValueError as error:
        raise Overrun(function) from error
    if "unreadable" in result:
        raise Unreadable(str(result["unreadable"])[:500])
    return result["value"]


def _talk(
    channel: socket.socket, order: dict[str, Any], payload: bytes, *, deadline: float, output_bytes: int
) -> bytes:
    header = json.dumps(order).encode()
    channel.settimeout(max(0.1, deadline - time.monotonic()))
    channel.sendall(struct.pack("!IQ", len(header), len(payload)) + header)
    if payload:  # a child that waits for none may have answered and ended by now: a pipe that is broken
        channel.sendall(payload)
    pieces: list[bytes] = []
    total = 0
    while True:
        channel.settimeout(max(0.01, deadline - time.monotonic()))
        piece = channel.recv(256 * 1024)
        if not piece:
            return b"".join(pieces)
        pieces.append(piece)
        total += len(piece)
        if total > output_bytes:
            raise OSError("the child says too much")


_turns = threading.BoundedSemaphore(AT_ONCE)


@contextmanager
def _turn() -> Iterator[None]:
    if not _turns.acquire(timeout=WAIT_SECONDS):
        raise Busy("Too many previews are being made at this moment.", details="Try again in a few seconds.")
    try:
        yield
    finally:
        _turns.release()


@contextmanager
def _opened(files: Sequence[Path]) -> Iterator[list[int]]:
    descriptors: list[int] = []
    try:
        for path in files:
            descriptors.append(os.open(path, os.O_RDONLY | os.O_CLOEXEC))
        yield descriptors
    finally:
        for descriptor in descriptors:
            os.close(descriptor)


# ---- the helper that forks ---------------------------------------------------------------------
class Helper:
    """One warm process per process of the hub; started at the first call, again when it died.

    allowed: prefix of the modules it may run. warm: modules it has loaded before it forks. packages: folders of our
    code that it may read besides hub.
    """

    def __init__(self, *, allowed: str, warm: Sequence[str], packages: Sequence[Path] = ()) -> None:
        self._what = json.dumps({"allowed": allowed, "warm": list(warm)})
        self._packages = [str(path) for path in packages]
        atexit.register(self.stop)
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None
        self._owner = 0
        self.began = 0.0

    def channel(self, files: Sequence[int] = ()) -> socket.socket:
        """A socket to a fresh child, which gets these open files."""
        ours, theirs = socket.socketpair()
        with self._lock, theirs:
            for attempt in range(2):
                try:
                    socket.send_fds(self._started(), [b"f"], [theirs.fileno(), *files])
                    return ours
                except OSError:
                    self.stop()
                    if attempt:
                        ours.close()
                        raise
        raise AssertionError("unreachable")

    def _started(self) -> socket.socket:
        alive = self._process is not None and self._process.poll() is None and self._owner == os.getpid()
        if alive and self._control:
            return self._control
        self.stop()
        control, theirs = socket.socketpair()
        with theirs:
            self._process = cores.popen(
                [
                    *self._walls(),
                    sys.executable,
                    "-I",
                    "-c",
                    _START,
                    str(_PACKAGE.parent),
                    str(theirs.fileno()),
                    self._what,
                ],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                env=ENVIRONMENT,
            )
        self._control, self._owner, self.began = control, os.getpid(), time.monotonic()
        return control

    def _walls(self) -> list[str]:
        return walled(*(word for path in self._packages for word in ("--ro-bind", path, path)))

    def stop(self) -> None:
        """Let the helper end: it leaves when its control socket closes."""
        if self._control:
            self._control.close()
        if self._process and self._owner == os.getpid():
            try:
                self._process.wait(timeout=2)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        self._process = self._control = None


# -I leaves out the working directory and the environment; sys.path keeps the site-packages of this interpreter.
_START = "import sys; sys.path.append(sys.argv[1]); from hub.lib import sandbox_child as c; c.serve(*sys.argv[2:])"
previews = Helper(
    allowed="hub.lib.previews.",
    warm=[f"hub.lib.previews.{n}" for n in ("notebook", "tables", "trees", "models", "pickles", "onnx", "thumbnails")],
)


@cache
def walls() -> tuple[str, ...]:
    """The command prefix that builds walls around a process; empty where bubblewrap cannot."""
    bwrap = shutil.which("bwrap")
    command = (bwrap, *_rooms()) if bwrap else ()
    if bwrap and subprocess.run([*command, "true"], capture_output=True, timeout=20).returncode == 0:
        return command
    logger.warning("bubblewrap does not work here: previews run with limits but without walls (install bubblewrap)")
    return ()


def walled(*rooms: str) -> list[str]:
    """walls() with more rooms (arguments of bubblewrap); [] where there are no walls."""
    return [*walls(), *rooms] if walls() else []


def _rooms() -> list[str]:
    """What a child may see: system libraries, this Python with its packages, and our hub package; all read-only."""
    seen = ["/usr", "/lib", "/lib64", "/bin", "/etc/ld.so.cache"]
    own = {sys.prefix, sys.base_prefix, str(Path(sys.executable).resolve().parent.parent), str(_PACKAGE)}
    rooms = ["--tmpfs", "/tmp", "--proc", "/proc", "--dev", "/dev"]  # noqa: S108  # inside the walls only
    for path in [*seen, *sorted(own)]:
        rooms += ["--ro-bind-try", path, path]
    return [*rooms, "--unshare-all", "--new-session", "--cap-drop", "ALL", "--hostname", "sandbox"]
