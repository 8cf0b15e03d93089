"""Files that two runs left under the same path, and what differs in one: values, cells, lines or bytes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from datasets import contentdiffs, formats
from datasets.contentdiffs import Changes
from experiments import files
from experiments.beside.sides import Side
from hub.lib.errors import NotFound
from hub.lib.previews.kinds import IMAGE, KINDS, extension_of

MOST_LISTED = 100
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
    text = formats.kind_of(path) in {"structure", "notebook"} or extension in {"csv", "tsv", "jsonl", *_TEXTS}
    return extension not in IMAGE and (text or (not KINDS.get(extension) and path.rpartition("/")[2] == "MLmodel"))


def changes(base: Side, head: Side, path: str) -> Changes:
    """Raises NotFound when one of them has no such file, Invalid for a path that is not plain, Busy."""
    found = [files.artifact(side.repository.pk, side.run.artifact_uri, path) for side in (base, head)]
    if not all(_is_readable(file.path) for file in found):
        raise NotFound("Files of this kind are not compared here.", details="Open them one by one.")
    parts = [(file.head(contentdiffs.TEXT_BYTES), file.size > contentdiffs.TEXT_BYTES) for file in found]
    return contentdiffs.of_bytes(path, parts[0], parts[1])
