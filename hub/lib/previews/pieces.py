"""Pieces of HTML and sentences that previews of several kinds are made of."""

from __future__ import annotations

from typing import Any

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from hub.lib.previews.preview import MIB, Source

HEXDUMP_BYTES = 512


def grid(answer: dict[str, Any], label: str = "Rows of the file") -> SafeString:
    """answer: {"columns", "types" ([] for none), "rows"}, all text. label: what a screen reader says of it."""
    types = answer["types"] or [""] * len(answer["columns"])
    names = format_html_join("", '<th scope="col" title="{}">{}</th>', zip(types, answer["columns"], strict=True))
    rows = format_html_join(
        "", "<tr>{}</tr>", ((format_html_join("", "<td>{}</td>", ((cell,) for cell in row)),) for row in answer["rows"])
    )
    return format_html(
        '<div class="table-scroll" tabindex="0" role="region" aria-label="{}">'
        '<table class="table"><thead><tr>{}</tr></thead><tbody>{}</tbody></table></div>',
        label,
        names,
        rows,
    )


def grids(tables: list[tuple[list[str], list[list[str]]]]) -> SafeString:
    """(names of columns, rows) of each, those without rows left out."""
    shown = [(grid({"columns": names, "types": [], "rows": rows}, names[0]),) for names, rows in tables if rows]
    return format_html_join("", "{}", shown)


def dump(source: Source) -> SafeString:
    lines = hexdump(source.head(HEXDUMP_BYTES))
    return format_html('<pre class="hexdump">{}</pre>', "\n".join(lines))


def hexdump(data: bytes) -> list[str]:
    """16 bytes a line: where they are, in hexadecimal, as text."""
    lines = []
    for at in range(0, len(data), 16):
        row = data[at : at + 16]
        text = "".join(chr(byte) if 32 <= byte < 127 else "." for byte in row)
        lines.append(f"{at:08x}  {row.hex(' '):<47}  {text}")
    return lines


def cut(source: Source, limit: int) -> str:
    """The sentence about what is left out of a file, "" for nothing."""
    return f"Only the first {limit // MIB} MiB are shown." if source.size > limit else ""
