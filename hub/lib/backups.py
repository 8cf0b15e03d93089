"""While a backup copies the bytes, none are removed: its databases are copied first, and name them.

A removal asks running() inside of its transaction, after it began to write; what it leaves then is removed by the
next nightly look. The lock goes with the process that holds it, so a backup that was killed holds up nobody.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from fcntl import LOCK_EX, LOCK_NB, LOCK_SH, flock

from django.conf import settings
from django.db import connection, transaction

from hub.lib.errors import Busy

_NUMBER = 0x0C0E_BACC  # PostgreSQL's advisory lock


@contextmanager
def held() -> Iterator[None]:
    """Keep every object's bytes until the block ends. Waits for removals that are under way, and for another backup.

    Raises Busy at the end when the database's connection was lost meanwhile: then nobody knows what was kept.
    """
    if connection.vendor != "postgresql":
        file = _open()
        try:
            flock(file, LOCK_EX)
            with transaction.atomic():  # once the one writer's turn has come, no removal that did not see the lock runs
                pass
            yield
        finally:
            os.close(file)
        return
    _ask("SELECT pg_advisory_lock(%s)")
    try:
        yield
    finally:
        kept = _ask("SELECT pg_advisory_unlock(%s)")
    if not kept:
        raise Busy("The connection to the database was lost during the backup.", details="Make it again.")


def running() -> bool:
    """Whether bytes must stay for now. Inside of a transaction that has begun to write; it holds until that ends."""
    if connection.vendor == "postgresql":
        return not _ask("SELECT pg_try_advisory_xact_lock_shared(%s)")
    file = _open()
    try:
        flock(file, LOCK_SH | LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(file)
    return False


def _ask(question: str) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(question, [_NUMBER])
        (answer,) = cursor.fetchone()
    return bool(answer)


def _open() -> int:
    return os.open(settings.COVEY_HOME / "backup.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
