"""Worker: what a model says of itself: the MLmodel file MLflow wrote beside it, and the front matter of its card.

Both are YAML of strangers. What comes back is plain: short strings, numbers, and lists of them.
"""

from __future__ import annotations

import json
import re
from typing import Any

from hub.lib.previews.texts import decoded
from hub.lib.previews.trees import parse

MOST_CHARACTERS, MOST_ROWS, MAX_DEPTH = 300, 300, 6
_FRONT = re.compile(r"\A---[ \t]*\r?\n(.*?)^---[ \t]*\r?$", re.DOTALL | re.MULTILINE)
_LISTS = ("tags", "language", "datasets", "metrics", "base_model")
_WORDS = ("license", "library_name", "pipeline_tag", "model_name")


def mlmodel(data: bytes) -> dict[str, Any]:
    """{"flavors": [[name, version]], "signature": {"inputs" | "outputs" | "params": [[name, type, optional]]},
    "facts": {…}}. Raises ValueError for what is no MLmodel."""
    document, _ = parse(data, format="yaml")
    if not isinstance(document, dict):
        raise ValueError("This MLmodel file holds no table of names and values.")
    flavors = document.get("flavors")
    flavors = flavors if isinstance(flavors, dict) else {}
    facts = {key: _word(document[key]) for key in _FACTS if document.get(key)}
    return {
        "flavors": [[_word(name), _version(name, values)] for name, values in flavors.items()][:MOST_ROWS],
        "signature": _signature(document.get("signature")),
        "facts": facts,
    }


_FACTS = ("mlflow_version", "utc_time_created", "model_size_bytes", "model_uuid", "artifact_path")


def front(data: bytes) -> dict[str, Any]:
    """{"words": {license, …}, "lists": {tags, …}, "results": [[task or dataset, metric, value]]} of a card; empty
    where it has no front matter. Raises ValueError for front matter that is not YAML."""
    text, _ = decoded(data)
    match = _FRONT.match(text)
    document = parse(match[1].encode(), format="yaml")[0] if match else None
    if not isinstance(document, dict):
        return {"words": {}, "lists": {}, "results": []}
    return {
        "words": {key: _word(document[key]) for key in _WORDS if _plain(document.get(key))},
        "lists": {key: found for key in _LISTS if (found := _words(document.get(key)))},
        "results": _results(document.get("model-index")),
    }


def _signature(given: Any) -> dict[str, list[list[Any]]]:
    if not isinstance(given, dict):
        return {}
    found = {}
    for side in ("inputs", "outputs", "params"):
        columns = json.loads(given[side]) if isinstance(given.get(side), str) else None
        if isinstance(columns, list):
            found[side] = [_column(number, column) for number, column in enumerate(columns[:MOST_ROWS])]
    return found


def _column(number: int, column: Any) -> list[Any]:
    if not isinstance(column, dict):
        return [f"{number}", _word(column), False]
    return [_word(column.get("name") or f"{number}"), _type(column), column.get("required") is False]


def _type(node: Any, depth: int = 0) -> str:
    """MLflow's types in words: double, tensor float64 (-1, 28, 28), array of string, object {a: long}."""
    if not isinstance(node, dict) or depth > MAX_DEPTH:
        return _word(node)
    kind, deeper = node.get("type"), depth + 1
    if kind == "tensor" and isinstance(node.get("tensor-spec"), dict):
        spec = node["tensor-spec"]
        shape = spec.get("shape")
        sizes = ", ".join(_word(size) for size in shape) if isinstance(shape, list) else "?"
        return f"tensor {_word(spec.get('dtype'))} ({sizes})"[:MOST_CHARACTERS]
    if kind == "array":
        return f"array of {_type(node.get('items'), deeper)}"[:MOST_CHARACTERS]
    if kind == "map":
        return f"map to {_type(node.get('values'), deeper)}"[:MOST_CHARACTERS]
    if kind == "object" and isinstance(node.get("properties"), dict):
        parts = (f"{_word(name)}: {_type(value, deeper)}" for name, value in list(node["properties"].items())[:20])
        return f"object {{{', '.join(parts)}}}"[:MOST_CHARACTERS]
    default = f" = {_word(node['default'])}" if node.get("default") is not None else ""
    return f"{_word(kind)}{default}"[:MOST_CHARACTERS]


def _version(name: Any, values: Any) -> str:
    """Of the library a flavor needs: its sklearn_version, pytorch_version; python_version for python_function."""
    if not isinstance(values, dict):
        return ""
    own = [key for key in values if isinstance(key, str) and key.endswith("_version") and _plain(values[key])]
    own.sort(key=lambda key: (not key.startswith(str(name)), key))
    return _word(values[own[0]]) if own else ""


def _results(index: Any) -> list[list[str]]:
    found: list[list[str]] = []
    for model in index if isinstance(index, list) else []:
        results = model.get("results") if isinstance(model, dict) else None
        for result in results if isinstance(results, list) else []:
            if not isinstance(result, dict):
                continue
            where = _named(result.get("dataset")) or _named(result.get("task"))
            metrics = result.get("metrics")
            for metric in metrics if isinstance(metrics, list) else []:
                if isinstance(metric, dict) and _plain(metric.get("value")):
                    found.append([where, _named(metric), _word(metric["value"])])
    return found[:MOST_ROWS]


def _named(node: Any) -> str:
    return _word(node.get("name") or node.get("type") or "") if isinstance(node, dict) else ""


def _words(value: Any) -> list[str]:
    rows = value if isinstance(value, list) else [value]
    return [_word(row) for row in rows if _plain(row)][:50]


def _plain(value: Any) -> bool:
    return isinstance(value, str | int | float) and not isinstance(value, bool) and value != ""


def _word(value: Any) -> str:
    return ("" if value is None else str(value))[:MOST_CHARACTERS]
