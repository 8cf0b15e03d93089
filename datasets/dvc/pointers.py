"""What .dvc files and dvc.lock track. Tolerant of unknown keys, deaf to paths that lead out of the repository.

Schema followed: dvc.schema and dvc.output (3.67); 2.x files have no `hash:` and name legacy objects.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, TypeGuard

from datasets.dvc import documents, keys
from datasets.dvc.documents import Malformed
from hub.lib.numbers import whole

__all__ = ["File", "Malformed", "Out", "is_pointer", "items_of", "outs_of", "placed", "stages_of"]

MAX_OUTS = 100_000
MAX_PATH_CHARACTERS = 4_096


@dataclass(frozen=True, slots=True)
class File:
    """One file of a directory that is listed in the pointer itself (`files:`). path: below the output."""

    path: str
    oid: str
    size: int | None = None


@dataclass(frozen=True, slots=True)
class Out:
    """One tracked output. path: as written, below the pointer's folder; after placed(), below the repository's root.

    oid: md5, with ".dir" for a directory; "" when DVC keeps it by another name (etag) or has not made it yet.
    legacy: the object lies in DVC 2's layout. size in bytes and nfiles as DVC wrote them; None: not written.
    stage: of dvc.lock, "" for a .dvc file.
    """

    path: str
    oid: str
    legacy: bool = False
    size: int | None = None
    nfiles: int | None = None
    files: tuple[File, ...] = ()
    stage: str = ""

    @property
    def is_dir(self) -> bool:
        return keys.is_manifest(self.oid) or bool(self.files)

    @property
    def key(self) -> str:
        return keys.key_of(self.oid, legacy=self.legacy)


def is_pointer(path: str) -> bool:
    """Whether a git path is a file that tracks data: *.dvc or dvc.lock (.dvc/ itself is DVC's own folder)."""
    name = posixpath.basename(path)
    return name == "dvc.lock" or (name.endswith(".dvc") and name != ".dvc")


def outs_of(data: bytes, *, lock: bool) -> tuple[Out, ...]:
    """The outputs in a .dvc file, or with lock in a dvc.lock, in order. Raises Malformed."""
    document = documents.load(data)
    if document is None:
        return ()
    if not isinstance(document, dict):
        raise Malformed("not a mapping")
    found = _lock_outs(document) if lock else _file_outs(document)
    outs = []
    for out in found:
        outs.append(out)
        if len(outs) > MAX_OUTS:
            raise Malformed(f"more than {MAX_OUTS:,} outputs")
    return tuple(outs)


def placed(out: Out, folder: str) -> Out | None:
    """The output with its path from the root; folder: of the pointer ("" is the root).

    `..` is fine while it stays inside (a dvc.yaml in a sub-folder may write beside itself). None when it leaves the
    repository, is absolute, names another remote, or touches .git or .dvc.
    """
    path = clean(posixpath.join(folder, out.path)) if not _is_foreign(out.path) else None
    return replace(out, path=path) if path else None


def clean(path: str) -> str | None:
    """A path in normal form below the root, or None when it is none."""
    if not path or len(path) > MAX_PATH_CHARACTERS or any(c < " " or c == "\\" for c in path):
        return None
    normal = posixpath.normpath(path)
    parts = normal.split("/")
    if normal.startswith(("/", "..")) and parts[0] in {"", ".."}:
        return None
    if normal == "." or any(part.lower() in {".git", ".dvc"} for part in parts):
        return None
    return normal


def _is_foreign(path: str) -> bool:
    return path.startswith(("/", "~")) or "://" in path or path[1:3] in {":/", ":\\"}


def _file_outs(document: dict[str, Any]) -> Iterator[Out]:
    wdir = document.get("wdir")
    for entry in _mappings(document.get("outs")):
        if out := _out(entry):
            yield replace(out, path=posixpath.join(wdir, out.path)) if _is_text(wdir) else out


def _lock_outs(document: dict[str, Any]) -> Iterator[Out]:
    for name, stage in stages_of(document):
        yield from (replace(out, stage=name) for out in items_of(stage.get("outs")))


def stages_of(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """(name, record) of each stage in a dvc.lock. Schema 2.0 has `stages:`; 1.0 has the stages at the top."""
    stages = document.get("stages") if "schema" in document or "stages" in document else document
    for name, stage in stages.items() if isinstance(stages, dict) else ():
        if isinstance(stage, dict):
            yield name, stage


def items_of(written: Any) -> Iterator[Out]:
    """What a list of outs or deps names, as written."""
    return (out for entry in _mappings(written) if (out := _out(entry)))


def _out(entry: dict[str, Any]) -> Out | None:
    path = entry.get("path")
    if not _is_text(path) or not path:
        return None
    files = tuple(_files(entry))
    return Out(
        path=path,
        oid=_oid(entry),
        legacy="hash" not in entry and not files and "cloud" not in entry,
        size=_number(entry.get("size")),
        nfiles=_number(entry.get("nfiles")) if not files else len(files),
        files=files,
    )


def _files(entry: dict[str, Any]) -> Iterator[File]:
    for item in _mappings(entry.get("files")):
        path = item.get("relpath")
        if _is_text(path) and not _is_foreign(path) and (normal := clean(path)):
            yield File(normal, _oid(item), _number(item.get("size")))


def _oid(entry: dict[str, Any]) -> str:
    """md5, or the etag when a cloud used the md5 for it."""
    clouds = entry.get("cloud")
    cloud = next(_mappings(list(clouds.values())), {}) if isinstance(clouds, dict) else {}
    for value in (entry.get("md5"), entry.get("etag"), cloud.get("md5"), cloud.get("etag")):
        if isinstance(value, str) and keys.is_oid(value.lower()):
            return value.lower()
    return ""


def _mappings(value: Any) -> Iterator[dict[str, Any]]:
    return (item for item in value if isinstance(item, dict)) if isinstance(value, list) else iter(())


def _number(value: Any) -> int | None:
    return whole(value) if isinstance(value, str) else None


def _is_text(value: Any) -> TypeGuard[str]:
    return isinstance(value, str)
