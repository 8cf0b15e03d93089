"""Write trees and commits without a work tree: nothing is checked out, no link is followed, paths are only names.

Objects go to the object directory the caller names (a quarantine); nothing here moves a ref.
"""

from __future__ import annotations

import stat
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from dulwich.index import validate_path_element_default, validate_path_element_hfs, validate_path_element_ntfs
from dulwich.object_store import DiskObjectStore
from dulwich.objects import Blob, Commit, ObjectID, ShaFile, Tree

FILE, EXECUTABLE, DIRECTORY = 0o100644, 0o100755, 0o040000
MAX_PATH_BYTES, MAX_NAME_BYTES, MAX_DEPTH = 4_000, 255, 64
Parts = tuple[bytes, ...]


class BadPath(Exception):
    """No file may have this name; the message says why."""


class PathConflict(Exception):
    """A path runs through a file or link, or names a folder; the message says which."""


@dataclass(frozen=True)
class TreeFile:
    """What a path holds: a file, an executable or a symbolic link."""

    mode: int
    oid: str


def parts_of(path: str) -> Parts:
    """The checked names of a path below the root. Raises BadPath.

    Refused: absolute and climbing paths, empty names, control characters, everything that any file system would take
    for .git, and what is longer than file systems allow.
    """
    raw = path.encode("utf-8", "surrogateescape")
    names = tuple(raw.split(b"/"))
    if not raw or len(raw) > MAX_PATH_BYTES or len(names) > MAX_DEPTH:
        raise BadPath("A path has 1 to 4,000 bytes and at most 64 folders.")
    for name in names:
        _check_name(name)
    return names


def _check_name(name: bytes) -> None:
    shown = name.decode("utf-8", "replace")[:100]
    if not name:
        raise BadPath("A path may not begin or end with '/' nor hold '//'.")
    if len(name) > MAX_NAME_BYTES:
        raise BadPath(f"The name '{shown}…' is longer than 255 bytes.")
    if any(byte < 0x20 or byte == 0x7F for byte in name) or b"\\" in name:
        raise BadPath(f"The name '{shown}' holds a control character or a backslash.")
    safe = (validate_path_element_default, validate_path_element_ntfs, validate_path_element_hfs)
    if not all(check(name) for check in safe):
        raise BadPath(f"The name '{shown}' is git's own, or not valid UTF-8.")


@contextmanager
def object_store(objects: Path) -> Iterator[DiskObjectStore]:
    """Reads this object directory and its alternates, writes only to it."""
    store = DiskObjectStore(str(objects))
    try:
        yield store
    finally:
        store.close()


def add_blob(store: DiskObjectStore, data: bytes) -> str:
    """Write a small blob; its id."""
    blob = Blob.from_string(data)
    store.add_object(blob)
    return blob.id.decode()


def root_of(store: DiskObjectStore, commit: str) -> str:
    """The id of a commit's tree. Raises KeyError when there is no such commit."""
    return _commit(store, commit).tree.decode()


def parent_of(store: DiskObjectStore, commit: str) -> str | None:
    """The first parent; None for the first commit of a history. Raises KeyError when there is no such commit."""
    parents = _commit(store, commit).parents
    return parents[0].decode() if parents else None


def _commit(store: DiskObjectStore, commit: str) -> Commit:
    found = store[ObjectID(commit.encode())]
    if not isinstance(found, Commit):
        raise KeyError(commit)
    return found


def file_at(store: DiskObjectStore, root: str | None, parts: Parts) -> TreeFile | None:
    """The file or link a path names in a tree; None when there is none, or a folder."""
    tree_id = root
    for depth, name in enumerate(parts):
        tree = store[ObjectID(tree_id.encode())] if tree_id else None
        if not isinstance(tree, Tree) or name not in tree:
            return None
        mode, oid = tree[name]
        if depth == len(parts) - 1:
            return None if stat.S_ISDIR(mode) else TreeFile(mode, oid.decode())
        tree_id = oid.decode() if stat.S_ISDIR(mode) else None
    return None


def updated_tree(store: DiskObjectStore, root: str | None, edits: Mapping[Parts, TreeFile | None]) -> str:
    """The id of a tree with these paths set, or removed where the value is None. Folders left empty disappear.

    A symbolic link at an edited path is replaced itself. Raises PathConflict when a path runs through what is no
    folder, or would replace a folder.
    """
    return _updated(store, root, dict(edits), b"") or _write(store, Tree())


