"""A diff as JSON: what `?format=json` and the REST API answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from datasets import answers
from datasets.comparison.diff_pages import PER_PAGE, Page
from datasets.comparison.diffs import Diff
from datasets.tracked.versions import Version
from repos.git.read import shown

PAGE = "datasets/diff"


def shape(found: Diff, page: Page | None = None) -> dict[str, Any]:
    """The whole answer; with page also its rows (of a table) or files (of a folder)."""
    asked = found.compared
    answer = answers.compared(asked, PAGE, found.state) | {
        "path": shown(asked.path),
        "kind": found.kind,
        "summary": found.summary or None,
        "missing": found.missing,
    }
    if found.kind != "files":
        answer["versions"] = {"base": _version(found.base), "head": _version(found.head)}
        answer["identical"] = found.identical
    answer |= answers.shape(asked.repository, found.state, found.job, why_not(found))
    if found.state in {"failed", "cancelled"}:
        answer |= {name: found.result.get(name, empty) for name, empty in (("problems", []), ("sides", {}))}
    if found.kind == "table" and found.summary and found.result:
        answer |= {name: found.result[name] for name in ("schema", "key", "cells", "only_order_changed", "sides")}
        answer["key"] = answer["key"] | {"declared": found.declared}
        answer["tolerance"], answer["note"] = found.result["tolerance"], found.result["pairing"]
    if found.kind == "files" and found.summary:
        answer["folders_moved"] = found.result["folders"]
    if found.kind in CONTENTS and found.result:
        note = found.result.get("note") or found.result.get("unreadable", "")
        answer |= CONTENTS[found.kind](found.result) | {"note": note}
    if page is not None:
        answer |= _page(found, page)
    return answer


def _text(result: dict[str, Any]) -> dict[str, Any]:
    hunks = result["lines"].hunks or ()
    return {"hunks": [{"old": h.old, "new": h.new, "lines": [f"{x.kind}{x.text}" for x in h.lines]} for h in hunks]}


def _notebook(result: dict[str, Any]) -> dict[str, Any]:
    """Without the outputs: what they show is HTML for people."""
    names = ("what", "moved", "kind", "old", "new", "hunks")
    cells = result["cells"]
    return {
        "cells": [{n: c[n] for n in names} | {"outputs_changed": c["outputs"] is not None} for c in cells],
        "metadata": result["metadata"],
    }


def _image(result: dict[str, Any]) -> dict[str, Any]:
    return {name: result[name] for name in ("sides", "compared", "how") if name in result}


def _audio(result: dict[str, Any]) -> dict[str, Any]:
    return {"sides": result.get("sides", {})}


CONTENTS: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "image": _image,
    "audio": _audio,
    "text": _text,
    "structure": lambda result: {"changes": result["changes"], "left_out": result["left_out"]},
    "notebook": _notebook,
    "bytes": lambda result: {"hexdump": {side: result[side] for side in ("base", "head")}},
}


def why_not(found: Diff) -> list[str]:
    """Sentences that say why there is no answer."""
    problems = found.result.get("problems", [])
    if problems:
        return [f"The version at {problem['side']} cannot be compared: {problem['message']}" for problem in problems]
    return answers.why_not(found.state, found.job)


def _page(found: Diff, page: Page) -> dict[str, Any]:
    answer = {"page": page.number, "per_page": PER_PAGE, "pages": page.count, "total": page.total}
    if found.kind == "table":
        return answer | {"columns": page.columns, "rows": page.rows}
    names = ("status", "path", "old_path", "old_hash", "hash", "old_size", "size")
    return answer | {"files": [{name: row[name] for name in names} for row in page.rows]}


def _version(version: Version | None) -> dict[str, Any] | None:
    if version is None:
        return None
    kind, _, hash_ = version.identity.partition(":")
    return {
        "hash": hash_,
        "versioning": "git" if kind == "git" else "dvc",
        "size": version.size,
        "present": version.present,
    }
