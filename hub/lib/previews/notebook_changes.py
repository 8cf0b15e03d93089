"""Worker: what differs between two versions of a notebook, cell by cell. Outputs are shown as in its preview.

Cells are the same when their ids are, else when their text is; what stands in the same place and reads alike was
edited; what went in one place and came in another was moved. Execution counts differ after every run and do not count.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from difflib import SequenceMatcher
from typing import Any

from hub.lib.previews import notebook
from hub.lib.previews.notebook import MAX_CELLS, MAX_OUTPUTS, MAX_TEXT_CHARACTERS
from hub.lib.sanitise import Bases

MAX_HTML_CHARACTERS = 4_000_000  # of all outputs together
MAX_LINES = 1_500  # of a cell, compared
CONTEXT = 3
ALIKE, LOOK_AHEAD = 0.6, 10
MAX_NAMES, MAX_NAME_CHARACTERS = 20, 80  # of what differs besides cells
Cell = dict[str, Any]


def changes(data: bytes, *, at: int, absent: str = "") -> dict[str, Any]:
    """{"added", "removed", "changed", "outputs_changed", "moved", "unchanged": counts of cells, "cells": [...],
    "language", "metadata": names of what else differs, "left_out": cells beyond the limit}.

    A cell: {"what": added, removed, changed, outputs, moved or unchanged, "moved": whether it stands elsewhere now
    (changed or not), "kind", "old", "new": numbers from 1 (0: absent),
    "hunks": [{"old", "new": first lines, "lines": [[" ", "+" or "-", old number, new number, text]]}],
    "outputs": html of both sides, null when they are alike}.
    data: the base's bytes up to `at`, then the head's. absent: the side that has no file. Raises ValueError.
    """
    before, old, language = _read("base", data[:at]) if absent != "base" else ({}, [], "")
    after, new, language = _read("head", data[at:]) if absent != "head" else ({}, [], language)
    left_out = max(0, len(old) - MAX_CELLS) + max(0, len(new) - MAX_CELLS)
    outputs = _Outputs()
    pairs = _paired(old[:MAX_CELLS], new[:MAX_CELLS])
    cells = [_told(one, other, outputs, moved=moved) for one, other, moved in pairs]
    whats = [cell["what"] for cell in cells]
    counts = {what: whats.count(what) for what in ("added", "removed", "changed", "unchanged")}
    rerun = sum(cell["outputs"] is not None and cell["what"] in {"changed", "outputs"} for cell in cells)
    return {
        **counts,
        "outputs_changed": rerun,
        "moved": sum(cell["moved"] for cell in cells),
        "cells": cells,
        "language": language,
        "metadata": [] if absent else _metadata(before, after, pairs),
        "left_out": left_out,
    }


def _read(side: str, data: bytes) -> tuple[Cell, list[tuple[int, Cell]], str]:
    try:
        book = notebook.book_of(data)
        cells, language = notebook.cells_of(book)
    except ValueError as error:
        raise ValueError(f"At {side}: {error}") from error
    return book, list(enumerate(cells, 1)), language


# ---- which cell is which -------------------------------------------------------------------------
Side = list[tuple[int, Cell]]
Pair = tuple[tuple[int, Cell] | None, tuple[int, Cell] | None]
Matched = list[tuple[tuple[int, Cell] | None, tuple[int, Cell] | None, bool]]


def _paired(old: Side, new: Side) -> Matched:
    """Every cell once, in the order of the new side; the last: whether it stands elsewhere now."""
    shared = _ids(old) & _ids(new)
    pairs = list(_in_order(old, new, shared))
    went: dict[tuple[str, ...], list[tuple[int, Cell]]] = {}
    for one, other in pairs:
        if one and other is None and any(_name(one[1], shared)[1:]):  # not what is empty
            went.setdefault(_name(one[1], shared), []).append(one)
    found: Matched = []
    taken = set[int]()
    for one, other in pairs:
        same = went.get(_name(other[1], shared)) if other and one is None else None
        gone = same.pop(0) if same else None
        if gone:
            taken.add(gone[0])
        found.append((gone or one, other, gone is not None))
    return [(one, other, moved) for one, other, moved in found if other or one is None or one[0] not in taken]


def _in_order(old: Side, new: Side, shared: set[str]) -> Iterator[Pair]:
    one, other = ([_name(cell, shared) for _, cell in side] for side in (old, new))
    for what, i, i_end, j, j_end in SequenceMatcher(None, one, other, autojunk=False).get_opcodes():
        if what == "equal":
            yield from zip(old[i:i_end], new[j:j_end], strict=True)
        else:
            yield from _edited(old[i:i_end], new[j:j_end], shared)


def _ids(side: Side) -> set[str]:
    """Ids that name one cell alone."""
    found = Counter(cell["id"] for _, cell in side if isinstance(cell.get("id"), str))
    return {id_ for id_, count in found.items() if count == 1}


def _name(cell: Cell, shared: set[str]) -> tuple[str, ...]:
    id_ = cell.get("id")
    return ("id", id_) if isinstance(id_, str) and id_ in shared else (_kind(cell), _source(cell))


def _edited(old: Side, new: Side, shared: set[str]) -> Iterator[Pair]:
    """Cells between two that are the same: in order, those that read alike are pairs.

    Where both notebooks name their cells by ids, only ids make pairs.
    """
    rest = list(new)
    for one in old:
        found = next((n for n, other in enumerate(rest[:LOOK_AHEAD]) if _alike(one[1], other[1], shared)), None)
        if found is None:
            yield one, None
            continue
        yield from ((None, other) for other in rest[:found])
        yield one, rest[found]
        rest = rest[found + 1 :]
    yield from ((None, other) for other in rest)


def _alike(one: Cell, other: Cell, shared: set[str]) -> bool:
    if _kind(one) != _kind(other) or (shared and "id" in one and "id" in other):
        return False
    matcher = SequenceMatcher(None, _source(one)[:2_000], _source(other)[:2_000])
    return matcher.quick_ratio() >= ALIKE and matcher.ratio() >= ALIKE


# ---- one pair ------------------------------------------------------------------------------------
def _told(
    one: tuple[int, Cell] | None, other: tuple[int, Cell] | None, outputs: _Outputs, *, moved: bool
) -> dict[str, Any]:
    old, new = one[1] if one else {}, other[1] if other else {}
    same = one is not None and other is not None and _source(old) == _source(new) and _kind(old) == _kind(new)
    shown = outputs.both(old, new)
    what = "added" if one is None else "removed" if other is None else "changed"
    if same:
        what = ("moved" if moved else "unchanged") if shown is None else "outputs"
    return {
        "what": what,
        "moved": moved,
        "kind": _kind(new or old),
        "old": one[0] if one else 0,
        "new": other[0] if other else 0,
        "hunks": [] if same else _hunks(_source(old), _source(new)),
        "outputs": shown,
    }


def _hunks(old: str, new: str) -> list[dict[str, Any]]:
    """Changed lines with a few around them; all lines of a cell that came or went."""
    a, b = old.splitlines()[:MAX_LINES], new.splitlines()[:MAX_LINES]
    found = []
    for group in SequenceMatcher(None, a, b, autojunk=len(a) > 500).get_grouped_opcodes(CONTEXT):
        lines: list[list[Any]] = []
        for what, i, i_end, j, j_end in group:
            if what == "equal":
                lines += [[" ", i + n + 1, j + n + 1, a[i + n]] for n in range(i_end - i)]
                continue
            lines += [["-", n + 1, 0, a[n]] for n in range(i, i_end)]
            lines += [["+", 0, n + 1, b[n]] for n in range(j, j_end)]
        found.append({"old": group[0][1] + 1, "new": group[0][3] + 1, "lines": lines})
    return found


# ---- what is no cell ------------------------------------------------------------------------------
def _metadata(before: Cell, after: Cell, pairs: Matched) -> list[str]:
    """e.g. ["kernelspec.name", "tags of 3 cells"]."""
    found = [name for name in ("nbformat", "nbformat_minor") if before.get(name) != after.get(name)]
    old, new = (_flat(book.get("metadata")) for book in (before, after))
    found += [name for name in dict.fromkeys([*old, *new]) if old.get(name) != new.get(name)]
    cells = Counter[str]()
    for one, other, _ in pairs:
        if one and other:
            was, now = (_flat(cell[1].get("metadata"), deep=False) for cell in (one, other))
            cells.update(name for name in {*was, *now} if was.get(name) != now.get(name))
    found += [f"{name} of {count} cell{'s' if count > 1 else ''}" for name, count in sorted(cells.items())]
    names = [name[:MAX_NAME_CHARACTERS] for name in found]
    return names[:MAX_NAMES] + ([f"{len(names) - MAX_NAMES} more"] if len(names) > MAX_NAMES else [])


def _flat(metadata: Any, *, deep: bool = True) -> dict[str, str]:
    """name → value; of the first two levels."""
    if not isinstance(metadata, dict):
        return {}
    found: dict[str, str] = {}
    for name, value in metadata.items():
        inner = value if deep and isinstance(value, dict) else {"": value}
        found |= {f"{name}.{key}".rstrip("."): json.dumps(one, sort_keys=True) for key, one in inner.items()}
    return found


class _Outputs:
    """The outputs of both sides as HTML, while there is room for them."""

    def __init__(self) -> None:
        self.left = MAX_HTML_CHARACTERS
        self.writer = notebook.Writer(Bases(), "python")

    def both(self, old: Cell, new: Cell) -> list[str] | None:
        """None when they are alike."""
        if _told_by(old) == _told_by(new):
            return None
        return [self._html(old), self._html(new)]

    def _html(self, cell: Cell) -> str:
        html = "".join(f'<div class="cell-output">{self.writer.output(output)}</div>' for output in _outputs(cell))
        self.left -= len(html)
        return html if self.left >= 0 else '<p class="muted">There is no room for this output here.</p>'


def _told_by(cell: Cell) -> list[str]:
    """What counts of the outputs."""
    kept = [{k: v for k, v in output.items() if k not in {"execution_count", "metadata"}} for output in _outputs(cell)]
    return [json.dumps(output, sort_keys=True) for output in kept]


def _outputs(cell: Cell) -> list[dict[str, Any]]:
    found = cell.get("outputs") if _kind(cell) == "code" else None
    return [output for output in found if isinstance(output, dict)][:MAX_OUTPUTS] if isinstance(found, list) else []


def _kind(cell: Cell) -> str:
    kind = cell.get("cell_type")
    return kind if kind in {"code", "markdown"} else "raw"


def _source(cell: Cell) -> str:
    return notebook.text_of(cell.get("source"))[:MAX_TEXT_CHARACTERS]
