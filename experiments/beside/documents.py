"""Files that two runs left under the same path, and what differs in one: values, rows, cells, lines or bytes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from datasets import formats
from datasets.comparison import contentdiffs, tablefiles
from datasets.comparison.contentdiffs import Changes
from experiments import files
from experiments.beside.sides import Side
from experiments.files import Artifact
from hub.lib.errors import NotFound
from hub.lib.previews.kinds import IMAGE, KINDS, extension_of
from hub.lib.sandbox import Overrun, Unreadable
from repos import cache

MOST_LISTED = 100
VERSION = 1  # grows when the shape of what is kept changes
_TEXTS = {"md", "txt", "log", "py", "toml", "cfg", "ini", "sh", "html", "xml", "sql"}


@dataclass(frozen=True)
class Common:
    """count: runs that have it. same_size: in all of them."""

    path: str
    count: int
    same_size: bool


def common(sides: Sequence[Side]) -> list[Common]:
    """Paths that at least two runs have and whose difference can be read, by path."""
    counted = Counter(path for side in sides for path in side.files if _is_readable(path))
    paths = sorted(path for path, count in counted.items() if count > 1)[:MOST_LISTED]
    sizes = {path: {side.files[path] for side in sides if path in side.files} for path in paths}
    return [Common(path, counted[path], len(sizes[path]) == 1) for path in paths]


def _is_readable(path: str) -> bool:
    extension = extension_of(path)
    text = formats.kind_of(path) in {"table", "structure", "notebook"} or extension in _TEXTS
    return extension not in IMAGE and (text or (not KINDS.get(extension) and path.rpartition("/")[2] == "MLmodel"))


def changes(base: Side, head: Side, path: str) -> Changes:
    """Raises NotFound when one of them has no such file, Invalid for a path that is not plain, Busy."""
    found = [files.artifact(side.repository.pk, side.run.artifact_uri, path) for side in (base, head)]
    if not all(_is_readable(file.path) for file in found):
        raise NotFound("Files of this kind are not compared here.", details="Open them one by one.")
    if formats.is_table(path):
        return _rows(base, head, found)
    return _lines(path, found)


def _rows(base: Side, head: Side, found: Sequence[Artifact]) -> Changes:
    """Of tables; of what cannot be read as such, lines or bytes, and why."""
    path, name = found[0].path, found[0].path.rpartition("/")[2]
    ids = (base.run.run_id, head.run.run_id, path, *((file.entry.oid, file.size) for file in found))
    try:
        if max(file.size for file in found) > tablefiles.MAX_BYTES:
            raise Unreadable(f"One of them is larger than {tablefiles.MAX_BYTES // 1024**2} MiB.")
        rows = cache.by_ids(
            head.repository, "artifact-rows", VERSION, *ids, make=lambda: tablefiles.changes(name, *found)
        )
    except Unreadable as error:
        why = str(error)
    except Overrun:
        why = "Comparing their rows takes too much time or memory."
    else:
        if rows.kind == "table":
            return rows
        why = rows.result["problems"][0]["message"]
    lines = _lines(path, found)
    return replace(lines, note=f"{why} Lines are compared instead of rows. {lines.note}".strip())


def _lines(path: str, sides: Sequence[Artifact]) -> Changes:
    parts = [(file.head(contentdiffs.TEXT_BYTES), file.size > contentdiffs.TEXT_BYTES) for file in sides]
    return contentdiffs.of_bytes(path, parts[0], parts[1])
