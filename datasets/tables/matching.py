"""Which column of one version is which of the other, and whether a pair of cells holds the same value."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from datasets.tables.columns import Column
from datasets.tables.engine import Connection, name
from datasets.tables.reading import Table

MAX_RENAME_CANDIDATES = 40
SAMPLE_ROWS = 20_000
ALIKE = 0.9  # share of equal cells from which a column under another name is the same one


@dataclass(frozen=True)
class Pair:
    """One column of both versions. Its SQL stands on a join of base as b and head as h."""

    base: Column
    head: Column

    @property
    def renamed(self) -> bool:
        return self.base.name != self.head.name

    @property
    def type_changed(self) -> bool:
        if self.base.text != self.head.text:
            return self.base.kind != self.head.kind
        return self.base.type != self.head.type

    @property
    def is_number(self) -> bool:
        return self.base.is_number and self.head.is_number

    @property
    def as_text(self) -> bool:
        """Compared by characters: text files, and types that do not compare otherwise."""
        if self.base.text or self.head.text:
            return True
        return self.base.type != self.head.type and not self.is_number

    def sides(self, b: str = "b", h: str = "h") -> tuple[str, str]:
        """The two cells as SQL of one common type."""
        base, head = f"{b}.{name(self.base.name)}", f"{h}.{name(self.head.name)}"
        if not self.as_text:
            return base, head
        return (
            base if self.base.text else f"CAST({base} AS VARCHAR)",
            head if self.head.text else f"CAST({head} AS VARCHAR)",
        )

    def numbers(self) -> tuple[str, str]:
        exact = self.base.kind == self.head.kind == "integer"
        base, head = self.sides()
        kind = "HUGEINT" if exact else "DOUBLE"
        return f"TRY_CAST({base} AS {kind})", f"TRY_CAST({head} AS {kind})"

    def written_differently(self) -> str:
        """SQL: the cells are not written alike."""
        base, head = self.sides()
        return f"({base} IS DISTINCT FROM {head})"

    def differs(self, tolerance: float) -> str:
        """SQL: the cells hold different values. Numbers in text count by value; tolerance is relative above 1."""
        unequal = self.written_differently()
        if not self.is_number or (not self.as_text and not tolerance):
            return unequal
        x, y = self.numbers()
        same = f"coalesce({x} = {y}, false)" if self.as_text else "false"
        if tolerance:
            same += f" OR coalesce({_close(x, y, tolerance)}, false)"
        # CASE, so that the casts are made for cells only that are written differently.
        return f"(CASE WHEN {unequal} THEN NOT ({same}) ELSE false END)"

    def noise(self) -> str | None:
        """SQL: the change is of no weight: rounding of a float, or white space around text."""
        if self.is_number and "integer" not in {self.base.kind, self.head.kind}:
            x, y = self.numbers()
            single = f"TRY_CAST({x} AS FLOAT) = TRY_CAST({y} AS FLOAT)"  # one of them was kept with 32 bits
            return f"coalesce({_close(x, y, 1e-9)} OR {single}, false)"
        if self.base.kind == self.head.kind == "text":
            base, head = self.sides()
            return f"coalesce(trim({base}, ' \t\r\n') = trim({head}, ' \t\r\n'), false)"
        return None


def _close(x: str, y: str, tolerance: float) -> str:
    limit = f"{tolerance!r} * greatest(1.0, abs({x}::DOUBLE), abs({y}::DOUBLE))"
    return f"(isfinite({x}::DOUBLE) AND isfinite({y}::DOUBLE) AND abs({x}::DOUBLE - {y}::DOUBLE) <= {limit})"


@dataclass(frozen=True)
class Schema:
    """pairs: columns of both, in head's order. added, removed: of one only."""

    pairs: list[Pair]
    added: list[Column]
    removed: list[Column]

    def shape(self) -> dict[str, Any]:
        return {
            "added": [{"name": c.name, "type": c.type} for c in self.added],
            "removed": [{"name": c.name, "type": c.type} for c in self.removed],
            "renamed": [{"from": p.base.name, "to": p.head.name} for p in self.pairs if p.renamed],
            "retyped": [
                {"name": p.head.name, "from": p.base.type, "to": p.head.type} for p in self.pairs if p.type_changed
            ],
            "columns": [{"name": p.head.name, "type": p.head.type, "kind": p.head.kind} for p in self.pairs],
        }


