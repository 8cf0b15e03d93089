"""A git child that talks to a client: non-blocking pipes, no buffering beyond them, no child left behind."""

from __future__ import annotations

import asyncio
import fcntl
import os
import subprocess
from collections.abc import Collection, Mapping
from types import TracebackType

from repos.git import commands

PIPE_BYTES = 1024**2  # few wake-ups; an ordinary user may ask for this much on Linux
GRACE_SECONDS = 5


class Pipe:
    """Our end of a pipe to a child. Reads give b"" at the end; writes raise BrokenPipeError once git reads no more."""

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor
        os.set_blocking(descriptor, False)

    async def read(self) -> bytes:
        while True:
            try:
                return os.read(self.descriptor, commands.PIECE_BYTES)
            except BlockingIOError:
                await self._ready(reading=True)

    async def write(self, data: bytes) -> None:
        view = memoryview(data)
        while view:
            try:
                view = view[os.write(self.descriptor, view) :]
            except BlockingIOError:
                await self._ready(reading=False)

    async def _ready(self, *, reading: bool) -> None:
        loop = asyncio.get_running_loop()
        ready: asyncio.Future[None] = loop.create_future()
        add, remove = (loop.add_reader, loop.remove_reader) if reading else (loop.add_writer, loop.remove_writer)
        add(self.descriptor, _set, ready)
        try:
            await ready
        finally:
            remove(self.descriptor)

    def close(self) -> None:
        if self.descriptor >= 0:
            os.close(self.descriptor)
            self.descriptor = -1


def _set(ready: asyncio.Future[None]) -> None:
    if not ready.done():
        ready.set_result(None)


def pipe() -> tuple[int, int]:
    """(reading end, writing end), as large as the system allows."""
    reading, writing = os.pipe()
    if hasattr(fcntl, "F_SETPIPE_SZ"):
        try:
            fcntl.fcntl(writing, fcntl.F_SETPIPE_SZ, PIPE_BYTES)
        except OSError:  # the user's share of pipe memory is used up: the default size works too
            pass
    return reading, writing


class Transfer:
    """A running git. On leaving the block it is stopped with all it started, unless it has ended or keep is set.

    stdin: a file for a request that was read whole, or None for a pipe to write to.
    output: a file that git writes to, or None for a pipe to read from.
    channel: also make the two pipes of the pre-receive hook (asked: what it asks, answer: what it is told).
    """

    stdin: Pipe
    stdout: Pipe
    asked: Pipe
    answer: Pipe

    def __init__(
        self,
        *arguments: str,
        env: Mapping[str, str],
        stdin: int | None = None,
        output: int | None = None,
        channel: bool = False,
    ) -> None:
        self._arguments, self._env, self._source, self._channel = arguments, dict(env), stdin, channel
        self._sink = output
        self._ours: list[Pipe] = []
        self._process: subprocess.Popen[bytes] | None = None
        self.keep = False

    async def __aenter__(self) -> Transfer:
        theirs: list[int] = []
        try:
            source = self._source
            if source is None:
                source, ours = pipe()
                theirs.append(source)
                self.stdin = self._own(ours)
            sink = self._sink
            if sink is None:
                ours, sink = pipe()
                theirs.append(sink)
                self.stdout = self._own(ours)
            inherited = self._make_channel() if self._channel else ()
            theirs += inherited
            self._process = commands.start(
                *self._arguments, stdin=source, stdout=sink, env=self._env, pass_fds=inherited
            )
        except BaseException:  # also a cancelled request: no descriptor may outlive this
            self._close()
            raise
        finally:
            for descriptor in theirs:
                os.close(descriptor)
        return self

    def _make_channel(self) -> Collection[int]:
        ours, asking = os.pipe()
        self.asked = self._own(ours)
        told, ours = os.pipe()
        self.answer = self._own(ours)
        self._env |= {"COVEY_HOOK_ASK": f"/dev/fd/{asking}", "COVEY_HOOK_TOLD": f"/dev/fd/{told}"}
        return asking, told

    def _own(self, descriptor: int) -> Pipe:
        self._ours.append(Pipe(descriptor))
        return self._ours[-1]

    async def wait(self) -> int:
        """The exit status."""
        assert self._process
        return await commands.ended(self._process)

    def stop(self) -> None:
        """Ask git to end; it removes its temporary files."""
        if self._process and self._process.poll() is None and not self.keep:
            commands.stop_group(self._process.pid)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            await self._end()
        finally:
            self._close()

    async def _end(self) -> None:
        """A push that reads the end of its input removes its own quarantine; only then is it told, then forced."""
        if self._process is None or self._process.poll() is not None or self.keep:
            return
        for step in [*([self._hang_up] if self._channel else []), self.stop, self._kill]:
            step()
            try:
                async with asyncio.timeout(GRACE_SECONDS):
                    await commands.ended(self._process)
                return
            except TimeoutError:
                continue

    def _kill(self) -> None:
        assert self._process
        commands.kill_group(self._process.pid)

    def _hang_up(self) -> None:
        self.stdin.close()
        self.answer.close()

    def _close(self) -> None:
        for ours in self._ours:
            ours.close()
