"""Worker: text, code and Markdown."""

from __future__ import annotations

from typing import Any

from hub.lib import markdown
from hub.lib.highlight import highlight_lines, plain_lines

MAX_LINES = 10_000
MAX_HIGHLIGHT_BYTES = 1_000_000


def decoded(data: bytes) -> tuple[str, str]:
    """Text of these bytes and a sentence when they are not UTF-8."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", "replace"), "This file is UTF-16."
    try:
        return data.decode("utf-8-sig"), ""
    except UnicodeDecodeError as error:
        if error.start >= len(data) - 4 and error.reason == "unexpected end of data":
            return data[: error.start].decode("utf-8-sig"), ""  # the limit cut a letter in two
        return data.decode("latin-1"), "This file is not UTF-8; it is shown as Latin-1."


def code(data: bytes, *, filename: str) -> dict[str, Any]:
    """Highlighted lines joined by newlines; every tag opened in a line is closed in it."""
    text, note = decoded(data)
    whole = text.count("\n") + 1
    if whole > MAX_LINES:
        text = "\n".join(text.split("\n", MAX_LINES)[:MAX_LINES])
        note = f"{note} Only the first {MAX_LINES:,} lines are shown.".strip()
    lines = highlight_lines(text, filename) if len(data) <= MAX_HIGHLIGHT_BYTES else plain_lines(text)
    return {"html": "\n".join(lines), "note": note}


def plain(data: bytes, *, filename: str) -> dict[str, Any]:
    """The same without colours, for what the highlighter takes too long on."""
    text, note = decoded(data)
    return {"html": "\n".join(plain_lines("\n".join(text.split("\n", MAX_LINES)[:MAX_LINES]))), "note": note}


def markdown_page(data: bytes, *, link_base: str, raw_base: str, directory: str) -> dict[str, Any]:
    text, note = decoded(data)
    html = markdown.render(text, link_base=link_base, raw_base=raw_base, directory=directory)
    return {"html": str(html), "note": note}
