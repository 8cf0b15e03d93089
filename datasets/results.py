"""Where comparisons keep what they wrote: files under COVEY_HOME/cache, named by hashes, safe to delete.

What was made for a repository lies in its own folder and goes with it; the rest is bounded by age and in bytes.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from django.conf import settings

from datasets.models import Blob
from hub.lib import temporary

VERSION = 2  # grows when the meaning of what is written changes
KEEP_SECONDS = 30 * 24 * 3600
KEEP_BYTES = 20 * 1024**3  # of all results together


def place_of(repository_id: int, digest: str) -> Path:
    """The Parquet file of one comparison."""
    return _folder(repository_id) / f"{digest}.parquet"


def sketch_place(repository_id: int, digest: str) -> Path:
    """The statistics of one table."""
    return _folder(repository_id) / f"{digest}.json"


def picture_place(repository_id: int, digest: str) -> Path:
    """A small picture of an image."""
    return _folder(repository_id) / f"{digest}.webp"


def places_place(repository_id: int, digest: str) -> Path:
    """What people must decide in a file in conflict."""
    return _folder(repository_id) / f"{digest}.jsonl"


def list_place(repository_id: int, digest: str) -> Path:
    """The list of what a look for garbage found."""
    return _folder(repository_id) / f"{digest}.list"


def part_place(repository_id: int, digest: str) -> Path:
    """Bytes of a stored object that pages want again and again."""
    return _folder(repository_id) / f"{digest}.part"


def _folder(repository_id: int) -> Path:
    return _root() / f"results-{VERSION}" / str(repository_id)


def _root() -> Path:
    return Path(settings.COVEY_HOME) / "cache"


def pipeline_place(repository_id: int, digest: str) -> Path:
    """The stages of one tree, or what changed between two."""
    return _folder(repository_id) / f"{digest}.json"


def digest(*what: object) -> str:
    """A name for what these values ask for."""
    return hashlib.sha256(repr((VERSION, *what)).encode("utf-8", "surrogateescape")).hexdigest()


def manifest_place(blob: Blob) -> Path:
    """A manifest as Parquet."""
    folder = _root() / f"manifests-parquet-{VERSION}"
    return folder / blob.sha256[:2] / f"{blob.sha256[2:]}.parquet"


@contextmanager
def work_folder() -> Iterator[Path]:
    """A folder for one piece of work, removed after it."""
    folder = temporary.new_folder("diff-")
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def keep(made: Path, place: Path) -> None:
    """Let a finished file appear at its place, whole."""
    place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    os.replace(made, place)


def write(data: bytes, place: Path) -> None:
    """keep() of bytes in memory."""
    place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    made = place.with_name(f".{secrets.token_hex(8)}{place.suffix}")  # swept as others are, should this process die
    made.write_bytes(data)
    os.replace(made, place)


def touch(place: Path) -> bool:
    """Whether a result is there; it is marked as used."""
    try:
        os.utime(place)
    except FileNotFoundError:
        return False
    return True


def forget(repository_id: int) -> None:
    """Remove everything that was made for a repository."""
    shutil.rmtree(_folder(repository_id), ignore_errors=True)


def sweep(*, older_than_seconds: float = KEEP_SECONDS, keep_bytes: int = KEEP_BYTES) -> int:
    """Remove results that nobody looked at for a month, then those unused for longest while all together are larger
    than this; how many went."""
    limit, kept, swept = time.time() - older_than_seconds, 0, 0
    for used, size, place in sorted(_results(), reverse=True):
        kept += size
        if used < limit or kept > keep_bytes:
            place.unlink(missing_ok=True)
            swept += 1
    return swept


def _results() -> Iterator[tuple[float, int, Path]]:
    """(last use, bytes, file) of every result."""
    for place in _root().glob("*-*/*/*.*"):
        if place.suffix in {".parquet", ".json", ".jsonl", ".webp", ".list", ".part"}:
            with suppress(FileNotFoundError):  # its repository was just deleted
                found = place.stat()
                yield found.st_mtime, found.st_size, place
