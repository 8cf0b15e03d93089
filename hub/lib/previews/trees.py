"""Worker: JSON and YAML as a tree of <details>."""

from __future__ import annotations

import json
from html import escape
from typing import Any

import yaml

from hub.lib.previews.texts import decoded

MAX_NODES, MAX_DEPTH, MAX_VALUE_CHARACTERS, OPEN_DEPTH = 5_000, 40, 1_000, 2
_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def tree(data: bytes, *, format: str) -> dict[str, Any]:
    """{"html", "note"}. Raises ValueError for what is not JSON or YAML."""
    value, note = parse(data, format=format)
    writer = _Writer()
    writer.write(value, depth=0)
    notes = [note]
    if writer.nodes > MAX_NODES:
        notes.append(f"Only the first {MAX_NODES:,} values are shown.")
    if writer.too_deep:
        notes.append(f"Values nested deeper than {MAX_DEPTH} are left out.")
    return {"html": f'<div class="tree">{"".join(writer.pieces)}</div>', "note": " ".join(filter(None, notes))}


def parse(data: bytes, *, format: str) -> tuple[Any, str]:
    """(the value, a sentence on its encoding). Raises ValueError for what is not JSON or YAML."""
    text, note = decoded(data)
    try:
        return json.loads(text) if format == "json" else _yaml(text), note
    except RecursionError as error:
        raise ValueError("This file nests too deep to be shown as a tree.") from error
    except yaml.YAMLError as error:
        raise ValueError(f"This is not valid YAML: {' '.join(str(error).split())[:200]}") from error
    except json.JSONDecodeError as error:
        raise ValueError(f"This is not valid JSON: {error.msg} in line {error.lineno:,}.") from error


def _yaml(text: str) -> Any:
    """Safe YAML whose aliases are refused: a few lines of them unfold to gigabytes."""
    if any(isinstance(event, yaml.AliasEvent) for event in yaml.parse(text, Loader=_Loader)):
        raise ValueError("This YAML uses aliases (*name); it is shown as text only.")
    documents = list(yaml.load_all(text, Loader=_Loader))  # a safe loader
    return documents[0] if len(documents) == 1 else documents


class _Writer:
    def __init__(self) -> None:
        self.pieces: list[str] = []
        self.nodes = 0
        self.too_deep = False

    def write(self, value: Any, *, depth: int, name: str = "") -> None:
        self.nodes += 1
        if self.nodes > MAX_NODES:
            return
        if depth > MAX_DEPTH:
            self.too_deep = True
            return
        label = f'<span class="na">{escape(name)}</span>: ' if name else ""
        if isinstance(value, (dict, list)) and value:
            self._folder(value, depth, label)
        else:
            self.pieces.append(f"<div>{label}{_value(value)}</div>")

    def _folder(self, value: dict[Any, Any] | list[Any], depth: int, label: str) -> None:
        count = f"{len(value):,} {'key' if isinstance(value, dict) else 'item'}{'s' if len(value) > 1 else ''}"
        opened = " open" if depth < OPEN_DEPTH and len(value) <= 100 else ""
        self.pieces.append(f"<details{opened}><summary>{label}<small>{count}</small></summary>")
        pairs = value.items() if isinstance(value, dict) else enumerate(value)
        for key, item in pairs:
            if self.nodes > MAX_NODES:
                break
            self.write(item, depth=depth + 1, name=str(key)[:200])
        self.pieces.append("</details>")


def _value(value: Any) -> str:
    if isinstance(value, str):
        cut = value if len(value) <= MAX_VALUE_CHARACTERS else value[:MAX_VALUE_CHARACTERS] + "…"
        return f'<span class="s2">{escape(json.dumps(cut, ensure_ascii=False))}</span>'
    if isinstance(value, bool) or value is None:
        return f'<span class="kc">{json.dumps(value)}</span>'
    if isinstance(value, (int, float)):
        return f'<span class="mi">{escape(repr(value)[:MAX_VALUE_CHARACTERS])}</span>'
    return f"<span>{escape(str(value)[:MAX_VALUE_CHARACTERS])}</span>"
