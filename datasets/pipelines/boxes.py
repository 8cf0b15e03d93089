"""How large the box of a stage is drawn, and what stands in it. CSS pixels; text is monospaced at 12 px."""

from __future__ import annotations

import hashlib
import posixpath
import unicodedata
from typing import Any

CHARACTER, PADDING, HEIGHT, NARROWEST, LONGEST = 7.3, 12.0, 44.0, 116.0, 34


def label(stage: dict[str, Any]) -> str:
    folder = posixpath.dirname(stage["file"])
    return shortened(f"{folder}/{stage['name']}" if folder else stage["name"])


def source_label(source: dict[str, str]) -> str:
    return shortened(source["path"])


def anchor(address: str) -> str:
    """Of a stage in the list. Names of stages may hold any character."""
    return f"stage-{hashlib.sha256(address.encode()).hexdigest()[:12]}"


def shortened(text: str) -> str:
    """At most LONGEST columns; what is longer loses its middle."""
    text = "".join(c if c.isprintable() else "�" for c in text)
    if _columns(text) <= LONGEST:
        return text
    half = (LONGEST - 1) // 2
    start, end = text[:half], text[-half:]
    while _columns(start) > half:
        start = start[:-1]
    while _columns(end) > half:
        end = end[1:]
    return f"{start}…{end}"


def size(text: str) -> list[float]:
    return [max(NARROWEST, round(2 * PADDING + CHARACTER * _columns(text), 1)), HEIGHT]


def _columns(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)
