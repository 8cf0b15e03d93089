"""One resolved stage with what dvc.lock records of it, as JSON. Runs in the sandbox."""

from __future__ import annotations

import math
import posixpath
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

import dpath
from dvc.dependency import _merge_params
from dvc.exceptions import DvcException
from dvc.schema import PLOT_PROPS

from datasets.dvc import keys, pointers
from datasets.dvc.pointers import Out

MAX_TEXT = 20_000
MAX_PARTS = 200  # of one parameter
UNREAD = object()
KINDS = ("outs", "metrics", "plots")


def address(file: str, name: str) -> str:
    """As DVC writes it: only the name in the root's dvc.yaml."""
    return name if file == "dvc.yaml" else f"{file}:{name}"


def unresolved(file: str, name: str, group: str = "") -> dict[str, Any]:
    empty: dict[str, Any] = {"deps": [], "params": [], "outs": [], "cmd": [], "wdir": posixpath.dirname(file)}
    empty |= {"desc": "", "frozen": False, "always_changed": False, "lock": None, "lock_unread": False}
    return _head(file, name, group) | empty | {"resolved": False}


def _head(file: str, name: str, group: str) -> dict[str, Any]:
    return {"address": address(file, name), "name": name, "group": group, "file": file}


def stage(
    file: str, name: str, group: str, resolved: dict[str, Any], locked: Any, params: Callable[[str], Any]
) -> dict[str, Any]:
    """locked: its record in dvc.lock, None when there is none; UNREAD for a dvc.lock that cannot be read. params: reads
    a params file. Answers with lock None for a stage that was never run; outside and unread: what is wrong with paths.
    """
    folder = posixpath.normpath(posixpath.join(posixpath.dirname(file), resolved.get("wdir") or "."))
    folder = "" if folder == "." else folder
    record = locked if isinstance(locked, dict) else {}
    placed = _Placed(folder)
    found = _head(file, name, group) | {
        "resolved": True,
        "wdir": folder,
        "cmd": _lines(resolved.get("cmd")),
        "desc": resolved.get("desc") or "",
        "frozen": bool(resolved.get("frozen")),
        "always_changed": bool(resolved.get("always_changed")),
        "lock": {"cmd": _lines(record.get("cmd"))} if record else None,
        "lock_unread": locked is UNREAD,
        "deps": [_dep(placed, path, _recorded(record, "deps")) for path in _distinct(resolved.get("deps"))],
        "outs": list(_outs(placed, resolved, _recorded(record, "outs"))),
    }
    unread: list[str] = []
    found["params"] = list(_params(placed, resolved.get("params") or [], record.get("params"), params, unread))
    return found | {"outside": placed.outside, "unread": unread}


class _Placed:
    """Paths as written → from the root; "" for what is elsewhere (a URL), with those that lead out remembered."""

    def __init__(self, folder: str) -> None:
        self.folder = folder
        self.outside: list[str] = []

    def __call__(self, path: str) -> str:
        if "://" in path:
            return ""
        out = pointers.placed(Out(path, ""), self.folder)
        if out is None:
            self.outside.append(path[:300])
        return out.path if out else ""


def _dep(placed: _Placed, path: str, recorded: dict[str, Any]) -> dict[str, Any]:
    return {"path": placed(path), "written": path, "lock": _hash(recorded.get(path))}


