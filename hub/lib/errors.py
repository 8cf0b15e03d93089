"""The few ways a request can fail. One middleware, one DRF handler and one raw ASGI handler turn them into answers.

Each carries a sentence for the person: what happened, the likely cause, the one next step.
"""

from __future__ import annotations

import errno
import re
from collections.abc import Iterator


class HubError(Exception):
    """Base of every expected failure. code: HTTP status. details: the next step, for API and terminal."""

    code = 500
    message = "Something went wrong."

    def __init__(self, message: str = "", *, details: str = "", headers: dict[str, str] | None = None) -> None:
        super().__init__(message or self.message)
        self.message = message or self.message
        self.details = details
        self.headers = headers or {}

    def as_json(self) -> dict[str, object]:
        return {"error": self.message, "details": self.details}


class Invalid(HubError):
    code = 400
    message = "The request is not valid."


class Unauthenticated(HubError):
    """No credential where one is needed, or a bad one."""

    code = 401
    message = "Sign in with an access token as the password."


class Denied(HubError):
    """The caller may see this but not do it, or the token's scope is too small."""

    code = 403
    message = "You may not do this."


class NotFound(HubError):
    """Absent, or hidden from this caller: the answer never says which."""

    code = 404
    message = "Not found."


class WrongMethod(HubError):
    code = 405
    message = "This address does not answer that method."


class TooSlow(HubError):
    code = 408
    message = "The rest of the request did not arrive in time."


class Conflict(HubError):
    """Someone else changed it first, or it exists already."""

    code = 409
    message = "Somebody changed this in the meantime."


class PreconditionFailed(HubError):
    code = 412
    message = "This is no longer what you have seen."


class TooLarge(HubError):
    code = 413
    message = "That is larger than this hub accepts."


class WrongType(HubError):
    code = 415
    message = "This content type is not accepted here."


class Unprocessable(HubError):
    code = 422
    message = "That value cannot be used."


class Throttled(HubError):
    code = 429
    message = "Too many attempts. Wait a little and try again."


class Upstream(HubError):
    """The object store, the broker or another part of the hub did not answer."""

    code = 502
    message = "A part of the hub did not answer."


class Lost(Upstream):
    """Files of a repository that are missing from the disk or damaged on it."""

    message = "The files of this repository are damaged on the hub's disk."

    def __init__(self, message: str = "") -> None:
        super().__init__(message, details="Its administrator can restore them from a backup.")


# SeaweedFS for one says no more than "internal error" when its volumes are full.
STORE_AWAY = "Try again in a minute. If that does not help, its disks may be full: `covey doctor` on the hub says more."


class Busy(HubError):
    code = 503
    message = "The hub is busy. Try again in a minute."


class Stopping(Busy):
    message = "The hub is stopping."

    def __init__(self) -> None:
        super().__init__(details="Try again in a minute.")


class OutOfSpace(HubError):
    code = 507
    message = "The hub's disk is full; nothing was stored."

    def __init__(self, message: str = "", *, details: str = "") -> None:
        super().__init__(message, details=details or "Ask whoever runs this hub to make room, then try again.")


# What git, SQLite, PostgreSQL and S3 stores (MinIO, Ceph, any that speaks HTTP) say when they have no room.
_FULL = re.compile(
    r"no space left on device|disk quota exceeded|database or disk is full|diskfull"
    r"|XMinioStorageFull|QuotaExceeded|Insufficient Storage",
    re.IGNORECASE,
)
_POSTGRESQL_DISK_FULL = "53100"


def says_disk_full(error: BaseException | None) -> bool:
    """Whether an error, or what caused it, is a place without room: a disk, a database, or an object store."""
    return any(
        (isinstance(each, OSError) and each.errno in {errno.ENOSPC, errno.EDQUOT})
        or getattr(each, "sqlstate", None) == _POSTGRESQL_DISK_FULL
        or _FULL.search(str(each))
        for each in causes(error)
    )


def causes(error: BaseException | None) -> Iterator[BaseException]:
    """The error, what caused it, what caused that."""
    while error is not None:
        yield error
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)


class Moved(Exception):
    """The repository was renamed; its reader may be sent to the new name."""

    def __init__(self, owner: str, name: str) -> None:
        super().__init__(f"{owner}/{name}")
        self.owner, self.name = owner, name
