"""The drawing of stages: boxes with words in them, and the lines between."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from datasets.pipelines import boxes, diffing, states
from repos.place import Place

PER_PAGE = 200  # stages in the list
CLASSES = {
    states.CURRENT: "ok",
    states.CHANGED: "warn",
    states.NEVER: "new",
    states.MISSING: "bad",
    states.UNKNOWN: "unknown",
    diffing.ADDED: "ok",
    diffing.REMOVED: "bad",
    "changed": "warn",
    diffing.SAME: "same",
}


@dataclass(frozen=True)
class Words:
    """In a box: two lines, the class of its look, a title and an address."""

    label: str
    told: str
    look: str
    title: str
    url: str


@dataclass(frozen=True)
class Box:
    """One box of the drawing, in CSS pixels."""

    x: float
    y: float
    width: float
    height: float
    said: Words

    @property
    def text_x(self) -> float:
        return self.x + boxes.PADDING

    @property
    def label_y(self) -> float:
        return self.y + 19

    @property
    def told_y(self) -> float:
        return self.y + 35


@dataclass(frozen=True)
class Drawing:
    width: float
    height: float
    boxes: list[Box]
    lines: list[tuple[str, str]]  # (path, look)


def drawing(document: dict[str, Any], words: list[Words], place: Place) -> Drawing | None:
    for source in document["sources"]:
        title = f"{source['path']}, tracked by {source['pointer']}"
        address = place.at(source["path"]).blob_url
        words.append(Words(boxes.source_label(source), "data", "data", title, address))
    looks = [CLASSES[edge[2]] if len(edge) > 2 else "" for edge in document["edges"]]
    return drawn(document["drawing"], words, looks)


def drawn(layout: dict[str, Any] | None, words: Sequence[Words], looks: Sequence[str]) -> Drawing | None:
    """layout: of layouts.layout. words: of each box, looks: of each line, in its order."""
    if layout is None:
        return None
    made = []
    for (x, y), said in zip(layout["boxes"], words, strict=True):
        width, height = boxes.size(said.label)
        made.append(Box(x, y, width, height, said))
    return Drawing(layout["width"], layout["height"], made, list(zip(layout["lines"], looks, strict=True)))


def in_list(address: str, number: int, page: int) -> str:
    """Where the list says more of its stage of this number. page: the one that is shown; 0 for one with a filter."""
    there = number // PER_PAGE + 1
    return f"#{boxes.anchor(address)}" if there == page else f"?page={there}#{boxes.anchor(address)}"