def by_name(base: Table, head: Table) -> Schema:
    known = {column.name: column for column in base.columns}
    pairs = [Pair(known[column.name], column) for column in head.columns if column.name in known]
    shared = {pair.base.name for pair in pairs}
    return Schema(
        pairs,
        [column for column in head.columns if column.name not in known],
        [column for column in base.columns if column.name not in shared],
    )


def with_renames(schema: Schema, renames: dict[str, str], head: Table) -> Schema:
    """renames: base's name → head's."""
    old = {column.name: column for column in schema.removed}
    origin = {pair.head.name: pair.base for pair in schema.pairs}
    origin |= {new: old[name_] for name_, new in renames.items()}
    return Schema(
        [Pair(origin[column.name], column) for column in head.columns if column.name in origin],
        [column for column in schema.added if column.name not in renames.values()],
        [column for column in schema.removed if column.name not in renames],
    )


def same_contents(con: Connection, base: Table, head: Table, schema: Schema) -> dict[str, str]:
    """Removed columns whose values are, as a bag, exactly those of an added one: base's name → head's."""
    removed, added = schema.removed[:MAX_RENAME_CANDIDATES], schema.added[:MAX_RENAME_CANDIDATES]
    if not removed or not added or base.rows != head.rows or not base.rows:
        return {}
    old, new = _prints(con, base, removed), _prints(con, head, added)
    found: dict[str, str] = {}
    for column in removed:
        same = [
            c
            for c in added
            if c.name not in found.values() and c.kind == column.kind and new[c.name] == old[column.name]
        ]
        if same and (old[column.name][1] != 1 or _plain(same[0].name) == _plain(column.name)):
            found[column.name] = same[0].name
    return found


def _prints(con: Connection, table: Table, columns: list[Column]) -> dict[str, tuple[object, ...]]:
    """(values, distinct at least, sum of hashes) of each column."""
    asked = ", ".join(
        f"count({name(c.name)}), approx_count_distinct({name(c.name)}), sum(hash(CAST({name(c.name)} AS VARCHAR)))"
        for c in columns
    )
    values = con.rows(f"SELECT {asked} FROM {table.sql}")[0]
    return {c.name: values[number * 3 : number * 3 + 3] for number, c in enumerate(columns)}


def alike_by_key(con: Connection, base: Table, head: Table, schema: Schema, key: list[Pair]) -> dict[str, str]:
    """Removed columns most of whose cells, row by row, are those of an added one: base's name → head's."""
    candidates = [
        Pair(old, new)
        for old in schema.removed[:MAX_RENAME_CANDIDATES]
        for new in schema.added[:MAX_RENAME_CANDIDATES]
        if old.kind == new.kind or (old.is_number and new.is_number)
    ]
    if not candidates:
        return {}
    asked = ", ".join(
        f"avg(CASE WHEN {p.differs(0.0)} THEN 0.0 ELSE 1.0 END), approx_count_distinct({p.sides()[0]})"
        for p in candidates
    )
    on = " AND ".join("{} = {}".format(*pair.sides()) for pair in key)
    sample = f"(SELECT * FROM {base.sql} LIMIT {SAMPLE_ROWS})"
    values = con.rows(f"SELECT {asked} FROM {sample} b JOIN {head.sql} h ON {on}")[0]
    scored = []
    for number, pair in enumerate(candidates):
        share, distinct = float(str(values[number * 2] or 0)), int(str(values[number * 2 + 1] or 0))
        named = _plain(pair.base.name) == _plain(pair.head.name)
        if share >= (0.5 if named else ALIKE) and (distinct > 1 or named):
            scored.append((share, pair))
    found: dict[str, str] = {}
    for _, pair in sorted(scored, key=lambda item: -item[0]):
        if pair.base.name not in found and pair.head.name not in found.values():
            found[pair.base.name] = pair.head.name
    return found


def _plain(text: str) -> str:
    return re.sub(r"[^a-z0-9]", "", text.lower())