def _updated(store: DiskObjectStore, tree_id: str | None, edits: dict[Parts, TreeFile | None], above: bytes) -> str:
    """The id of the new tree, "" when nothing is left of it."""
    tree = Tree()
    if tree_id:
        found = store[ObjectID(tree_id.encode())]
        assert isinstance(found, Tree)
        for entry in found.items():
            tree.add(entry.path, entry.mode, entry.sha)
    below: dict[bytes, dict[Parts, TreeFile | None]] = {}
    # Removals first: a rename may turn a file into a folder of the same name, and back.
    for parts, file in sorted(edits.items(), key=lambda item: item[1] is not None):
        if len(parts) > 1:
            below.setdefault(parts[0], {})[parts[1:]] = file
        elif file is None and parts[0] in tree and not stat.S_ISDIR(tree[parts[0]][0]):
            del tree[parts[0]]
    for name, inner in below.items():
        _update_folder(store, tree, name, inner, above)
    for parts, file in edits.items():
        if len(parts) == 1 and file is not None:
            if parts[0] in tree and stat.S_ISDIR(tree[parts[0]][0]):
                raise PathConflict(f"'{_shown(above + parts[0])}' is a folder.")
            tree.add(parts[0], file.mode, ObjectID(file.oid.encode()))
    return _write(store, tree) if len(tree) else ""


def _update_folder(
    store: DiskObjectStore, tree: Tree, name: bytes, inner: dict[Parts, TreeFile | None], above: bytes
) -> None:
    current: str | None = None
    if name in tree:
        mode, oid = tree[name]
        if not stat.S_ISDIR(mode):
            if all(file is None for file in inner.values()):
                return  # nothing lies below it, so nothing has to go
            kind = "a symbolic link" if stat.S_ISLNK(mode) else "a file"
            kind = "a submodule" if mode == 0o160000 else kind
            raise PathConflict(f"'{_shown(above + name)}' is {kind}, not a folder.")
        current = oid.decode()
    made = _updated(store, current, inner, above + name + b"/")
    if made:
        tree.add(name, DIRECTORY, ObjectID(made.encode()))
    elif name in tree:
        del tree[name]


def add_commit(
    store: DiskObjectStore,
    *,
    tree: str,
    parents: Sequence[str],
    author: str,
    message: str = "",
    when: int | None = None,
    committer: str = "",
) -> str:
    """Write a commit made now or at `when` (seconds since 1970), in UTC; its id. author: "Name <mail>", also the
    committer unless another is named."""
    commit = Commit()
    commit.tree = ObjectID(tree.encode())
    commit.parents = [ObjectID(parent.encode()) for parent in parents]
    commit.author, commit.committer = author.encode(), (committer or author).encode()
    commit.author_time = commit.commit_time = int(time.time()) if when is None else when
    commit.author_timezone = commit.commit_timezone = 0
    commit.encoding = b"UTF-8"
    commit.message = message.rstrip().encode("utf-8", "replace") + b"\n"
    store.add_object(commit)
    return commit.id.decode()


def add_copy(
    store: DiskObjectStore, original: bytes, *, tree: str, parent: str, committer: str, when: int | None = None
) -> str:
    """Write a commit as git keeps it (original) with another tree and parent; its id.

    Author, encoding and message stay byte for byte; a signature, which would be wrong now, does not.
    """
    headers, _, message = original.partition(b"\n\n")
    kept = {
        line.partition(b" ")[0]: line for line in headers.split(b"\n") if line.startswith((b"author ", b"encoding "))
    }
    moment = int(time.time()) if when is None else when
    lines = [f"tree {tree}".encode(), f"parent {parent}".encode(), kept[b"author"]]
    lines.append(f"committer {committer} {moment} +0000".encode())
    if b"encoding" in kept:
        lines.append(kept[b"encoding"])
    copy = ShaFile.from_raw_string(Commit.type_num, b"\n".join(lines) + b"\n\n" + message)
    store.add_object(copy)
    return copy.id.decode()


def _write(store: DiskObjectStore, tree: Tree) -> str:
    store.add_object(tree)
    return tree.id.decode()


def _shown(raw: bytes) -> str:
    return raw.decode("utf-8", "replace")
