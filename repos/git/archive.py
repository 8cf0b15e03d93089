"""A commit's files as one archive, streamed from git."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

from repos.git.printing import printed

FORMATS = {"zip": ("zip", "application/zip"), "tar.gz": ("tar.gz", "application/gzip")}  # ending → git's word, type


def stream(store: Path, commit: str, ending: str, *, prefix: str) -> AsyncIterator[bytes]:
    """The bytes of the archive. prefix: the folder everything lies in, without a slash."""
    return printed(store, "archive", f"--format={FORMATS[ending][0]}", f"--prefix={prefix}/", commit)
