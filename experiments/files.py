"""Files that runs left: folders of them a page at a time, and one as a content that pages and raw addresses read."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from urllib.parse import quote

from experiments.mlflow import artifacts, rules
from experiments.mlflow.artifacts import Item
from hub.lib.errors import HubError, Invalid, NotFound
from repos.content import Entry

PAGE_ITEMS, MAX_FILES = 100, 300


@dataclass(frozen=True)
class File:
    """path: below the folder that was listed. url: where the mount serves it, below /{owner}/{name}.mlflow/."""

    path: str
    size: int
    url: str


@dataclass(frozen=True)
class Level:
    """Some of what a folder ("" is the root) holds. after: the cursor of what follows, "" at the end."""

    folder: str
    items: list[Item]
    after: str


@dataclass(frozen=True)
class Artifact:
    """A repos.content.Content. place: in the destination."""

    entry: Entry
    size: int
    place: str

    @property
    def path(self) -> str:
        return self.entry.path

    def read(self, start: int, end: int) -> AsyncIterator[bytes]:
        return artifacts.destination().pieces(self.place, start, end)

    def part(self, start: int, end: int) -> bytes:
        return artifacts.destination().part(self.place, start, min(end, self.size))

    def head(self, limit: int) -> bytes:
        return self.part(0, limit) if self.size else b""


def listing(repository_id: int, artifact_uri: str) -> list[File]:
    """The first MAX_FILES files below a place, in all its folders, by path."""
    place = _place(repository_id, artifact_uri, "")
    found = artifacts.destination().listing(place, MAX_FILES)
    return [File(path, size, f"api/2.0/mlflow-artifacts/artifacts/{quote(f'{place}/{path}')}") for path, size in found]


def level(
    repository_id: int, artifact_uri: str, folder: str = "", *, after: str = "", limit: int = PAGE_ITEMS
) -> Level:
    """Raises Invalid for a path that is not plain."""
    place = _place(repository_id, artifact_uri, folder)
    items = artifacts.destination().level(place, after=after, limit=limit + 1)
    more = len(items) > limit
    return Level(folder, items[:limit], items[limit - 1].cursor if more else "")


def artifact(repository_id: int, artifact_uri: str, path: str) -> Artifact:
    """Raises NotFound, and Invalid for a path that is not plain or is a folder."""
    if not path:
        raise NotFound("There is no such artifact.")
    place = _place(repository_id, artifact_uri, path)
    status = artifacts.destination().status(place)
    entry = Entry(path, "file", status.etag, status.size, versioning="mlflow")
    return Artifact(entry, status.size, place)


def _place(repository_id: int, artifact_uri: str, path: str) -> str:
    """`mlflow-artifacts:/workspaces/r1/2/<run>/artifacts` and a path → the place in the destination, never
    another's."""
    root = artifacts.scoped(repository_id, artifact_uri.partition(":")[2].strip("/"))
    try:
        clean = rules.clean_path(quote(path))
    except HubError as error:
        raise Invalid(error.message, details=error.details) from error
    return f"{root}/{clean}" if clean else root
