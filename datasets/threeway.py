"""Three-way merge of mappings: files of a folder, rows of a table, cells of a row. Plain Python, no opinion of its own:
what one side alone changed is taken, what both changed alike is taken once, and everything else is a conflict.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


@dataclass(frozen=True)
class Conflict(Generic[V]):
    """where: the path, or (row, column). The three sides as they are; None: the side does not have it.

    reason: "changed" (both sides changed it, in different ways), "cell" (the same of a cell), "clash" (a file of one
    side lies where the other has a folder), "column" (one side removed a column whose cells the other changed).
    """

    where: Any
    base: V | None
    ours: V | None
    theirs: V | None
    reason: str = "changed"

    def swapped(self) -> Conflict[V]:
        return Conflict(self.where, self.base, self.theirs, self.ours, self.reason)


@dataclass(frozen=True)
class Merged(Generic[K, V]):
    """value: what is agreed on; keys in conflict are left out of it. partial: what is agreed on inside of those."""

    value: dict[K, V]
    conflicts: list[Conflict[V]]
    partial: dict[K, V] = field(default_factory=dict)


def merge(base: Mapping[K, V], ours: Mapping[K, V], theirs: Mapping[K, V]) -> Merged[K, V]:
    """Values are never None. Keys keep the order of base, then those of ours, then those of theirs."""
    value: dict[K, V] = {}
    conflicts: list[Conflict[V]] = []
    for key in dict.fromkeys([*base, *ours, *theirs]):
        b, o, t = base.get(key), ours.get(key), theirs.get(key)
        if o == t or t == b:
            chosen = o
        elif o == b:
            chosen = t
        else:
            conflicts.append(Conflict(key, b, o, t))
            continue
        if chosen is not None:
            value[key] = chosen
    return Merged(value, conflicts)


def merge_files(base: Mapping[str, V], ours: Mapping[str, V], theirs: Mapping[str, V]) -> Merged[str, V]:
    """merge() of paths: no file may lie where another path needs a folder. Of a clash every path is in conflict."""
    merged = merge(base, ours, theirs)
    value, conflicts = dict(sorted(merged.value.items())), list(merged.conflicts)
    clashing = clashes({*value, *(str(c.where) for c in conflicts if c.ours or c.theirs)})
    for path in sorted(clashing & value.keys()):
        conflicts.append(Conflict(path, base.get(path), ours.get(path), theirs.get(path), "clash"))
        del value[path]
    return Merged(value, sorted(conflicts, key=lambda conflict: str(conflict.where)))


def clashes(paths: set[str]) -> set[str]:
    """Paths that are a folder of another path, and the paths inside of them."""
    found: set[str] = set()
    for path in paths:
        parent = path.rpartition("/")[0]
        while parent:
            if parent in paths:
                found |= {path, parent}
            parent = parent.rpartition("/")[0]
    return found


Row = Mapping[str, V]


def merge_rows(
    base: Mapping[K, Row[V]], ours: Mapping[K, Row[V]], theirs: Mapping[K, Row[V]]
) -> Merged[K, dict[str, V]]:
    """merge() of rows by key; a row that both sides changed is merged cell by cell, and a conflict of cells names
    (key, column). A cell that is absent is a column that the side does not have."""
    merged = merge(base, ours, theirs)
    value = {key: dict(row) for key, row in merged.value.items()}
    conflicts: list[Conflict[Any]] = []
    partial: dict[K, dict[str, V]] = {}
    for conflict in merged.conflicts:
        if conflict.ours is None or conflict.theirs is None:
            conflicts.append(conflict)
            continue
        cells = merge(conflict.base or {}, conflict.ours, conflict.theirs)
        if cells.conflicts:
            row = conflict.where
            conflicts += [Conflict((row, c.where), c.base, c.ours, c.theirs, "cell") for c in cells.conflicts]
            partial[conflict.where] = cells.value
        else:
            value[conflict.where] = cells.value
    return Merged(value, conflicts, partial)


def resolved_rows(merged: Merged[K, dict[str, V]], chosen: Sequence[Any]) -> dict[K, dict[str, V]]:
    """The rows of merge_rows() once each conflict, in order, has its row or its cell; None: it is not there."""
    value = dict(merged.value) | {key: dict(row) for key, row in merged.partial.items()}
    for conflict, wanted in zip(merged.conflicts, chosen, strict=True):
        if is_cell(conflict):
            key, column = conflict.where
            value[key] = value[key] | ({column: wanted} if wanted is not None else {})
        elif wanted is not None:
            value[conflict.where] = dict(wanted)
    return value


def is_cell(conflict: Conflict[Any]) -> bool:
    """Whether a conflict of merge_rows() is one of a cell; else it is of a row."""
    return conflict.reason == "cell"
