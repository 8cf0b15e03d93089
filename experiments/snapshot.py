"""The name of the state that MLflow's tables are in: under two equal names the same rows are read.

Whoever keeps an answer asks for the name first, then for the rows: what comes between makes a name that nobody asks
for again. PostgreSQL names the transactions that a snapshot sees; they begin anew only with another server. SQLite
tells a connection how often others have changed the file, so one connection does nothing but ask.
"""

from __future__ import annotations

import itertools
import os
import sqlite3
import threading
from dataclasses import dataclass, field

from django.conf import settings
from sqlalchemy import make_url, text

from experiments.database import is_postgresql, rows_of, tables_exist

_POSTGRESQL = text("SELECT pg_current_snapshot()::text || '@' || pg_postmaster_start_time()::text")


def current() -> str:
    """Empty while there are no tables."""
    if not tables_exist():
        return ""
    if is_postgresql():
        return str(rows_of(_POSTGRESQL)[0][0])
    return _watch.told(make_url(settings.MLFLOW_DATABASE_URL).database or "")


@dataclass
class _Watch:
    """A connection that asks. Its counts mean nothing to another one, so each has a number."""

    _lock: threading.Lock = field(default_factory=threading.Lock)
    _numbers: itertools.count[int] = field(default_factory=itertools.count)
    _link: sqlite3.Connection | None = None
    _of: tuple[str, int, int] | None = None
    _number: int = 0

    def told(self, path: str) -> str:
        with self._lock:
            try:
                link = self._link_to(path)
                return f"{self._number}.{link.execute('PRAGMA data_version').fetchone()[0]}"
            except (OSError, sqlite3.Error):  # whoever reads the rows says what is wrong
                return f"{next(self._numbers)}?"

    def _link_to(self, path: str) -> sqlite3.Connection:
        """Another one when another file has come in the place of the one that it was made to."""
        file = os.stat(path)
        if self._link is None or self._of != (path, file.st_dev, file.st_ino):
            made = sqlite3.connect(path, timeout=30, isolation_level=None, check_same_thread=False)
            if self._link is not None:
                self._link.close()
            self._link, self._of, self._number = made, (path, file.st_dev, file.st_ino), next(self._numbers)
        return self._link


_watch = _Watch()
