"""Source text → HTML with pygments' CSS classes (no inline style), line by line. The colours are in code.css."""

from __future__ import annotations

from functools import lru_cache
from html import escape
from typing import Any

from pygments.formatters.html import HtmlFormatter
from pygments.lexer import Lexer
from pygments.lexers import get_lexer_by_name, get_lexer_for_filename
from pygments.lexers.special import TextLexer
from pygments.token import STANDARD_TYPES
from pygments.util import ClassNotFound

MAX_LINE_CHARACTERS = 5_000  # longer lines (minified files) are shown plain: lexers take too long on them
_PLAIN = {"n", "p", "w", "o", "nx", "x", "esc", "err"}  # they have no colour in syntax.css
_FORMATTER: Any = HtmlFormatter(nowrap=True)
# Half of a page of source would be elements around names and brackets that look like what is around them.
_FORMATTER.span_element_openers.update({kind: "" for kind, css in STANDARD_TYPES.items() if css in _PLAIN})


def highlight_fragment(code: str, language: str) -> str:
    """The inside of a <code> element; plain text when the language is unknown."""
    lexer = _by_name(language)
    return "\n".join(_lines(code, lexer)) if lexer else escape(code)


def highlight_lines(code: str, filename: str) -> list[str]:
    """One HTML string per line, without its line end; every tag opened in a line is closed in it."""
    return _lines(code, _by_filename(filename.rsplit("/", 1)[-1]))


def plain_lines(code: str) -> list[str]:
    """The same without colours."""
    return _without_last(escape(_unix(code)).split("\n"))


def _lines(code: str, lexer: Lexer) -> list[str]:
    code = _unix(code)
    if any(len(line) > MAX_LINE_CHARACTERS for line in code.split("\n")):
        return plain_lines(code)
    found = [line.removesuffix("\n") for _, line in _FORMATTER._format_lines(lexer.get_tokens(code))]
    return found if code.endswith("\n") else found[: code.count("\n") + 1]


def _unix(code: str) -> str:
    return code.replace("\r\n", "\n").replace("\r", "\n")


def _without_last(lines: list[str]) -> list[str]:
    """A line end at the end of a file begins no line."""
    return lines[:-1] if lines and lines[-1] == "" else lines


@lru_cache(maxsize=128)
def _by_name(language: str) -> Lexer | None:
    words = language.split()
    if not words or len(words[0]) > 40:
        return None
    try:
        return get_lexer_by_name(words[0].lower(), stripnl=False, ensurenl=True)
    except ClassNotFound:
        return None


@lru_cache(maxsize=512)  # looked for by hundreds of patterns, and asked for each hunk of a diff
def _by_filename(name: str) -> Lexer:
    try:
        return get_lexer_for_filename(name, stripnl=False, ensurenl=True)
    except ClassNotFound:
        return TextLexer(stripnl=False, ensurenl=True)
