"""Three-way merge of JSON lines: objects by key, their members as cells. A line that stays keeps its characters."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, TextIO

from datasets.tables import compressed, deciding, keyed, texts, typed
from datasets.tables.deciding import SIDES
from datasets.tables.keyed import Cell, Key, Row
from datasets.threeway import Conflict, merge_rows

MAX_BYTES = 256 * 1024 * 1024  # of one side, unpacked: rows are held in memory


def merge_lines(
    inputs: Mapping[str, Path], folder: Path, made: Path, key: list[str], choices: dict[str, Any] | None = None
) -> dict[str, Any]:
    """keyed.outcome(); the merged lines are written at made when there is no conflict, or choices decide them all; else
    what is in conflict is written (names.PLACES). Raises ValueError, deciding.Undecided."""
    lines: dict[str, dict[Key, str]] = {side: {} for side in SIDES}
    sides: dict[str, dict[Key, Row]] = {side: {} for side in SIDES}
    for side, path in inputs.items():
        plain, _ = texts.as_utf8(compressed.unpacked(path, folder / f"{side}.plain"), folder / f"{side}.clean")
        if plain.stat().st_size > MAX_BYTES:
            raise ValueError("These files are too large to be merged line by line.")
        with open(plain, encoding="utf-8-sig", newline="\n") as file:
            read = list(_read(file))
        sides[side] = keyed.by_key((row for _, row in read), key)
        lines[side] = dict(zip(sides[side], (line for line, _ in read), strict=True))
    merged = merge_rows(sides["base"], sides["ours"], sides["theirs"])
    if merged.conflicts and choices is not None:
        words = deciding.words(choices, merged.conflicts)
        merged = deciding.rows(merged, words, key, _type_of, _typed, first=0)
    if merged.conflicts:
        deciding.write(folder, merged.conflicts, key, _type_of)
    else:
        with open(made, "w", encoding="utf-8", newline="") as out:
            for at, row in keyed.in_order(merged, sides["base"]):
                out.write(_line(at, row, sides, lines) + "\n")
    return keyed.outcome(merged, key)


def _read(file: TextIO) -> Iterator[tuple[str, Row]]:
    for number, line in enumerate(file, 1):
        if not line.strip():
            continue
        try:
            value = json.loads(line, object_pairs_hook=_members)
        except (ValueError, RecursionError) as error:
            raise ValueError(f"Line {number:,} cannot be merged: {str(error)[:100]}.") from error
        if not isinstance(value, dict):
            raise ValueError(f"Line {number:,} is no JSON object.")
        yield line.rstrip("\r\n"), {name: Cell(member, _written(member)) for name, member in value.items()}


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a name is there twice in one object")
    return found


def _type_of(_column: str, conflict: Conflict[Any]) -> str:
    """A text where a side has one; else JSON, so that 1 and "1" stay apart."""
    sides = (conflict.base, conflict.ours, conflict.theirs)
    return typed.TEXT if any(side and isinstance(side.value, str) for side in sides) else typed.JSON


def _typed(text: str, type_: str) -> Cell:
    value = text if type_ == typed.TEXT else typed.json_of(text)
    return Cell(value, _written(value))


def _written(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _line(at: Key, row: Row, sides: Mapping[str, Mapping[Key, Row]], lines: Mapping[str, Mapping[Key, str]]) -> str:
    """The line of a side that says the same, base's first; else a new one."""
    same = {side: lines[side][at] for side in SIDES if sides[side].get(at) == row}
    if same:
        return same["base"] if "base" in same else min(same.values())
    names = keyed.new_last(sides["base"].get(at, {}), row)
    return "{" + ", ".join(f"{_written(name)}: {row[name].form}" for name in names) + "}"
