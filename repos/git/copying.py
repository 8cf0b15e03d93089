"""Bring commits from one store into another as a pack of its own: nothing is shared, and nothing else comes along.

For the moment of making the pack one git process sees both stores; neither ever names the other as an alternate, since
git serves any object of a store to whoever knows its id.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path

from repos.git import commands
from repos.git.store import refs

SECONDS = 3600
BEAT_SECONDS = 1.0
_COUNT = slice(8, 12)  # of objects, in the head of a pack


class TooMuch(Exception):
    """The pack would be larger than the caller allows; nothing was stored."""


def both(source: Path) -> dict[str, str]:
    """The environment in which a git process of another store reads source's objects as well."""
    return {"GIT_ALTERNATE_OBJECT_DIRECTORIES": str(source / "objects")}


def bring(
    source: Path,
    target: Path,
    wanted: Sequence[str],
    *,
    most_bytes: int = 0,
    beat: Callable[[int], None] = lambda _bytes: None,
) -> int:
    """Store in target what these commits or tags of source reach, and no ref of target does; how many bytes came.

    They are there for good before any ref names them. most_bytes: 0 for any number. beat: told every second how many
    bytes there are so far. Raises GitError, TooMuch.
    """
    known = sorted(set(refs(target).values()))
    asked = "".join(f"{oid}\n" for oid in dict.fromkeys(wanted))
    asked += "".join(f"^{oid}\n" for oid in known)
    total = 0

    def fill(file: tempfile._TemporaryFileWrapper[bytes]) -> None:
        nonlocal total
        pack = commands.pieces(
            target if known else source,  # a whole copy: source's own bitmaps make it quick
            *("pack-objects", "--revs", "--stdout", "--delta-base-offset", "--quiet"),
            stdin=asked.encode(),
            timeout_seconds=SECONDS,
            limits=commands.TRANSFER,
            extra=both(source) if known else None,
        )
        for piece in pack:
            total += len(piece)
            if most_bytes and total > most_bytes:
                pack.close()
                raise TooMuch(f"more than {most_bytes:,} bytes")
            file.write(piece)
        file.flush()

    with tempfile.NamedTemporaryFile(dir=target / "objects", prefix="tmp_bring-") as file:
        _beating(lambda: fill(file), lambda: beat(total))
        if not int.from_bytes(os.pread(file.fileno(), 12, 0)[_COUNT], "big"):
            return 0
        os.lseek(file.fileno(), 0, os.SEEK_SET)
        _beating(lambda: _index(target, file.fileno()), lambda: beat(total))
    return total


def _index(target: Path, pack: int) -> None:
    """Its hashes are computed again; the rest was checked when it came into the hub."""
    commands.run(target, "index-pack", "--stdin", stdin=pack, timeout_seconds=SECONDS, limits=commands.TRANSFER)


def _beating(work: Callable[[], None], beat: Callable[[], None]) -> None:
    """Do git's work beside, which may say nothing for minutes, and tell every second that it goes on."""
    with ThreadPoolExecutor(max_workers=1) as pool:
        future = pool.submit(work)
        while not wait([future], timeout=BEAT_SECONDS).done:
            beat()
        future.result()
