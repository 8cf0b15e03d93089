"""What differs between two versions of a file that is no table, picture or sound: lines, values, cells, or bytes.

Made in well under a second from bounded parts of both, and kept by their hashes; what is parsed, the sandbox parses.
"""

from __future__ import annotations

import base64
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from datasets import formats, results, sandboxed
from datasets.tracked.versions import Version
from hub.lib import previews, sandbox
from hub.lib.previews import kinds
from hub.lib.sandbox import Overrun, Unreadable
from repos import cache, files
from repos.git import diff as gitdiff
from repos.git.diff import FileDiff, Hunk, Line
from repos.models import Repository

VERSION = 3  # grows when the shape of what is kept changes
TEXT_BYTES = 8 * 1024**2
PARSED_BYTES = {"structure": previews.TEXT_BYTES, "notebook": previews.NOTEBOOK_BYTES}
_BOM = (b"\xff\xfe", b"\xfe\xff")


@dataclass(frozen=True)
class Changes:
    """kind: text, structure, notebook or bytes; tablefiles adds table. result: lines (FileDiff) of text; changes of a
    structure; cells of a notebook; base and head (hexdumps) of bytes. note: what is left out, and why another kind was
    chosen."""

    kind: str
    summary: dict[str, int]
    result: dict[str, Any]
    note: str = ""


@dataclass(frozen=True)
class _Side:
    """The beginning of one version. cut: there is more."""

    data: bytes
    cut: bool


def changes(
    repository: Repository,
    base: tuple[str, Version] | None,
    head: tuple[str, Version] | None,
    *,
    as_text: bool = False,
    ignore_space: bool = False,
) -> Changes:
    """base, head: a full commit id and what the path is there; both present. Raises NotFound, Busy."""
    versions = [side[1] for side in (base, head) if side]
    ids = [side[1].sha256 or side[1].identity if side else "" for side in (base, head)]
    path = versions[-1].path
    name = path.rsplit("/", 1)[-1]
    kind = "text" if as_text else formats.kind_of(path)

    def make() -> Changes:
        sides = [_side(repository, side, TEXT_BYTES) for side in (base, head)]
        return _changes(kind, name, sides[0], sides[1], ignore_space=ignore_space)

    return cache.by_ids(repository, "content-diff", VERSION, *ids, name, kind, ignore_space, make=make)


def of_bytes(path: str, base: tuple[bytes, bool], head: tuple[bytes, bool]) -> Changes:
    """The same of two files that are no versions of the repository: (their first TEXT_BYTES, whether there is more).

    Raises Busy."""
    name, sides = path.rsplit("/", 1)[-1], [_Side(*part) for part in (base, head)]
    return _changes(formats.kind_of(path), name, sides[0], sides[1], ignore_space=False)


def _side(repository: Repository, side: tuple[str, Version] | None, limit: int) -> _Side | None:
    if side is None:
        return None
    commit, version = side
    content = files.open_file(repository, commit, version.path)
    data, cut = content.head(limit), content.size > limit
    if formats.is_packed(version.path):
        with suppress(Unreadable, Overrun):  # else its own bytes are compared
            found = sandboxed.call("compressed:beginning", payload=data, limit=limit)
            return _Side(base64.b64decode(found["data"]), found["cut"] or cut)
    return _Side(data, cut)


def _changes(kind: str, name: str, base: _Side | None, head: _Side | None, *, ignore_space: bool) -> Changes:
    sides = [side for side in (base, head) if side]
    if any(kinds.is_binary(side.data) for side in sides):
        return _bytes(base, head)
    note = ""
    if limit := PARSED_BYTES.get(kind):
        if any(side.cut or len(side.data) > limit for side in sides):
            note = f"A version is larger than {limit // 1024**2} MiB: lines are compared instead of values."
        else:
            try:
                return _parsed(kind, name, base, head)
            except Unreadable as error:
                note = f"{error} Lines are compared instead."
            except Overrun:
                note = "Comparing this by its values takes too much time or memory. Lines are compared instead."
    return _lines(name, base, head, note, ignore_space=ignore_space)


def _parsed(kind: str, name: str, base: _Side | None, head: _Side | None) -> Changes:
    """Raises Unreadable and Overrun."""
    old, new = base.data if base else b"", head.data if head else b""
    options: dict[str, Any] = {"at": len(old), "absent": "" if base and head else "head" if base else "base"}
    if kind == "structure":
        options["format"] = formats.STRUCTURES[formats.extension(name)]
        found = sandbox.call("hub.lib.previews.tree_changes:changes", old + new, seconds=10, **options)
        summary = {f"paths_{what}": found[what] for what in ("added", "removed", "changed")}
    else:
        found = sandbox.call("hub.lib.previews.notebook_changes:changes", old + new, seconds=10, **options)
        summary = {f"cells_{what}": found[what] for what in ("added", "removed", "changed", "moved", "unchanged")}
        summary["outputs_changed"] = found["outputs_changed"]
    note = f"{found['left_out']:,} more are left out: Lines shows them." if found["left_out"] else ""
    return Changes(kind, summary, found, note)


def _lines(name: str, base: _Side | None, head: _Side | None, note: str, *, ignore_space: bool) -> Changes:
    with results.work_folder() as folder:
        old, new = _written(base, folder / "base"), _written(head, folder / "head")
        found, cut = gitdiff.of_texts(folder, old, new, name, ignore_space=ignore_space)
    if any(side and side.cut for side in (base, head)):
        note = f"{note} Only the first {TEXT_BYTES // 1024**2} MiB of each version are compared."
    if cut:
        note = f"{note} Only the first {gitdiff.MAX_LINES_ALONE:,} lines of the difference are shown."
    summary = {"lines_added": found.added, "lines_removed": found.removed}
    return Changes("text", summary, {"lines": found}, note.strip())


def _written(side: _Side | None, place: Path) -> Path:
    """As UTF-8: git takes UTF-16 for bytes. No file is an empty one."""
    data = side.data if side else b""
    place.write_bytes(data.decode("utf-16", "replace").encode() if data.startswith(_BOM) else data)
    return place


def _bytes(base: _Side | None, head: _Side | None) -> Changes:
    dumps = [side.data[: previews.HEXDUMP_BYTES] if side else b"" for side in (base, head)]
    result = {"base": previews.hexdump(dumps[0]), "head": previews.hexdump(dumps[1])}
    return Changes("bytes", {}, result)


def lines_of_cell(cell: dict[str, Any], name: str) -> FileDiff:
    """The changed lines of a notebook's cell, as those of a file of this name."""
    hunks = tuple(
        Hunk(hunk["old"], hunk["new"], "", tuple(Line(*line) for line in hunk["lines"])) for hunk in cell["hunks"]
    )
    return FileDiff(cell["what"], name, name, 0, 0, "", "", hunks=hunks)
