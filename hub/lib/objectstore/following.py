"""The sha256 of objects to come, made while their parts come: what lies in S3 need not be read again for it.

Parts that come in their order, or nearly, are hashed as they come; one that comes before its turn waits in memory. It
is no more than a help: this process alone knows it, and whoever joins reads what was not followed.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from hub.lib.objectstore.base import StoredPart
from hub.lib.objectstore.digests import Digests

WAITING_BYTES = 96 * 1024 * 1024  # of all uploads: ten at once of 8 MiB each, as clients send them
KEEP_SECONDS = 600


@dataclass
class _Followed:
    """done: the parts whose bytes the digests have. waiting: by number, those that have come before their turn."""

    digests: Digests = field(default_factory=lambda: Digests(md5=False))
    done: list[StoredPart] = field(default_factory=list)
    waiting: dict[int, tuple[StoredPart, bytearray]] = field(default_factory=dict)
    touched: float = 0.0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def go_on(self) -> int:
        """Hash what has its turn; how many bytes wait no longer."""
        freed = 0
        while pair := self.waiting.pop(len(self.done) + 1, None):
            part, data = pair
            self.digests.update(data)
            self.done.append(part)
            freed += len(data)
        return freed


class Following:
    """Every method may be called from any thread, and blocks for no longer than ten parts take to hash."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._uploads: dict[str, _Followed] = {}
        self._waiting_bytes = 0

    def add(self, handle: str, part: StoredPart, data: bytearray) -> None:
        """A part that the store has. data: its bytes, which nobody changes any more."""
        with self._lock:
            self._drop_idle()
            if self._waiting_bytes + len(data) > WAITING_BYTES:
                return  # what comes after it is read at the end
            followed = self._uploads.setdefault(handle, _Followed())
            followed.touched = time.monotonic()
            if part.number <= len(followed.done) or part.number in followed.waiting:
                return  # it came before with other bytes, or the same: joining finds out
            followed.waiting[part.number] = part, data
            self._waiting_bytes += len(data)
        with followed.lock:
            freed = followed.go_on()
        with self._lock:
            self._waiting_bytes -= freed

    def take(self, handle: str, parts: Sequence[StoredPart]) -> Digests:
        """The digests of the first of these parts, as many as were followed: their size tells. It is forgotten here."""
        followed = self.forget(handle)
        if followed is not None and followed.done == list(parts[: len(followed.done)]):
            return followed.digests
        return Digests(md5=False)

    def forget(self, handle: str) -> _Followed | None:
        with self._lock:
            return self._forget(handle)

    def _forget(self, handle: str) -> _Followed | None:
        followed = self._uploads.pop(handle, None)
        if followed is not None:
            with followed.lock:
                self._waiting_bytes -= sum(len(data) for _, data in followed.waiting.values())
                followed.waiting.clear()
        return followed

    def _drop_idle(self) -> None:
        before = time.monotonic() - KEEP_SECONDS
        for handle in [handle for handle, followed in self._uploads.items() if followed.touched < before]:
            self._forget(handle)
