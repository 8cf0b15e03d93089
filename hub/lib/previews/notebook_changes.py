"""Worker: what differs between two versions of a notebook, cell by cell. Outputs are shown as in its preview.

Cells are the same when their ids are, else when their text is; what stands in the same place and reads alike was
edited. Execution counts differ after every run and do not count.
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
Cell = dict[str, Any]


def changes(data: bytes, *, at: int, absent: str = "") -> dict[str, Any]:
    """{"added", "removed", "changed", "outputs_changed", "unchanged": counts of cells, "cells": [...], "language",
    "left_out": cells beyond the limit}.

    A cell: {"what": added, removed, changed, outputs or unchanged, "kind", "old", "new": numbers from 1 (0: absent),
    "hunks": [{"old", "new": first lines, "lines": [[" ", "+" or "-", old number, new number, text]]}],
    "outputs": html of both sides, null when they are alike}.
    data: the base's bytes up to `at`, then the head's. absent: the side that has no file. Raises ValueError.
    """
    old, language = _read("base", data[:at]) if absent != "base" else ([], "")
    new, language = _read("head", data[at:]) if absent != "head" else ([], language)
    left_out = max(0, len(old) - MAX_CELLS) + max(0, len(new) - MAX_CELLS)
    outputs = _Outputs()
    cells = [_told(one, other, outputs) for one, other in _paired(old[:MAX_CELLS], new[:MAX_CELLS])]
    whats = [cell["what"] for cell in cells]
    counts = {what: whats.count(what) for what in ("added", "removed", "changed", "unchanged")}
    rerun = sum(cell["outputs"] is not None and cell["what"] in {"changed", "outputs"} for cell in cells)
    return {**counts, "outputs_changed": rerun, "cells": cells, "language": language, "left_out": left_out}


def _read(side: str, data: bytes) -> tuple[list[tuple[int, Cell]], str]:
    try:
        cells, language = notebook.cells_of(data)
    except ValueError as error:
        raise ValueError(f"At {side}: {error}") from error
    return list(enumerate(cells, 1)), language


# ---- which cell is which -------------------------------------------------------------------------
Side = list[tuple[int, Cell]]
Pair = tuple[tuple[int, Cell] | None, tuple[int, Cell] | None]


def _paired(old: Side, new: Side) -> Iterator[Pair]:
    shared = _ids(old) & _ids(new)
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
def _told(one: tuple[int, Cell] | None, other: tuple[int, Cell] | None, outputs: _Outputs) -> dict[str, Any]:
    old, new = one[1] if one else {}, other[1] if other else {}
    same = one is not None and other is not None and _source(old) == _source(new) and _kind(old) == _kind(new)
    shown = outputs.both(old, new)
    what = "added" if one is None else "removed" if other is None else "changed"
    if same:
        what = "unchanged" if shown is None else "outputs"
    return {
        "what": what,
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
