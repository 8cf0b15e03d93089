"""Where repositories live on disk: by id, never by name. The seam behind which packs may move to S3 later."""

from __future__ import annotations

from pathlib import Path


def path_of(root: Path, repository_id: int) -> Path:
    """The bare directory of a repository: <root>/<two hex digits>/<id>.git."""
    return root / f"{repository_id % 256:02x}" / f"{repository_id}.git"
