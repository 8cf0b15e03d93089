"""Files a run left, for its page: a listing and small previews. Blocking; bytes are served by the .mlflow mount."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote

from experiments.mlflow import artifacts, rules
from hub.lib.errors import HubError, Invalid, NotFound

MAX_FILES = 300
TEXT_BYTES = 256 * 1024
IMAGE_BYTES = 10 * 1024 * 1024
# What a browser draws as a picture and never runs; SVG is not among them.
IMAGE_NAMES = (".png", ".jpg", ".jpeg", ".gif", ".webp", ".bmp", ".avif")


@dataclass(frozen=True)
class File:
    """path: below the run's artifacts. url: where the mount serves it, below /{owner}/{name}.mlflow/."""

    path: str
    size: int
    url: str
    kind: str = "other"  # text, image or other
    text: str = ""
    cut: bool = False


def listing(repository_id: int, artifact_uri: str) -> list[File]:
    """The first files below a run's artifacts, by path."""
    root = _root(repository_id, artifact_uri)
    found = artifacts.destination().listing(root, MAX_FILES)
    return [File(path=path, size=size, url=_url(f"{root}/{path}")) for path, size in found]


def preview(repository_id: int, artifact_uri: str, path: str) -> File:
    """One file with the first bytes of its text. Raises NotFound, and Invalid for a path that is not plain."""
    root = _root(repository_id, artifact_uri)
    try:
        clean = rules.clean_path(quote(path))
    except HubError as error:
        raise Invalid(error.message) from error
    if not clean:
        raise NotFound("There is no such artifact.")
    size, head = artifacts.destination().head(f"{root}/{clean}", TEXT_BYTES)
    url = _url(f"{root}/{clean}")
    if clean.lower().endswith(IMAGE_NAMES) and size <= IMAGE_BYTES:
        return File(clean, size, url, kind="image")
    text = _text(head)
    if text is None:
        return File(clean, size, url)
    return File(clean, size, url, kind="text", text=text, cut=size > len(head))


def _root(repository_id: int, artifact_uri: str) -> str:
    """`mlflow-artifacts:/workspaces/r1/2/<run>/artifacts` → the path below the destination, never another's."""
    return artifacts.scoped(repository_id, artifact_uri.partition(":")[2].strip("/"))


def _url(path: str) -> str:
    return f"api/2.0/mlflow-artifacts/artifacts/{quote(path)}"


def _text(head: bytes) -> str | None:
    """The text these bytes are, allowing a character cut at the end; None when they are not text."""
    if b"\0" in head:
        return None
    for cut in range(4):
        try:
            return head[: len(head) - cut].decode()
        except UnicodeDecodeError:
            continue
    return None
