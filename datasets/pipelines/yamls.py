"""Is this YAML small enough to be built? Asked before a real parser sees it: from its events alone."""

from __future__ import annotations

from typing import Any

import yaml

from datasets.dvc.documents import Loader, Malformed

MAX_DEPTH = 64
MAX_VALUES = 500_000  # with every alias written out


def check(data: bytes) -> None:
    """Raises Malformed when it is no YAML, nests deeply, or its aliases stand for too much. Aliases as such are fine:
    dvc.yaml may use them."""
    try:
        _check(data)
    except (yaml.YAMLError, UnicodeError) as error:
        raise Malformed(_told(error)) from error


def _told(error: Exception) -> str:
    """What PyYAML says, on one line."""
    mark = getattr(error, "problem_mark", None)
    said = str(getattr(error, "problem", None) or str(error).split("\n", 1)[0])[:150]
    return f"{said} (line {mark.line + 1})" if mark is not None else said


def _check(data: bytes) -> None:
    counts = [0]  # values in each collection that is open
    anchors: dict[str, int] = {}
    open_: list[str | None] = []
    for event in yaml.parse(data, Loader=Loader):
        if isinstance(event, yaml.AliasEvent):
            if event.anchor in open_:
                raise Malformed("an alias stands inside of what it stands for")
            counts[-1] += anchors.get(str(event.anchor), 0)
        elif isinstance(event, yaml.ScalarEvent):
            counts[-1] += 1
            _name(anchors, event.anchor, 1)
        elif isinstance(event, yaml.CollectionStartEvent):
            counts.append(1)
            open_.append(event.anchor)
        elif isinstance(event, yaml.CollectionEndEvent):
            count = counts.pop()
            counts[-1] += count
            _name(anchors, open_.pop(), count)
        if len(counts) > MAX_DEPTH:
            raise Malformed(f"nested deeper than {MAX_DEPTH} levels")
        if counts[-1] > MAX_VALUES:
            raise Malformed(f"more than {MAX_VALUES:,} values, aliases counted")


def _name(anchors: dict[str, int], anchor: Any, count: int) -> None:
    if anchor:
        anchors[anchor] = count
