"""The source that adds what DVC tracks to the file tree: outputs, and the files inside of directory outputs."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

from datasets import objects
from datasets.dvc import keys
from datasets.dvc.manifests import Manifest
from datasets.dvc.pointers import File
from datasets.models import Blob
from datasets.tracked.manifests import manifest_of
from datasets.tracked.tracking import Output, Tracked, tracked
from hub.lib.stores import object_store
from repos.content import Entry
from repos.models import Repository

BATCH = 500


@dataclass(frozen=True)
class StoredContent:
    """Bytes of a DVC object, straight from the store."""

    entry: Entry
    size: int
    key: str

    def read(self, start: int, end: int) -> AsyncIterator[bytes]:
        return object_store().get(self.key, start, end)

    def head(self, limit: int) -> bytes:
        return object_store().head(self.key, limit) if self.size and limit else b""

    def part(self, start: int, end: int) -> bytes:
        return object_store().read_range(self.key, start, end)


@dataclass(frozen=True, slots=True)
class Child:
    """A path whose size is not looked up yet. key "" for folders and for what has no object."""

    path: str
    oid: str
    key: str
    pointer: str
    is_dir: bool = False
    size: int | None = None


class DvcSource:
    def listing(
        self, repository: Repository, commit: str, directory: str, *, start: int = 0, limit: int | None = None
    ) -> Iterator[Entry]:
        """Sizes and presence come in batches as the entries are asked for: one query per 500."""
        children = iter(self._children(repository, commit, directory, start, limit))
        while batch := list(islice(children, BATCH)):
            yield from _entries(repository, batch)

    def count(self, repository: Repository, commit: str, directory: str) -> int:
        if inside := self._manifest_at(repository, commit, directory):
            manifest, rest = inside
            return manifest.count_children(rest) if manifest else 0
        return sum(1 for _ in self._children(repository, commit, directory, 0, None))

    def stat(self, repository: Repository, commit: str, path: str) -> Entry | None:
        child = self.find(repository, commit, path) if path else None
        return next(_entries(repository, [child])) if child else None

    def open(self, repository: Repository, commit: str, path: str) -> StoredContent | None:
        child = self.find(repository, commit, path) if path else None
        if child is None or child.is_dir or not child.key:
            return None
        blob = objects.find(repository.pk, keys.BUCKET, child.key)
        if blob is None:
            return None
        entry = Entry(child.path, "file", child.oid, blob.size, "dvc", True, child.pointer)
        return StoredContent(entry, blob.size, blob.key)

    # ---- where a path leads --------------------------------------------------------------------
    def _children(
        self, repository: Repository, commit: str, directory: str, start: int, limit: int | None
    ) -> Iterator[Child]:
        found = tracked(repository, commit)
        if around := found.around(directory) if directory else None:
            yield from _inside(repository, *around, start, limit)
            return
        yield from islice(_among(found, directory), start, None if limit is None else start + limit)

    def _manifest_at(self, repository: Repository, commit: str, directory: str) -> tuple[Manifest | None, str] | None:
        """The manifest that a directory lies in (None while it is not here), and the folder in it."""
        around = tracked(repository, commit).around(directory) if directory else None
        if around is None or around[0].out.files:
            return None
        return _manifest(repository, around[0]), around[1]

    def find(self, repository: Repository, commit: str, path: str) -> Child | None:
        """What is tracked at a path, whether or not its bytes are here."""
        found = tracked(repository, commit)
        if path in found.folders:
            return Child(path, "", "", "", is_dir=True)
        around = found.around(path)
        if around is None:
            return None
        output, rest = around
        return _below(repository, output, rest) if rest else _top(output)


def _top(output: Output) -> Child:
    out = output.out
    key = out.key if out.oid else ""
    return Child(out.path, out.oid, key, output.pointer, is_dir=output.is_dir, size=out.size)


def _among(found: Tracked, directory: str) -> Iterator[Child]:
    """What lies directly in a directory of git's, or in one that only leads to outputs: folders first."""
    children = [Child(f, "", "", "", is_dir=True) for f in found.folders if f.rpartition("/")[0] == directory]
    children += [_top(output) for path, output in found.outputs.items() if path.rpartition("/")[0] == directory]
    yield from sorted(children, key=lambda child: (not child.is_dir, child.path))


def _inside(repository: Repository, output: Output, folder: str, start: int, limit: int | None) -> Iterator[Child]:
    """The children of a folder in a directory output; nothing while its manifest is not here."""
    if output.out.files:
        yield from islice(_listed(output, folder), start, None if limit is None else start + limit)
        return
    manifest = _manifest(repository, output)
    for item in manifest.children(folder, start, -1 if limit is None else limit) if manifest else ():
        yield _child(output, f"{folder}/{item.name}" if folder else item.name, item.md5)


def _below(repository: Repository, output: Output, path: str) -> Child | None:
    if output.out.files:
        folder, _, _ = path.rpartition("/")
        return next((c for c in _listed(output, folder) if c.path == f"{output.path}/{path}"), None)
    manifest = _manifest(repository, output)
    item = manifest.find(path) if manifest else None
    return _child(output, path, item.md5) if item else None


def _child(output: Output, path: str, md5: str, size: int | None = None, *, is_dir: bool | None = None) -> Child:
    key = keys.key_of(md5, legacy=output.out.legacy) if md5 else ""
    folder = not md5 if is_dir is None else is_dir
    return Child(f"{output.path}/{path}", md5, key, output.pointer, is_dir=folder, size=size)


def _listed(output: Output, folder: str) -> Iterator[Child]:
    """The same from a pointer that lists its files itself."""
    prefix = f"{folder}/" if folder else ""
    seen: set[str] = set()
    files: list[File] = []
    for file in output.out.files:
        if not file.path.startswith(prefix):
            continue
        name, slash, _ = file.path[len(prefix) :].partition("/")
        if not slash:
            files.append(file)
        elif name not in seen:
            seen.add(name)
            yield _child(output, prefix + name, "", is_dir=True)
    for file in files:
        yield _child(output, file.path, file.oid, file.size, is_dir=False)


def _manifest(repository: Repository, output: Output) -> Manifest | None:
    blob = manifest_blob(repository, output)
    return manifest_of(blob) if blob else None


def manifest_blob(repository: Repository, output: Output) -> Blob | None:
    return objects.find(repository.pk, keys.BUCKET, output.out.key) if keys.is_manifest(output.out.oid) else None


def _entries(repository: Repository, children: Iterable[Child]) -> Iterator[Entry]:
    """With sizes from the rows of this repository: what has no row is not present."""
    children = list(children)
    sizes = objects.sizes(repository.pk, keys.BUCKET, (child.key for child in children if child.key))
    for child in children:
        if child.is_dir:
            # Of a folder inside of an output nothing is known beyond its name; it is there as its manifest is.
            present = not child.key or child.key in sizes
            yield Entry(child.path, "dir", child.oid, child.size, "dvc", present, child.pointer, 0o040000)
        else:
            size = sizes.get(child.key)
            given = size if size is not None else child.size
            yield Entry(child.path, "file", child.oid, given, "dvc", size is not None, child.pointer)
