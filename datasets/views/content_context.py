"""What the diff pages show of files that are no tables: lines, values by their paths, cells, bytes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.utils.safestring import SafeString

from datasets import formats
from datasets.comparison import contentdiffs
from datasets.comparison.diffs import Diff
from datasets.views.links import Links
from hub.lib import sanitise
from hub.lib.sanitise import Bases
from repos import difftable
from repos.git.diff import FileDiff

EXTENSIONS = {"python": "py", "r": "r", "julia": "jl", "scala": "scala", "sql": "sql", "bash": "sh", "markdown": "md"}
SIGNS = {"added": "+", "removed": "−", "changed": "±", "outputs": "±", "moved": "↕", "unchanged": ""}
WORDS = {"outputs": "other outputs"}


@dataclass(frozen=True)
class Cell:
    """One cell of a notebook. number: of the head, or of the base where it was removed. outputs: safe HTML of both
    sides; None when they are alike."""

    what: str
    word: str
    sign: str
    kind: str
    number: int
    moved_from: int = 0  # its number at the base, where it stands elsewhere now
    lines: SafeString | str = ""
    outputs: tuple[SafeString, SafeString] | None = None


def contents(found: Diff, links: Links) -> dict[str, Any]:
    """The values of the template of this kind of diff."""
    named = formats.kind_of(found.compared.path)
    values: dict[str, Any] = {"note": found.result["note"]}
    if named in contentdiffs.PARSED_BYTES:
        as_text = found.options.as_text
        values |= {"by_lines_url": links(**{"as": "text"}), "by_values_url": links(**{"as": None}), "as_text": as_text}
    if found.kind == "text":
        return values | _text(found.result["lines"], links)
    if found.kind == "notebook":
        return values | _notebook(found.result, split=links.has(view="split")) | _views(links)
    if found.kind == "structure":
        return values | {"changes": found.result["changes"]}
    return values | {"dumps": _dumps(found.result["base"], found.result["head"])}


def _text(file: FileDiff, links: Links) -> dict[str, Any]:
    split = links.has(view="split")
    space = None if links.has(w="1") else "1"
    rows = difftable.html(file, split=split)
    return {"rows": rows, "space_url": links(w=space), "ignores_space": not space} | _views(links)


def _views(links: Links) -> dict[str, Any]:
    return {"split": links.has(view="split"), "unified_url": links(view=None), "split_url": links(view="split")}


# ---- notebooks -----------------------------------------------------------------------------------
def _notebook(result: dict[str, Any], *, split: bool) -> dict[str, Any]:
    extension = EXTENSIONS.get(result["language"].lower(), "txt")
    shown: list[Cell | int] = []  # a number: so many cells that are the same
    for cell in result["cells"]:
        if cell["what"] != "unchanged":
            shown.append(_cell(cell, extension, split=split))
        elif shown and isinstance(shown[-1], int):
            shown[-1] += 1
        else:
            shown.append(1)
    return {"cells": shown, "metadata": result["metadata"]}


def _cell(cell: dict[str, Any], extension: str, *, split: bool) -> Cell:
    what, outputs = cell["what"], cell["outputs"]
    named = {"markdown": "cell.md", "code": f"cell.{extension}"}.get(cell["kind"], "cell.txt")
    return Cell(
        what,
        WORDS.get(what, what),
        SIGNS[what],
        cell["kind"],
        cell["new"] or cell["old"],
        cell["old"] if cell["moved"] else 0,
        difftable.html(contentdiffs.lines_of_cell(cell, named), split=split),
        (_clean(outputs[0]), _clean(outputs[1])) if outputs else None,
    )


def _clean(html: str) -> SafeString:
    """What a child made of a stranger's bytes is cleaned once more out here, as in the preview."""
    return sanitise.clean(html, Bases(drawings=True))


# ---- bytes ---------------------------------------------------------------------------------------
def _dumps(base: list[str], head: list[str]) -> list[dict[str, Any]]:
    """Lines of both hexdumps, and whether they differ."""
    count = max(len(base), len(head))
    rows = zip(base + [""] * (count - len(base)), head + [""] * (count - len(head)), strict=True)
    return [{"base": old, "head": new, "differs": old != new} for old, new in rows]
