"""A filter cut into tokens: words, texts in quotes, names in backquotes, operators, parentheses and commas."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal, cast

from experiments.filters.errors import FilterError

MAX_CHARACTERS = 4000
Kind = Literal["space", "word", "text", "name", "operator", "mark", "end"]
_TOKEN = re.compile(
    r"""(?P<space>\s+)
      | (?P<text>'(?:[^']|'')*'|"(?:[^"]|"")*")
      | (?P<name>`[^`]*`)
      | (?P<operator><=|>=|<>|!=|==|!~|=~|=|<|>|~)
      | (?P<mark>[(),])
      | (?P<word>[^\s'"`<>=!~(),]+)""",
    re.VERBOSE,
)


@dataclass(frozen=True)
class Token:
    """text: without quotes. glued: nothing is between it and the token before."""

    kind: Kind
    text: str
    position: int
    glued: bool

    def says(self, *words: str) -> bool:
        """Whether it is one of these keywords, operators or marks."""
        return self.kind in {"word", "operator", "mark"} and self.text.lower() in words


def tokens(text: str) -> list[Token]:
    """The last one is the end. Raises FilterError."""
    if len(text) > MAX_CHARACTERS:
        raise FilterError(f"it has {len(text):,} characters, at most {MAX_CHARACTERS:,} are read.", MAX_CHARACTERS)
    found, at, glued = [], 0, False
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            raise _unreadable(text, at)
        kind, piece = cast(Kind, match.lastgroup), match.group()
        if kind != "space":
            _check_characters(piece, at)
            found.append(Token(kind, _without_quotes(kind, piece), at, glued))
        at, glued = match.end(), kind != "space"
    return [*found, Token("end", "", len(text), False)]


def _without_quotes(kind: str, piece: str) -> str:
    if kind == "text":
        return piece[1:-1].replace(piece[0] * 2, piece[0])
    return piece[1:-1] if kind == "name" else piece


def _check_characters(piece: str, at: int) -> None:
    """What neither database stores cannot be looked for."""
    for offset, character in enumerate(piece):
        if character == "\0" or "\ud800" <= character <= "\udfff":
            raise FilterError("a character that no text can hold.", at + offset)


def _unreadable(text: str, at: int) -> FilterError:
    if text[at] == "!":
        return FilterError("“!” alone means nothing.", at, expected="!= or not", suggestion="not (…)")
    return FilterError(f"the quote {text[at]} is never closed.", at, expected=f"a closing {text[at]}")
