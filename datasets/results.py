"""Where comparisons keep what they wrote: files under COVEY_HOME/cache, named by hashes, safe to delete."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings

from datasets.models import Blob

VERSION = 1  # grows when the meaning of what is written changes
KEEP_SECONDS = 30 * 24 * 3600


def place_of(digest: str) -> Path:
    """The Parquet file of one comparison."""
    return Path(settings.COVEY_HOME) / "cache" / f"diffs-{VERSION}" / digest[:2] / f"{digest[2:]}.parquet"


def sketch_place(digest: str) -> Path:
    """The statistics of one table."""
    return Path(settings.COVEY_HOME) / "cache" / f"sketches-{VERSION}" / digest[:2] / f"{digest[2:]}.json"


def digest(*what: object) -> str:
    """A name for what these values ask for."""
    return hashlib.sha256(repr((VERSION, *what)).encode("utf-8", "surrogateescape")).hexdigest()


def manifest_place(blob: Blob) -> Path:
    """A manifest as Parquet."""
    folder = Path(settings.COVEY_HOME) / "cache" / f"manifests-parquet-{VERSION}"
    return folder / blob.sha256[:2] / f"{blob.sha256[2:]}.parquet"


@contextmanager
def work_folder() -> Iterator[Path]:
    """A folder for one piece of work, removed after it."""
    root = Path(settings.TMP_ROOT)
    root.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="diff-", dir=root))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def keep(made: Path, place: Path) -> None:
    """Let a finished file appear at its place, whole."""
    place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    os.replace(made, place)


def touch(place: Path) -> bool:
    """Whether a result is there; it is marked as used."""
    try:
        os.utime(place)
    except FileNotFoundError:
        return False
    return True


def sweep(*, older_than_seconds: float = KEEP_SECONDS) -> int:
    """Remove results that nobody looked at for a month; how many."""
    limit, swept = time.time() - older_than_seconds, 0
    for place in (Path(settings.COVEY_HOME) / "cache").glob("*-*/??/*.*"):
        if place.suffix in {".parquet", ".json"} and place.stat().st_mtime < limit:
            place.unlink(missing_ok=True)
            swept += 1
    return swept
