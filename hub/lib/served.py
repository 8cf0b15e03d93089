"""Bytes that a sandboxed function asks for while it works, from a file that lies where the sandbox cannot reach.

The hub's side answers ranges over a socket, up to a limit in all; the sandbox's side is a file that may be sought in.
An order is a flag (these bytes will be wanted again), a count and that many (start, end); the answer is their bytes,
one after the other. A closed socket says that there is nothing more to have.
"""

from __future__ import annotations

import io
import socket
import struct
import threading
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

MIB = 1024 * 1024
BLOCK_BYTES, BUFFER_BYTES = 256 * 1024, 4 * MIB
AT_ONCE = 8
MAX_RANGES = 1_000
Read = Callable[[int, int, bool], bytes]  # start, end, whether they will be wanted again
_HEAD = struct.Struct("!?I")
_pool = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="served")


@dataclass
class Served:
    """The hub's side. bytes_read: so far. error: what the store said when it could not answer."""

    read: Read
    size: int
    max_bytes: int
    bytes_read: int = 0
    error: Exception | None = None
    socket: Any = field(default=None, repr=False)

    def _serve(self, ours: socket.socket) -> None:
        try:
            while len(head := ours.recv(_HEAD.size, socket.MSG_WAITALL)) == _HEAD.size:
                again, count = _HEAD.unpack(head)
                if not self._answer(ours, count, again=again):
                    break
        except Exception as error:  # whatever the store says is said by the caller, who waits for the sandbox
            self.error = error
        finally:
            ours.close()

    def _answer(self, ours: socket.socket, count: int, *, again: bool) -> bool:
        asked = ours.recv(16 * count, socket.MSG_WAITALL) if 0 < count <= MAX_RANGES else b""
        if len(asked) != 16 * count or not asked:
            return False
        numbers = struct.unpack(f"!{2 * count}Q", asked)
        ranges = list(zip(numbers[::2], numbers[1::2], strict=True))
        if any(not 0 <= start < end <= self.size for start, end in ranges):
            return False
        self.bytes_read += sum(end - start for start, end in ranges)
        if self.bytes_read > self.max_bytes:
            return False
        for data in _pool.map(lambda part: self.read(part[0], part[1], again), ranges):
            ours.sendall(data)
        return True


@contextmanager
def served(read: Read, *, size: int, max_bytes: int) -> Iterator[Served]:
    """While this lasts, a sandboxed function that is given `.socket.fileno()` may read. read: blocking, of a range.

    What read() raised is raised here in the end: then the function's own complaint was only a consequence.
    """
    made = Served(read, size, max_bytes)
    ours, made.socket = socket.socketpair()
    for end in (ours, made.socket):  # fewer turns between two processes
        end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, BUFFER_BYTES)
        end.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER_BYTES)
    thread = threading.Thread(target=made._serve, args=[ours], daemon=True)
    thread.start()
    try:
        yield made
    finally:
        made.socket.shutdown(socket.SHUT_RDWR)
        made.socket.close()
        thread.join()
        if made.error and not isinstance(made.error, ConnectionError | BrokenPipeError):
            raise made.error


class ServedFile(io.RawIOBase):
    """The sandbox's side: a file to read and seek in, which fetches blocks and remembers what it fetched."""

    def __init__(self, path: str, size: int, *, block_bytes: int = BLOCK_BYTES) -> None:
        """path: as the sandbox names the descriptor, /dev/fd/N. block_bytes: the least that is fetched at once."""
        self._socket = socket.socket(fileno=int(path.rsplit("/", 1)[1]))
        self._size, self._position, self._block_bytes = size, 0, block_bytes
        self._starts: list[int] = []
        self._pieces: dict[int, bytearray] = {}

    def fetch(self, ranges: Sequence[tuple[int, int]], *, again: bool = False) -> None:
        """Have these ranges come at once; the hub asks for them side by side. again: other calls will want them too."""
        wanted = [(start, min(end, self._size)) for start, end in ranges if start < min(end, self._size)][:MAX_RANGES]
        if not wanted:
            return
        numbers = [number for part in wanted for number in part]
        self._socket.sendall(_HEAD.pack(again, len(wanted)) + struct.pack(f"!{len(numbers)}Q", *numbers))
        for start, end in wanted:
            self._keep(start, self._receive(end - start))

    def _receive(self, size: int) -> bytearray:
        data, at = bytearray(size), 0
        room = memoryview(data)
        while at < size:
            count = self._socket.recv_into(room[at:])
            if not count:
                raise ValueError("More of this file would have to be read than one page may.")
            at += count
        return data

    def _keep(self, start: int, data: bytearray) -> None:
        if len(self._pieces.get(start, b"")) < len(data):
            if start not in self._pieces:
                self._starts.insert(bisect_right(self._starts, start), start)
            self._pieces[start] = data

    def _known(self, start: int) -> memoryview:
        """What is here from a position on; empty for none."""
        for place in reversed(self._starts[: bisect_right(self._starts, start)]):
            data = self._pieces[place]
            if start < place + len(data):
                return memoryview(data)[start - place :]
        return memoryview(b"")

    def read(self, size: int = -1) -> bytes:
        end = self._size if size < 0 else min(self._position + size, self._size)
        parts = []
        while self._position < end:
            known = self._known(self._position)
            if not known:
                block = min(max(end, self._position + self._block_bytes), self._size)
                self.fetch([(self._position, block)], again=block == self._size)  # the end says what the file holds
                continue
            parts.append(known[: end - self._position])
            self._position += len(parts[-1])
        return b"".join(parts)

    def readinto(self, buffer: Any) -> int:
        data = self.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._size}[whence]
        self._position = max(0, base + offset)
        return self._position

    def tell(self) -> int:
        return self._position

    def size(self) -> int:
        return self._size

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True
