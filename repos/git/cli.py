"""Reading for pages with the git command line: what takes too long or is too large becomes an answer for people."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from pathlib import Path

from hub.lib.errors import Busy, TooLarge
from repos.git import commands
from repos.git.commands import GitError, GitTimeout, GitTooMuch

__all__ = ["GitError", "GitTimeout", "pieces", "run"]
TIMEOUT_SECONDS = 20.0
LIMIT_BYTES = 64 * 1024 * 1024
# A promised object is never fetched from elsewhere; signatures are never checked with a program.
_ALWAYS = ("-c", "protocol.allow=never", "-c", "core.quotePath=false", "-c", "log.showSignature=false")


def run(
    store: Path,
    *args: str,
    stdin: bytes = b"",
    ok: tuple[int, ...] = (0,),
    timeout_seconds: float = TIMEOUT_SECONDS,
    limit_bytes: int = LIMIT_BYTES,
    extra: Mapping[str, str] | None = None,
) -> bytes:
    """What git prints. ok: exit statuses that are answers. extra: more environment, e.g. a Quarantine's.

    Raises GitError, Busy past the time limit, TooLarge past the size limit.
    """
    try:
        return commands.run(
            store,
            *_ALWAYS,
            *args,
            stdin=stdin,
            ok=ok,
            timeout_seconds=timeout_seconds,
            max_bytes=limit_bytes,
            extra=extra,
        )
    except GitTimeout as error:
        raise Busy("Reading this took too long.", details="Try again, or clone the repository to read it.") from error
    except GitTooMuch as error:
        raise TooLarge("This is too large to show here.", details="Clone the repository to read it.") from error


@contextlib.contextmanager
def pieces(
    store: Path, *args: str, stdin: bytes = b"", timeout_seconds: float = TIMEOUT_SECONDS
) -> Iterator[Iterator[bytes]]:
    """What git prints, piece by piece; git is stopped when the block is left. Raises GitError and GitTimeout."""
    output = commands.pieces(store, *_ALWAYS, *args, stdin=stdin, timeout_seconds=timeout_seconds)
    with contextlib.closing(output):
        yield output
