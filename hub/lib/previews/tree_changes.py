"""Worker: what differs between two versions of a JSON or YAML file, by the paths of its values."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from difflib import SequenceMatcher
from itertools import islice
from typing import Any

from hub.lib.previews import trees

MAX_CHANGES, MAX_DEPTH, MAX_ITEMS_ALIGNED, MAX_VALUE_CHARACTERS = 2_000, 60, 1_000, 200
MAX_PAIRS_WEIGHED = 200_000
MAX_PATH_CHARACTERS = 500
Change = tuple[str, str, Any, Any]  # what, path, old value, new value
_NOTHING = object()


def changes(data: bytes, *, at: int, format: str, absent: str = "") -> dict[str, Any]:
    """{"added", "removed", "changed": counts, "changes": [{"what", "path", "old", "new"}], "left_out"}.

    data: the base's bytes up to `at`, then the head's. absent: "base" or "head" where that side has no file.
    Lists are aligned by their items; a value that stands for another is one change. Raises ValueError.
    """
    base = _NOTHING if absent == "base" else _read("base", data[:at], format)
    head = _NOTHING if absent == "head" else _read("head", data[at:], format)
    found = _compare("", base, head, 0)
    listed: list[dict[str, str | None]] = []
    counts = {"added": 0, "removed": 0, "changed": 0}
    for what, path, old, new in found:
        counts[what] += 1
        if len(listed) < MAX_CHANGES:
            shown = path if len(path) <= MAX_PATH_CHARACTERS else path[:MAX_PATH_CHARACTERS] + "…"
            listed.append({"what": what, "path": shown or "(everything)", "old": _shown(old), "new": _shown(new)})
    return {**counts, "changes": listed, "left_out": sum(counts.values()) - len(listed)}


def _read(side: str, data: bytes, format: str) -> Any:
    try:
        return _plain(trees.parse(data, format=format)[0], 0)
    except ValueError as error:
        raise ValueError(f"At {side}: {error}") from error
    except RecursionError as error:
        raise ValueError(f"At {side}: this file nests too deep to be compared by its values.") from error


def _plain(value: Any, depth: int) -> Any:
    """As JSON knows values. What YAML knows besides (dates, sets, bytes, keys that are no text) becomes text."""
    if depth > MAX_DEPTH * 4:
        raise ValueError("This file nests too deep to be compared by its values.")
    if isinstance(value, dict):
        return {k if isinstance(k, str) else f"!{k!r}": _plain(v, depth + 1) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item, depth + 1) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return f"!{value}"
    return value if value is None or isinstance(value, (bool, int, float, str)) else f"!{value!r}"


# ---- two values ----------------------------------------------------------------------------------
def _compare(path: str, old: Any, new: Any, depth: int) -> Iterator[Change]:
    if old is _NOTHING or new is _NOTHING:
        yield from _one_sided(path, old, new)
    elif _text(old) == _text(new):
        return
    elif depth < MAX_DEPTH and isinstance(old, dict) and isinstance(new, dict):
        for key in (*old, *(key for key in new if key not in old)):
            yield from _compare(_member(path, key), old.get(key, _NOTHING), new.get(key, _NOTHING), depth + 1)
    elif depth < MAX_DEPTH and isinstance(old, list) and isinstance(new, list):
        for number, one, other in _aligned(old, new):
            yield from _compare(f"{path}[{number}]", one, other, depth + 1)
    else:
        yield "changed", path, old, new


def _one_sided(path: str, old: Any, new: Any) -> Iterator[Change]:
    """A whole file that came or went is told by its members; anything else as one value."""
    what, value = ("added", new) if old is _NOTHING else ("removed", old)
    members = [(path, value)]
    if not path and isinstance(value, dict) and value:
        members = [(_member("", key), item) for key, item in value.items()]
    elif not path and isinstance(value, list) and value:
        members = [(f"[{number}]", item) for number, item in enumerate(value)]
    for name, item in members:
        yield (what, name, _NOTHING, item) if what == "added" else (what, name, item, _NOTHING)


def _aligned(old: list[Any], new: list[Any]) -> Iterator[tuple[int, Any, Any]]:
    """(index in the list where the item is, old item, new item) of items that differ."""
    before, after = [_text(item) for item in old], [_text(item) for item in new]
    start = _alike(before, after)
    end = _alike(before[start:][::-1], after[start:][::-1])
    i_end, j_end = len(old) - end, len(new) - end
    if max(i_end, j_end) - start > MAX_ITEMS_ALIGNED:  # aligning is quadratic
        differing = [(start, i_end, start, j_end)]
    else:
        matcher = SequenceMatcher(None, before[start:i_end], after[start:j_end], autojunk=False)
        codes = [code[1:] for code in matcher.get_opcodes() if code[0] != "equal"]
        differing = [(start + i, start + ii, start + j, start + jj) for i, ii, j, jj in codes]
    for i, ii, j, jj in differing:
        for one, other in _pairs(old[i:ii], new[j:jj]):
            number = i + (one or 0) if other is None else j + other
            yield number, _NOTHING if one is None else old[i + one], _NOTHING if other is None else new[j + other]


def _alike(old: list[str], new: list[str]) -> int:
    """How many items both begin with."""
    same = 0
    for one, other in zip(old, new, strict=False):
        if one != other:
            break
        same += 1
    return same


def _pairs(old: list[Any], new: list[Any]) -> Iterator[tuple[int | None, int | None]]:
    """Which item stands for which, in order: one by one; of records, those with the most members alike."""
    records = all(isinstance(item, dict) for item in (*old, *new))
    if not records or not old or not new or len(old) * len(new) > MAX_PAIRS_WEIGHED:
        for n in range(max(len(old), len(new))):
            yield n if n < len(old) else None, n if n < len(new) else None
        return
    members = [[{(key, _text(value)) for key, value in item.items()} for item in side] for side in (old, new)]
    best = [[0] * (len(new) + 1)]  # [i][j]: of the first i and j items; a pair counts a little by itself
    for one in members[0]:
        row, above = [0], best[-1]
        for j, other in enumerate(members[1]):
            row.append(max(above[j] + 1 + 10 * len(one & other), above[j + 1], row[j]))
        best.append(row)
    i, j, found = len(old), len(new), list[tuple[int | None, int | None]]()
    while i or j:
        if i and best[i][j] == best[i - 1][j]:
            i -= 1
            found.append((i, None))
        elif j and best[i][j] == best[i][j - 1]:
            j -= 1
            found.append((None, j))
        else:
            i, j = i - 1, j - 1
            found.append((i, j))
    yield from reversed(found)


def _member(path: str, key: str) -> str:
    plain = key.isidentifier()
    return (f"{path}.{key}" if path else key) if plain else f"{path}[{json.dumps(key, ensure_ascii=False)}]"


def _text(value: Any) -> str:
    """Equal for equal values: 1, 1.0, true and "1" are four."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False)


def _shown(value: Any) -> str | None:
    if value is _NOTHING:
        return None
    pieces = json.JSONEncoder(ensure_ascii=False).iterencode(value)
    text = "".join(islice(pieces, MAX_VALUE_CHARACTERS))
    return text if len(text) <= MAX_VALUE_CHARACTERS else text[:MAX_VALUE_CHARACTERS] + "…"
