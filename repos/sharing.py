"""Identical clones under way at once share one git, which writes its answer to a file that all of them read.

A fleet of machines that clone the same revision otherwise costs one packing of the same objects each. The first goes
straight to its client, without a file; the second starts the file and the others join it. Each was let in by the gate.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from typing import IO

from hub.lib import temporary
from hub.lib.errors import Invalid
from repos import gitstreams
from repos.git import commands
from repos.git.transfer import Transfer

Key = tuple[int, str, bytes]
# Starts git with its answer going to a descriptor.
Start = Callable[[int], AbstractAsyncContextManager[Transfer]]
REQUEST_BYTES = 1024**2
REF_WORDS = (b"want-ref ", b"deepen-not ", b"have ")  # what git looks up as it is at the moment of the request
WAIT_SECONDS = 0.02  # for more of a file that git is writing


def key_of(repository_id: int, protocol: str, request: IO[bytes]) -> Key | None:
    """What two requests have in common that get the same answer; None when the answer depends on more than objects.

    Only protocol 2 asks for objects apart from refs; refs must be as fresh as the request.
    """
    body = os.pread(request.fileno(), REQUEST_BYTES + 1, 0)
    fetch = protocol.startswith("version=2") and body[4:].startswith(b"command=fetch")
    if not fetch or len(body) > REQUEST_BYTES or any(word in body for word in REF_WORDS):
        return None
    return repository_id, protocol, hashlib.sha256(body).digest()


class Answer:
    """What one git says, in a file. It is stopped, and the file is gone, when the last reader has left."""

    def __init__(self, start: Start) -> None:
        self.readers = 0
        self._file = temporary.new_file()
        self._git = asyncio.create_task(self._run(start))

    async def _run(self, start: Start) -> int:
        async with start(self._file.fileno()) as git:
            return await gitstreams.patiently(git.wait())

    async def pieces(self) -> AsyncIterator[bytes]:
        """From the beginning, as it comes. Raises Invalid when git refused the request."""
        offset = 0
        while True:
            ended = self._git.done()
            piece = os.pread(self._file.fileno(), commands.PIECE_BYTES, offset)
            if piece:
                offset += len(piece)
                yield piece
            elif not ended:
                await asyncio.wait([self._git], timeout=WAIT_SECONDS)
            elif self._git.result() and not offset:
                raise Invalid(gitstreams.NOT_UNDERSTOOD, details=gitstreams.TRY_CURRENT_GIT)
            else:
                return

    async def close(self) -> None:
        self._git.cancel()
        await asyncio.wait([self._git])
        self._file.close()


class Clones:
    """The shareable fetches under way in this process."""

    def __init__(self) -> None:
        self._alone: set[Key] = set()
        self._answers: dict[Key, Answer] = {}

    @contextlib.asynccontextmanager
    async def join(self, key: Key | None, start: Start) -> AsyncIterator[Answer | None]:
        """The answer to share, or None for whoever is alone with this request and runs git itself."""
        if key is None:
            yield None
        elif key in self._alone or key in self._answers:
            async with self._shared(key, start) as answer:
                yield answer
        else:
            self._alone.add(key)
            try:
                yield None
            finally:
                self._alone.discard(key)

    @contextlib.asynccontextmanager
    async def _shared(self, key: Key, start: Start) -> AsyncIterator[Answer]:
        answer = self._answers.get(key) or Answer(start)
        self._answers[key] = answer
        answer.readers += 1
        try:
            yield answer
        finally:
            answer.readers -= 1
            if not answer.readers:
                del self._answers[key]
                await answer.close()
