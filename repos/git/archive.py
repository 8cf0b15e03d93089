"""A commit's files as one archive, streamed from git in constant memory; stopped when nobody listens any more."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path

from repos.git import commands

FORMATS = {"zip": ("zip", "application/zip"), "tar.gz": ("tar.gz", "application/gzip")}  # ending → git's word, type
TIMEOUT_SECONDS = 900
AT_ONCE = 4  # per process; more wait
PIECE_BYTES = 128 * 1024
_running: dict[asyncio.AbstractEventLoop, asyncio.Semaphore] = {}


async def stream(store: Path, commit: str, ending: str, *, prefix: str) -> AsyncIterator[bytes]:
    """The bytes of the archive. prefix: the folder everything lies in, without a slash."""
    async with _semaphore():
        read_end, write_end = os.pipe()
        try:
            process = await commands.start(
                f"--git-dir={store}",
                "archive",
                f"--format={FORMATS[ending][0]}",
                f"--prefix={prefix}/",
                commit,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=write_end,
                env=commands.environment(),
            )
        except BaseException:
            os.close(read_end)
            raise
        finally:
            os.close(write_end)
        try:
            async with asyncio.timeout(TIMEOUT_SECONDS):
                with os.fdopen(read_end, "rb", buffering=0) as pipe:
                    while piece := await asyncio.to_thread(pipe.read, PIECE_BYTES):
                        yield piece
                if await process.wait():
                    raise RuntimeError(f"git archive ended with {process.returncode}")  # cuts the connection
        finally:
            if process.returncode is None:
                commands.kill_group(process.pid)
                await process.wait()


def _semaphore() -> asyncio.Semaphore:
    """One per event loop: a semaphore may not be shared between loops."""
    loop = asyncio.get_running_loop()
    return _running.setdefault(loop, asyncio.Semaphore(AT_ONCE))
