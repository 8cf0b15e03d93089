"""A commit's files as one archive, streamed from git in constant memory; stopped when nobody listens any more."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

from repos.git import commands
from repos.git.transfer import Transfer

FORMATS = {"zip": ("zip", "application/zip"), "tar.gz": ("tar.gz", "application/gzip")}  # ending → git's word, type
TIMEOUT_SECONDS = 900
AT_ONCE = 4  # per process; more wait
_running: dict[asyncio.AbstractEventLoop, asyncio.Semaphore] = {}


async def stream(store: Path, commit: str, ending: str, *, prefix: str) -> AsyncIterator[bytes]:
    """The bytes of the archive. prefix: the folder everything lies in, without a slash."""
    command = ["archive", f"--format={FORMATS[ending][0]}", f"--prefix={prefix}/", commit]
    env = commands.environment()
    async with (
        _semaphore(),
        asyncio.timeout(TIMEOUT_SECONDS),
        Transfer(f"--git-dir={store}", *command, env=env, stdin=asyncio.subprocess.DEVNULL) as git,
    ):
        while piece := await git.stdout.read():
            yield piece
        if code := await git.wait():
            raise RuntimeError(f"git archive ended with {code}")  # cuts the connection


def _semaphore() -> asyncio.Semaphore:
    """One per event loop: a semaphore may not be shared between loops."""
    loop = asyncio.get_running_loop()
    return _running.setdefault(loop, asyncio.Semaphore(AT_ONCE))
