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
    if max(len(old), len(new)) > MAX_ITEMS_ALIGNED:  # aligning is quadratic
        for number in range(max(len(old), len(new))):
            yield number, _item(old, number), _item(new, number)
        return
    matcher = SequenceMatcher(None, [_text(item) for item in old], [_text(item) for item in new], autojunk=False)
    for what, i, i_end, j, j_end in matcher.get_opcodes():
        for step in range(0 if what == "equal" else max(i_end - i, j_end - j)):
            one = old[i + step] if i + step < i_end else _NOTHING
            other = new[j + step] if j + step < j_end else _NOTHING
            yield (j if other is not _NOTHING else i) + step, one, other


def _item(items: list[Any], number: int) -> Any:
    return items[number] if number < len(items) else _NOTHING


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
