"""Faults of what the hub stands on, its database and its disk, as answers: the hub itself is whole, so the client
may come again. A full disk is another matter (says_disk_full)."""

from __future__ import annotations

import errno

from hub.lib.errors import Busy, HubError, Upstream, causes

DATABASE_AWAY = "The hub's database did not answer."
AGAIN = "Try again in a minute. If that does not help, ask whoever runs this hub: `covey doctor` says more."
_DRIVERS = {"django", "psycopg", "psycopg_pool", "sqlalchemy"}
_NAMES = {"OperationalError", "InterfaceError"}  # DB-API's words for what is no fault of the statement
_LOCKED = ("SQLITE_BUSY", "SQLITE_LOCKED")
_SQLITE_DISK = ("SQLITE_IOERR", "SQLITE_CANTOPEN", "SQLITE_READONLY", "SQLITE_CORRUPT", "SQLITE_NOTADB", "SQLITE_PERM")
_DISK = {errno.EIO, errno.EROFS, errno.EACCES, errno.EPERM, errno.ESTALE}


def outage(error: BaseException) -> HubError | None:
    """The answer to an error that a database or a disk out of order has caused; None for any other."""
    found = list(causes(error))
    sqlite = [name for each in found if (name := getattr(each, "sqlite_errorname", None))]
    if sqlite:  # Django's and SQLAlchemy's classes around it say less
        if sqlite[-1].startswith(_LOCKED):
            return database_away()
        return disk_away() if sqlite[-1].startswith(_SQLITE_DISK) else None
    if any(isinstance(each, OSError) and each.errno in _DISK for each in found):
        return disk_away()
    return database_away() if any(_is_of_a_database(each) for each in found) else None


class DatabaseAway(Busy):
    message = DATABASE_AWAY


def database_away() -> Busy:
    return DatabaseAway(details=AGAIN, headers={"Retry-After": "5"})


def disk_away() -> Upstream:
    return Upstream("The hub cannot use a part of its disk.", details=AGAIN)


def _is_of_a_database(error: BaseException) -> bool:
    kinds = type(error).__mro__
    return any(kind.__name__ in _NAMES and kind.__module__.split(".")[0] in _DRIVERS for kind in kinds) or (
        type(error).__module__ == "sqlalchemy.exc" and type(error).__name__ == "TimeoutError"  # its pool is empty
    )
