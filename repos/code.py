"""Source text as numbered lines of HTML, made in Python: ten thousand lines through template tags take seconds."""

from __future__ import annotations

from django.utils.safestring import SafeString, mark_safe

from hub.lib.highlight import highlight_lines

VERSION = 1  # of what is rendered; part of the cache's keys
MAX_BYTES = 1024 * 1024
MAX_LINES = 10_000


def is_binary(data: bytes) -> bool:
    """git's own rule: a NUL in the first 8,000 bytes."""
    return b"\0" in data[:8_000]


def too_long(data: bytes) -> bool:
    return len(data) > MAX_BYTES or data.count(b"\n") > MAX_LINES


def html_lines(text: str, name: str) -> list[str]:
    """One string of HTML per line."""
    return highlight_lines(text, name)


def numbered(lines: list[str]) -> SafeString:
    """Lines that #L3 and #L3-L9 can name."""
    rows = (
        f'<div class="line" id="L{n}"><a class="line-number" href="#L{n}" tabindex="-1">{n}</a>'
        f'<span class="line-code">{line}\n</span></div>'
        for n, line in enumerate(lines, 1)
    )
    return mark_safe("".join(rows))  # noqa: S308  # every line was escaped by the highlighter
