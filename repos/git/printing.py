"""What a git command prints, streamed in constant memory; stopped when nobody listens any more."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

from repos.git import commands
from repos.git.transfer import Transfer

TIMEOUT_SECONDS = 900
AT_ONCE = 4  # per process; more wait
PAUSE_SECONDS = 0.002  # git prints 4 KiB at a time, and waking for each costs more than passing them on
_running: dict[asyncio.AbstractEventLoop, asyncio.Semaphore] = {}


async def printed(store: Path, *command: str) -> AsyncIterator[bytes]:
    """Callers have resolved every name to a full id."""
    env = commands.environment()
    async with (
        _semaphore(),
        asyncio.timeout(TIMEOUT_SECONDS),
        Transfer(f"--git-dir={store}", *command, env=env, stdin=asyncio.subprocess.DEVNULL) as git,
    ):
        while piece := await git.stdout.read():
            yield piece
            if len(piece) < commands.PIECE_BYTES:
                await asyncio.sleep(PAUSE_SECONDS)  # the pipe fills meanwhile
        if code := await git.wait():
            raise RuntimeError(f"git {command[0]} ended with {code}")  # cuts the connection


def _semaphore() -> asyncio.Semaphore:
    """One per event loop: a semaphore may not be shared between loops."""
    loop = asyncio.get_running_loop()
    return _running.setdefault(loop, asyncio.Semaphore(AT_ONCE))
