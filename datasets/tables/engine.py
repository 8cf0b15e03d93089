"""DuckDB as every piece of work here uses it: two threads, little memory, spilling to a folder, no extensions."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

MEMORY = "420MB"  # of DuckDB's buffers; the process as a whole stays below 600 MB
THREADS = 2
SPILL = "4GiB"
Report = Callable[..., None]


class NeedsMemory(ValueError):
    """More than DuckDB is given here."""


class Connection:
    """A database in memory. Every failure is a ValueError with a sentence."""

    def __init__(self, base: duckdb.DuckDBPyConnection) -> None:
        self.base = base

    def run(self, sql: str, parameters: list[object] | None = None) -> None:
        self.rows(sql, parameters)

    def rows(self, sql: str, parameters: list[object] | None = None) -> list[tuple[object, ...]]:
        try:
            return list(self.base.execute(sql, parameters or []).fetchall())
        except duckdb.OutOfMemoryException as error:
            raise NeedsMemory("This needs more memory than the hub gives to one comparison.") from error
        except duckdb.Error as error:
            raise ValueError(_sentence(error)) from error

    def number(self, sql: str, parameters: list[object] | None = None) -> int:
        value = self.rows(sql, parameters)[0][0]
        return int(value) if isinstance(value, (int, float)) else 0

    @contextmanager
    def reporting(self, report: Report, start: int, end: int, total: int) -> Iterator[None]:
        """While a statement runs, tell how far it is: from start to end of total."""
        stop = threading.Event()

        def tell() -> None:
            while not stop.wait(0.5):
                share = max(0.0, self.base.query_progress()) / 100
                report(start + int((end - start) * min(share, 1.0)), total)

        report(start, total)
        teller = threading.Thread(target=tell, daemon=True)
        teller.start()
        try:
            yield
        finally:
            stop.set()
            teller.join()
        report(end, total)


def connect(folder: Path | None = None, *, memory: str = MEMORY, threads: int = THREADS) -> Connection:
    """folder: where it may spill to; without one it may not."""
    base = duckdb.connect(
        config={
            "threads": str(threads),
            "memory_limit": memory,
            "temp_directory": str(folder / "spill") if folder else "",
            "max_temp_directory_size": SPILL if folder else "0KiB",
            "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false",
            "allow_unsigned_extensions": "false",
            "preserve_insertion_order": "true",
        }
    )
    base.execute("SET parquet_metadata_cache = true")  # where 2,000 columns lie takes longer to read than one of them
    return Connection(base)


def name(text: str) -> str:
    """An identifier in SQL."""
    return '"' + text.replace('"', '""') + '"'


def literal(text: str) -> str:
    """A string in SQL, for the few places where no parameter may stand."""
    return "'" + text.replace("'", "''") + "'"


def _sentence(error: Exception) -> str:
    """DuckDB's first line without its prefix and without any path."""
    line = str(error).split("\n", 1)[0]
    text = line.split(": ", 1)[-1]
    return f"The table cannot be read: {text[:200]}" if "/" not in text else "The table cannot be read."
