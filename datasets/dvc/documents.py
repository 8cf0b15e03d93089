"""YAML written by strangers, as nested dict, list and str: no tags, no anchors, capped in size and depth.

Scalars stay text: an md5 of digits alone must not become a number.
"""

from __future__ import annotations

from typing import Any

import yaml

Loader: Any = getattr(yaml, "CBaseLoader", yaml.BaseLoader)

MAX_BYTES = 10 * 1024 * 1024
MAX_DEPTH = 32
MAX_EVENTS = 2_000_000
_NULLS = frozenset({"", "~", "null", "Null", "NULL"})
_SCALAR, _CLOSE, _OPEN = yaml.ScalarEvent, yaml.CollectionEndEvent, yaml.CollectionStartEvent


class Malformed(ValueError):
    """Not YAML, or YAML beyond what a pointer file needs."""


def load(data: bytes) -> Any:
    """The document, or None when it is empty. Raises Malformed.

    Built from parser events, so that neither an alias bomb nor a deep nest is ever composed.
    """
    if len(data) > MAX_BYTES:
        raise Malformed(f"larger than {MAX_BYTES:,} bytes")
    try:
        return _build(data)
    except (yaml.YAMLError, UnicodeError) as error:
        raise Malformed(str(error)[:200]) from error


def _build(data: bytes) -> Any:
    root: list[Any] = []
    stack: list[_Open] = []
    for number, event in enumerate(yaml.parse(data, Loader=Loader)):
        if number > MAX_EVENTS or len(stack) > MAX_DEPTH:
            raise Malformed("too large or too deep")
        if isinstance(event, yaml.AliasEvent):
            raise Malformed("aliases are not used in DVC's files")
        if isinstance(event, _SCALAR):
            value: Any = None if event.implicit[0] and event.value in _NULLS else event.value
        elif isinstance(event, _OPEN):
            stack.append(_Open({} if isinstance(event, yaml.MappingStartEvent) else []))
            continue
        elif isinstance(event, _CLOSE):
            value = stack.pop().value
        else:
            continue
        if stack:
            stack[-1].add(value)
        else:
            root.append(value)
    return root[0] if root else None


class _Open:
    """A collection whose end has not come yet."""

    def __init__(self, value: dict[str, Any] | list[Any]) -> None:
        self.value = value
        self._key: str | None = None
        self._has_key = False

    def add(self, item: Any) -> None:
        if isinstance(self.value, list):
            self.value.append(item)
        elif self._has_key:
            if self._key is not None:
                self.value[self._key] = item
            self._has_key = False
        else:
            # A key that is no text belongs to no file of DVC: its value is read and dropped.
            self._key, self._has_key = (item if isinstance(item, str) else None), True
