"""`covey up`: web, worker and beat as children of one process, with one log. Standard library only, so it stays small.

The listening socket belongs to the supervisor: while the web process restarts, connections wait instead of failing.
Each child's standard input is a pipe that only the supervisor holds open; when the supervisor dies, even by kill -9,
the child reads the end of it and stops.
"""

from __future__ import annotations

import contextlib
import fcntl
import importlib.util
import os
import selectors
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TextIO

from hub import bind, env, orphans
from hub.env import SettingError

READY = "Covey is ready at "
GRACE_SECONDS = 15.0
BACKOFF_SECONDS = (1.0, 2.0, 5.0, 10.0, 30.0)
STEADY_SECONDS = 60.0  # a child that ran this long starts again without waiting
LIFELINE = "COVEY_LIFELINE"
PROJECT = Path(__file__).resolve().parent.parent


@dataclass
class Child:
    """One process of the tree. wanted: restart it when it ends (a one-shot is not)."""

    name: str
    arguments: list[str]
    wanted: bool = True
    descriptors: tuple[int, ...] = ()
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    failures: int = 0
    due: float | None = None  # when to start it (monotonic seconds); None: not scheduled
    partial: dict[int, bytes] = field(default_factory=dict)


class Supervisor:
    def __init__(self, *, demo: bool) -> None:
        self.socket = bind.listen()
        descriptor = self.socket.fileno()
        self.web = Child("web", ["serve", "--descriptor", str(descriptor), "--first"], descriptors=(descriptor,))
        # These start once the web process has migrated the database and answers: the first page comes first.
        self.later = [Child("worker", ["worker"]), Child("beat", ["beat"])]
        if demo and importlib.util.find_spec("hub.demo"):
            self.later.append(Child("demo", ["demo", "--once"], wanted=False))
        self.children = [self.web, *self.later]
        self.selector = selectors.DefaultSelector()
        self.ready = False
        self.stopping_since: float | None = None
        self.exit_code = 0

    def run(self) -> int:
        """Run until told to stop; the exit code is 0 after Ctrl-C or SIGTERM, else what ended the tree."""
        self._listen_to_signals()
        orphans.adopt()
        self.web.due = time.monotonic()
        while self._busy():
            self._start_due()
            for key, _ in self.selector.select(self._patience()):
                if key.data is None:
                    self._on_signal()
                else:
                    self._relay(*key.data)
            self._reap()
            self._enforce_grace()
        return self.exit_code

    # ---- signals -------------------------------------------------------------------------------
    def _listen_to_signals(self) -> None:
        self._wake_read, wake_write = os.pipe()
        for end in (self._wake_read, wake_write):
            os.set_blocking(end, False)
        signal.set_wakeup_fd(wake_write, warn_on_full_buffer=False)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGCHLD):
            signal.signal(number, lambda *_: None)
        self.selector.register(self._wake_read, selectors.EVENT_READ, None)

    def _on_signal(self) -> None:
        received = set(os.read(self._wake_read, 4096))
        if received & {signal.SIGINT, signal.SIGTERM, signal.SIGHUP}:
            if self.stopping_since is None:
                self._say("stopping (again to stop at once)")
                self._stop()
            else:
                self.stopping_since = -GRACE_SECONDS

    # ---- children ------------------------------------------------------------------------------
    def _busy(self) -> bool:
        return any(c.process for c in self.children) or (self.stopping_since is None and self.web.due is not None)

    def _patience(self) -> float | None:
        """Seconds until something must be done without being woken."""
        now = time.monotonic()
        times = [child.due - now for child in self.children if child.due is not None]
        if self.stopping_since is not None:
            times.append(max(0.2, self.stopping_since + GRACE_SECONDS - now))
        return max(0.0, min(times)) if times else None

    def _start_due(self) -> None:
        for child in self.children:
            if child.due is not None and child.due <= time.monotonic():
                child.due = None
                self._start(child)

    def _start(self, child: Child) -> None:
        # Of glibc, which gives each thread a heap of its own and little of it back: 40 MB of the web process.
        arenas = {"MALLOC_ARENA_MAX": "2"}
        environment = {**arenas, **os.environ, LIFELINE: "1", "PYTHONPATH": str(PROJECT), "PYTHONUNBUFFERED": "1"}
        child.started = time.monotonic()
        child.process = subprocess.Popen(
            # -P: a folder named datasets or hub where the user happens to stand must not be imported.
            [sys.executable, "-P", "-m", "hub.cli", *child.arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment,
            pass_fds=child.descriptors,
            start_new_session=True,  # Ctrl-C reaches only the supervisor, which stops the others in order
        )
        for stream in (child.process.stdout, child.process.stderr):
            assert stream is not None
            os.set_blocking(stream.fileno(), False)
            self.selector.register(stream, selectors.EVENT_READ, (child, stream))

    def _reap(self) -> None:
        for child in self.children:
            if child.process is not None and child.process.poll() is not None:
                self._ended(child, child.process)
        orphans.reap(self._pids())

    def _pids(self) -> set[int]:
        return {child.process.pid for child in self.children if child.process is not None}

    def _ended(self, child: Child, process: subprocess.Popen[bytes]) -> None:
        for stream in (process.stdout, process.stderr):
            assert stream is not None
            self._relay(child, stream)
            if stream.fileno() in self.selector.get_map():
                self.selector.unregister(stream)
            stream.close()
        assert process.stdin is not None
        process.stdin.close()
        _signal_group(process, signal.SIGKILL)  # what it had started must not outlive it
        child.process, code = None, process.returncode
        if child is not self.web:  # whose gits talk with it, and see its end
            orphans.end(self._pids())
        if self.stopping_since is not None or (not child.wanted and code == 0):
            return
        # Once the web process was ready the settings are right, also those of who starts after it: what a child then
        # ends with, a database that is away or a disk that is full, is mended while the hub runs.
        if child is self.web and not self.ready:
            self.exit_code = code if code > 0 else 1
            self._stop()
        elif child.wanted:
            self._schedule_restart(child, code)
        else:
            self._say(f"{child.name} ended with {_describe(code)}")

    def _schedule_restart(self, child: Child, code: int) -> None:
        if time.monotonic() - child.started > STEADY_SECONDS:
            child.failures = 0
        wait = BACKOFF_SECONDS[min(child.failures, len(BACKOFF_SECONDS) - 1)]
        child.failures += 1
        child.due = time.monotonic() + wait
        self._say(f"{child.name} ended with {_describe(code)}; it starts again in {wait:.0f} s")

    def _stop(self) -> None:
        self.stopping_since = time.monotonic()
        for child in self.children:
            child.due = None
            if child.process is not None:
                child.process.terminate()

    def _enforce_grace(self) -> None:
        if self.stopping_since is None or time.monotonic() - self.stopping_since < GRACE_SECONDS:
            return
        for child in self.children:
            if child.process is not None:
                _signal_group(child.process, signal.SIGKILL)

    # ---- the log -------------------------------------------------------------------------------
    def _relay(self, child: Child, stream: IO[bytes]) -> None:
        """What a child tells the person (web's standard output) passes as it is; its log is prefixed."""
        descriptor = stream.fileno()
        while True:
            try:
                piece = os.read(descriptor, 65536)
            except BlockingIOError:
                return
            if not piece:
                if descriptor in self.selector.get_map():
                    self.selector.unregister(stream)
                break
            *lines, child.partial[descriptor] = (child.partial.get(descriptor, b"") + piece).split(b"\n")
            for line in lines:
                self._line(child, stream, line)
        if rest := child.partial.pop(descriptor, b""):
            self._line(child, stream, rest)

    def _line(self, child: Child, stream: IO[bytes], line: bytes) -> None:
        assert child.process is not None
        text = line.decode(errors="replace")
        if child is self.web and stream is child.process.stdout:
            _print(text, sys.stdout)
            if text.startswith(READY) and not self.ready:
                self.ready = True
                for later in self.later:
                    later.due = time.monotonic()
        elif text:
            _print(f"{child.name:<6} | {text}", sys.stderr)

    def _say(self, text: str) -> None:
        _print(f"covey  | {text}", sys.stderr)


def _print(line: str, file: TextIO) -> None:
    """A log that cannot be written (its disk is full, its reader has gone) must not stop the hub."""
    with contextlib.suppress(OSError):
        print(line, file=file, flush=True)


def up(*, demo: bool) -> int:
    """Run the whole hub in the foreground."""
    home = env.home(Path(os.environ.get("COVEY_HOME", "").strip() or "data").absolute())
    os.environ["COVEY_HOME"] = str(home)
    lock = os.open(home / "up.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise SettingError(
            "COVEY_HOME", f"{home} is in use by another `covey up`", "Stop that one, or set another COVEY_HOME."
        ) from None
    try:
        return Supervisor(demo=demo).run()
    finally:
        os.close(lock)


def follow_supervisor() -> None:
    """In a child: stop when the supervisor is gone. Does nothing in a process that no supervisor started."""
    if not os.environ.pop(LIFELINE, ""):
        return
    lifeline = os.dup(0)  # not inherited by what this process starts
    with open(os.devnull) as nothing:
        os.dup2(nothing.fileno(), 0)

    def wait() -> None:
        while os.read(lifeline, 1024):
            pass
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(GRACE_SECONDS)  # in a thread of its own: what ends in time never sees the kill
        os.killpg(0, signal.SIGKILL)

    threading.Thread(target=wait, name="lifeline", daemon=True).start()


def _signal_group(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    try:
        os.killpg(process.pid, number)
    except (ProcessLookupError, PermissionError):  # PermissionError: macOS, when only zombies are left
        return


def _describe(code: int) -> str:
    return signal.Signals(-code).name if code < 0 else f"exit code {code}"
