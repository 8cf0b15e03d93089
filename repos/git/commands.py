"""Start git: argument lists, an environment of our own, limits on every child, and no child left behind.

run, pieces and records are for pages and tasks (blocking, call them in a thread); start is for transfers (asyncio).
Callers resolve user text to full ids first, and put "--" before paths; pathspecs are literal.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import resource
import select
import signal
import subprocess
import tempfile
import time
from collections.abc import Collection, Generator, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from hub.lib import cores
from hub.lib.errors import HubError, Lost, TooLarge

CONFIG = Path(__file__).with_name("config")
HOOKS = Path(__file__).with_name("hooks")
PIECE_BYTES = 256 * 1024
STDERR_BYTES = 16 * 1024
GIB = 1024**3
NICE = 5  # of transfers, above the web process's own


# What git says of objects that are missing, packs and indexes that are no longer what they were, a broken config or
# HEAD.
_DAMAGED = re.compile(
    r"missing object|bad object|corrupt|inflate: data stream error|unable to (read|unpack|load|find) |"
    r"packfile .* (is|cannot|does)|loose object|bad config|bad ref|broken ref|invalid object|multi-pack-index|"
    r"index file .* is|not a git repository",
    re.IGNORECASE,
)


# git goes into folders by calling itself, until its stack is full; killed by a shell's child it ends with 128 more.
_OVERFLOWN = {-signal.SIGSEGV, -signal.SIGBUS, 128 + signal.SIGSEGV, 128 + signal.SIGBUS}
_TOO_DEEP = "Folders that hold each other ten thousands of levels deep do that: push it again without them."


class GitError(Exception):
    """git ended with an unexpected status. stderr: its first words, for the log and never for strangers."""

    def __init__(self, arguments: tuple[str, ...], status: int | None, stderr: str) -> None:
        super().__init__(f"git {' '.join(arguments)[:200]}: status {status}: {stderr[:500]}")
        self.status, self.stderr = status, stderr
        self.answer = _answer(status, stderr)  # see failures.as_expected


def _answer(status: int | None, stderr: str) -> HubError | None:
    if status in _OVERFLOWN:
        return TooLarge("Git itself breaks down on this.", details=_TOO_DEEP)
    return Lost() if _DAMAGED.search(stderr) else None


class GitTimeout(GitError):
    """git was stopped at its time limit."""


class GitTooMuch(GitError):
    """git said more than the caller wanted to hold in memory."""


@dataclass(frozen=True)
class Limits:
    """What one git process may use. data_bytes: heap and stacks (packs are mapped files and do not count)."""

    cpu_seconds: int = 120
    data_bytes: int = 2 * GIB
    file_bytes: int = 16 * GIB


READING = Limits()
TRANSFER = Limits(cpu_seconds=3600, data_bytes=4 * GIB, file_bytes=64 * GIB)


def environment(settings: Mapping[str, str] | None = None, **extra: str) -> dict[str, str]:
    """The whole environment of a git process; nothing of ours or of a client leaks in.

    settings: git configuration that outranks every file, e.g. {"receive.maxInputSize": "4g"}.
    """
    chosen = {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": "/nonexistent",
        "LC_ALL": "C",
        "TZ": "UTC",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": str(CONFIG),
        "GIT_ATTR_NOSYSTEM": "1",
        "GIT_LITERAL_PATHSPECS": "1",
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_NO_REPLACE_OBJECTS": "1",
        "GIT_TERMINAL_PROMPT": "0",
    }
    return chosen | configuration(settings or {}) | extra


def configuration(settings: Mapping[str, str]) -> dict[str, str]:
    """The part of an environment that sets git's configuration for one process."""
    if not settings:
        return {}
    chosen = {"GIT_CONFIG_COUNT": str(len(settings))}
    for number, (key, value) in enumerate(settings.items()):
        chosen[f"GIT_CONFIG_KEY_{number}"], chosen[f"GIT_CONFIG_VALUE_{number}"] = key, value
    return chosen


def run(
    repository: Path,
    *arguments: str,
    stdin: bytes | int = b"",
    ok: Collection[int] = (0,),
    timeout_seconds: float = 30,
    max_bytes: int = 64 * 1024**2,
    extra: Mapping[str, str] | None = None,
    limits: Limits = READING,
) -> bytes:
    """Standard output of one git command in a bare repository.

    stdin: bytes, or a descriptor of an open file. ok: exit statuses that are answers.
    extra: more environment, e.g. a Quarantine's.
    Raises GitError, GitTimeout, or GitTooMuch past max_bytes.
    """
    found, total = [], 0
    for piece in pieces(
        repository, *arguments, stdin=stdin, ok=ok, timeout_seconds=timeout_seconds, extra=extra, limits=limits
    ):
        total += len(piece)
        if total > max_bytes:
            raise GitTooMuch(arguments, None, f"more than {max_bytes:,} bytes")
        found.append(piece)
    return b"".join(found)


def succeeds(repository: Path, *arguments: str, extra: Mapping[str, str] | None = None) -> bool:
    """For git commands that answer by exit status: 0 is yes, 1 is no. Raises GitError on any other."""
    try:
        run(repository, *arguments, extra=extra)
    except GitError as error:
        if error.status != 1:
            raise
        return False
    return True


