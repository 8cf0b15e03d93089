"""Small pictures of images, made in the sandbox, kept as files by the hash of the image."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from datasets import results
from datasets.tracked.versions import Version, local_file
from hub.lib import sandbox
from hub.lib.errors import TooLarge, Unprocessable
from hub.lib.sandbox import Overrun, Unreadable
from repos.models import Repository

EDGES = (128, 256, 512, 1024)  # the longer side, in pixels
MAX_BYTES = 64 * 1024**2
MEMORY_BYTES = 2 * 1024**3
EXTENSIONS = {"png", "jpg", "jpeg", "gif", "webp", "bmp", "tif", "tiff", "avif", "ico"}


@dataclass(frozen=True)
class Thumbnail:
    """path: a WebP file. etag: changes with its bytes."""

    path: Path
    etag: str


def has_thumbnail(path: str) -> bool:
    """Whether a file's name promises an image of which one can be made."""
    name = path.rsplit("/", 1)[-1].lower()
    return "." in name and name.rsplit(".", 1)[1] in EXTENSIONS


def thumbnail(repository: Repository, version: Version, *, edge: int = 256) -> Thumbnail:
    """The small picture of a version (datasets.tracked.versions) that is present; made once. edge: one of EDGES.

    Raises Unprocessable with a sentence when the file is no image or too much of one, Busy, ObjectStoreError.
    """
    digest = results.digest("thumbnail-2", version.sha256 or version.identity, edge)
    place = results.picture_place(repository.pk, digest)
    if not results.touch(place):
        _make(repository, version, edge, place)
    return Thumbnail(place, digest)


def _make(repository: Repository, version: Version, edge: int, place: Path) -> None:
    verdict = place.with_suffix(".json")
    if results.touch(verdict):
        raise Unprocessable(json.loads(verdict.read_bytes())["unreadable"])
    with results.work_folder() as folder:
        try:
            file = local_file(repository, version, folder / "in", max_bytes=MAX_BYTES)
            answer: dict[str, Any] = sandbox.call(
                "hub.lib.previews.thumbnails:thumbnail", files=[file], memory_bytes=MEMORY_BYTES, edge=edge
            )
        except TooLarge as error:
            raise Unprocessable("This image is too large for a small picture.") from error
        except Unreadable as error:
            results.write(json.dumps({"unreadable": str(error)}).encode(), verdict)
            raise Unprocessable(str(error)) from error
        except Overrun as error:  # perhaps only now, on a busy machine: nothing is kept
            raise Unprocessable("This image takes too much time or memory to be made small.") from error
    results.write(base64.b64decode(answer["webp"]), place)