def _outs(placed: _Placed, resolved: dict[str, Any], recorded: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for kind in KINDS:
        for path, flags in _merged(resolved.get(kind) or []).items():
            yield {
                "path": placed(path),
                "written": path,
                "kind": kind.removesuffix("s"),
                "cache": flags.get("cache", True) is not False,
                "elsewhere": flags.get("push", True) is False or bool(flags.get("remote")),
                "lock": _hash(recorded.get(path)),
            }


def plots(items: list[Any]) -> dict[str, Any]:
    """plot → properties, of `plots:` at the top of a dvc.yaml."""
    return {str(name): props for item in items for name, props in _pairs(item)}


def plotted(folder: str, resolved: dict[str, Any]) -> dict[str, Any]:
    """path → properties of the outputs that a stage calls plots."""
    placed = _Placed(folder)
    found = {placed(path): flags for path, flags in _merged(resolved.get("plots") or []).items()}
    return {path: {key: flags[key] for key in PLOT_PROPS if key in flags} for path, flags in found.items() if path}


def _pairs(item: Any) -> list[tuple[Any, Any]]:
    return list(item.items()) if isinstance(item, dict) else [(item, None)]


def _merged(items: list[Any]) -> dict[str, dict[str, Any]]:
    """As dvc.output._merge_data, which refuses the list of plots that DVC's schema allows."""
    found: dict[str, dict[str, Any]] = {}
    for item in items:
        for path, flags in _pairs(item):
            found.setdefault(str(path), {}).update(flags if isinstance(flags, dict) else {})
    return found


def _params(
    placed: _Placed, written: list[Any], recorded: Any, read: Callable[[str], Any], unread: list[str]
) -> Iterator[dict[str, Any]]:
    for file, names in _merge_params(written).items():
        path = placed(file)
        lock = recorded.get(file) if isinstance(recorded, dict) else None
        lock = {str(key): value for key, value in lock.items()} if isinstance(lock, dict) else None
        values: dict[str, Any] | None = None
        if path:
            try:
                values = _values(read(path), [str(name) for name in names])
            except (DvcException, ValueError, TypeError, LookupError, AttributeError, RecursionError, MemoryError) as e:
                unread.append(f"Its parameters in '{file}' cannot be read: {' '.join(str(e).split())}"[:600])
        shown = list(map(str, names)) or sorted({*map(str, values or {}), *map(str, lock or {})})
        for name in shown:
            sides = {"value": _leaves(values, name), "lock": _leaves(lock, name)}
            for leaf in dict.fromkeys([*sides["value"], *sides["lock"]]) or [name]:
                item: dict[str, Any] = {"file": path, "written": file, "name": leaf, "read": values is not None}
                yield item | {side: found[leaf] for side, found in sides.items() if leaf in found}


def _leaves(values: dict[Any, Any] | None, name: str) -> dict[str, Any]:
    """The value of a parameter; of a mapping its parts, as `dvc params diff` names them."""
    if values is None or name not in values:
        return {}
    parts = list(islice(_parts(name, values[name]), MAX_PARTS + 1))
    return dict(parts) if len(parts) <= MAX_PARTS else {name: values[name]}


def _parts(name: str, value: Any) -> Iterator[tuple[str, Any]]:
    if not isinstance(value, dict) or not value:
        yield name, value
        return
    for key, part in value.items():
        yield from _parts(f"{name}.{key}", part)


def _values(document: Any, names: list[str]) -> dict[str, Any]:
    """As dvc.dependency.param.read_param_file does it."""
    if not isinstance(document, dict):
        raise ValueError("it is not a mapping")
    if not names:
        return {str(key): value for key, value in document.items()}
    found = {}
    for name in names:
        try:
            found[name] = dpath.get(document, name, separator=".")
        except KeyError:
            continue
    return found


def _recorded(record: dict[str, Any], what: str) -> dict[str, Any]:
    items = record.get(what)
    return {
        str(item.get("path")): item for item in (items if isinstance(items, list) else []) if isinstance(item, dict)
    }


def _hash(entry: Any) -> dict[str, Any] | None:
    """{"md5": "" when it is known by another hash, "legacy"}; None when dvc.lock does not name it."""
    if not isinstance(entry, dict):
        return None
    md5 = str(entry.get("md5") or "").lower()
    legacy = "hash" not in entry and "files" not in entry and "cloud" not in entry
    return {"md5": md5 if keys.is_oid(md5) else "", "legacy": legacy}


def _lines(cmd: Any) -> list[str]:
    return [str(line) for line in cmd] if isinstance(cmd, list) else [str(cmd)] if cmd else []


def _distinct(paths: Any) -> list[str]:
    return list(dict.fromkeys(str(path) for path in paths or []))


def plain(value: Any) -> Any:
    """As JSON can carry it and a page can show it: dates as text, no lone surrogates, no NaN, no endless text."""
    if isinstance(value, dict):
        return {_text(str(key)): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, int):
        return value if abs(value) < 2**63 else _text(hex(value))
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    return _text(str(value))


def _text(text: str) -> str:
    return text.encode("utf-8", "replace").decode()[:MAX_TEXT].replace("\0", "�")