def records(
    repository: Path,
    *arguments: str,
    separator: bytes = b"\0",
    stdin: bytes | int = b"",
    ok: Collection[int] = (0,),
    timeout_seconds: float = 30,
    extra: Mapping[str, str] | None = None,
    limits: Limits = READING,
) -> Generator[bytes, None, None]:
    """Standard output cut at a separator, as it comes. Close the generator to stop git early."""
    rest = b""
    for piece in pieces(
        repository, *arguments, stdin=stdin, ok=ok, timeout_seconds=timeout_seconds, extra=extra, limits=limits
    ):
        *whole, rest = (rest + piece).split(separator)
        yield from whole
    if rest:
        yield rest


def pieces(
    repository: Path,
    *arguments: str,
    stdin: bytes | int = b"",
    ok: Collection[int] = (0,),
    timeout_seconds: float = 30,
    extra: Mapping[str, str] | None = None,
    limits: Limits = READING,
) -> Generator[bytes, None, None]:
    """Standard output in pieces, as it comes. Closing the generator kills git and all it started."""
    with tempfile.TemporaryFile() as words, _file_of(stdin) as source:
        process = cores.popen(
            ["git", f"--git-dir={repository}", *arguments],
            stdin=source,
            stdout=subprocess.PIPE,
            stderr=words,
            env=environment() | dict(extra or {}),
        )
        limit(process.pid, limits)
        assert process.stdout is not None
        try:
            yield from _until(process.stdout.fileno(), time.monotonic() + timeout_seconds, arguments)
            code = process.wait(timeout=timeout_seconds)
        except subprocess.TimeoutExpired as error:
            raise GitTimeout(arguments, None, f"stopped after {timeout_seconds} s") from error
        finally:
            process.stdout.close()
            if process.returncode is None:
                kill_group(process.pid)
                process.wait()
        if code not in ok:
            words.seek(0)
            raise GitError(arguments, code, words.read(STDERR_BYTES).decode(errors="replace"))


@contextlib.contextmanager
def _file_of(data: bytes | int) -> Iterator[int]:
    """A file descriptor to read data from: a file, since a pipe could deadlock with what git writes."""
    if isinstance(data, int):
        yield data
        return
    if not data:
        yield subprocess.DEVNULL
        return
    with tempfile.TemporaryFile() as file:
        file.write(data)
        file.seek(0)
        yield file.fileno()


def _until(descriptor: int, deadline: float, arguments: tuple[str, ...]) -> Iterator[bytes]:
    poll = select.poll()
    poll.register(descriptor, select.POLLIN | select.POLLHUP)
    while True:
        left = deadline - time.monotonic()
        if left <= 0 or not poll.poll(left * 1000):
            raise GitTimeout(arguments, None, "stopped at its time limit")
        piece = os.read(descriptor, PIECE_BYTES)
        if not piece:
            return
        yield piece


def limit(pid: int, limits: Limits) -> None:
    """Bound a child that has just started; what it starts inherits the bounds. Linux only.

    Set from outside, since preexec_fn is unsafe in a process with threads.
    """
    if not hasattr(resource, "prlimit"):
        return
    wanted = {
        resource.RLIMIT_CPU: limits.cpu_seconds,
        resource.RLIMIT_DATA: limits.data_bytes,
        resource.RLIMIT_FSIZE: limits.file_bytes,
        resource.RLIMIT_CORE: 0,
    }
    for what, most in wanted.items():
        try:
            _, hard = resource.prlimit(pid, what)
            most = most if hard == resource.RLIM_INFINITY else min(most, hard)
            resource.prlimit(pid, what, (most, most))
        except ProcessLookupError:
            return  # it has ended already


def stand_back(pid: int) -> None:
    """Let pages have the CPU first: a clone may take a second longer, a page may not."""
    with contextlib.suppress(ProcessLookupError):  # it has ended already
        os.setpriority(os.PRIO_PROCESS, pid, min(os.getpriority(os.PRIO_PROCESS, 0) + NICE, 19))
    with contextlib.suppress(OSError):  # only Linux's autogroups, one per session, weigh by this file
        Path(f"/proc/{pid}/autogroup").write_text(str(NICE))


def kill_group(pid: int) -> None:
    """Kill a child started in its own session, with everything it started."""
    _signal_group(pid, signal.SIGKILL)


def stop_group(pid: int) -> None:
    """Ask the same to end: git then removes its temporary files."""
    _signal_group(pid, signal.SIGTERM)


def _signal_group(pid: int, number: signal.Signals) -> None:
    try:
        os.killpg(pid, number)
    except ProcessLookupError:
        return


def start(
    *arguments: str, stdin: int, stdout: int, env: Mapping[str, str], pass_fds: Collection[int] = ()
) -> subprocess.Popen[bytes]:
    """Start `git …` for a transfer in its own session, on descriptors the caller owns.

    subprocess uses vfork: under 2 ms. uvloop's own fork copies the page tables of the web process: 40 ms of standstill.
    """
    process = cores.popen(
        ["git", *arguments],
        stdin=stdin,
        stdout=stdout,
        stderr=subprocess.DEVNULL,
        env=dict(env),
        pass_fds=tuple(pass_fds),
    )
    limit(process.pid, TRANSFER)
    stand_back(process.pid)
    return process


async def ended(process: subprocess.Popen[bytes]) -> int:
    """The exit status of a started git, without holding the loop."""
    if (code := process.poll()) is not None:
        return code
    if not hasattr(os, "pidfd_open"):
        return await asyncio.to_thread(process.wait)
    descriptor = os.pidfd_open(process.pid)
    over = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_reader(descriptor, over.set)
    try:
        await over.wait()
    finally:
        loop.remove_reader(descriptor)
        os.close(descriptor)
    return process.wait()
