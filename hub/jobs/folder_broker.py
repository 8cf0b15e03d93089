"""Kombu's file-system broker, made safe against kill -9 and against readers that are quicker than writers.

Kombu's own writes a message under its final name: a reader that comes in between, or after a kill, reads half a
message and the worker ends. Here a file has its name only when it is whole, and one that is not is passed over: a
message is only a hint to look at rows.
"""

from __future__ import annotations

import logging
import os
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from fcntl import LOCK_EX, flock
from pathlib import Path
from queue import Empty
from typing import Any

from kombu.exceptions import OperationalError
from kombu.transport import filesystem
from kombu.utils.json import dumps, loads

logger = logging.getLogger("covey.jobs")

# Kombu remembers a binding for the whole process before it is in the table: a second thread must not send in between.
_binding = threading.Lock()


class Channel(filesystem.Channel):
    def get_table(self, exchange: str) -> list[Any]:
        try:
            rows = loads(self._table_of(exchange).read_text())
        except (FileNotFoundError, ValueError):  # ValueError: an older version was killed while it wrote
            return []
        return [filesystem.exchange_queue_t(*row) for row in rows]

    def queue_bind(self, *args: Any, **kwargs: Any) -> None:
        with _binding:
            super().queue_bind(*args, **kwargs)

    def _queue_bind(self, exchange: str, routing_key: str, pattern: str | None, queue: str) -> None:
        row = filesystem.exchange_queue_t(routing_key or "", pattern or "", queue or "")
        with self._locked():
            table = self.get_table(exchange)
            if row not in table:
                _write(self._table_of(exchange), [row, *table])

    def _put(self, queue: str, payload: Any, **kwargs: Any) -> None:  # type: ignore[override]  # the stubs name no payload
        name = f"{time.time_ns()}_{uuid.uuid4()}.{queue}.msg"
        try:
            _write(Path(self.data_folder_out) / name, payload)
        except OSError as error:
            raise OperationalError(f"The broker's folder cannot be written: {error}") from error

    def _get(self, queue: str, timeout: float | None = None) -> Any:
        folder = Path(self.data_folder_in)
        for name in sorted(os.listdir(folder)):
            if name.partition(".")[2] != f"{queue}.msg":
                continue
            taken = folder / f"taken-{name}"
            try:
                os.rename(folder / name, taken)
            except FileNotFoundError:  # another worker was quicker
                continue
            data = taken.read_text()
            taken.unlink()
            try:
                return loads(data)
            except ValueError:
                logger.warning(
                    "a message of %d characters is not whole and was dropped; the relay finds its row", len(data)
                )
        raise Empty

    def _table_of(self, exchange: str) -> Path:
        found: Path = self._exchange_file(exchange)  # type: ignore[attr-defined]  # newer than the type stubs
        return found

    @contextmanager
    def _locked(self) -> Iterator[None]:
        self.control_folder.mkdir(exist_ok=True)
        with open(self.control_folder / "lock", "a") as file:
            flock(file, LOCK_EX)
            yield


class Transport(filesystem.Transport):
    Channel = Channel


def _write(path: Path, value: Any) -> None:
    """Make a file appear whole."""
    fresh = path.with_name(f"new-{uuid.uuid4()}")
    try:
        fresh.write_text(dumps(value))
        os.replace(fresh, path)
    finally:
        fresh.unlink(missing_ok=True)
