"""Regular expressions of a filter: what RE2 (SQLite's side, linear time) and PostgreSQL both read alike."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

import re2

from experiments.filters.errors import FilterError

MAX_CHARACTERS = 300
MAX_REPEATS = 255  # PostgreSQL's limit
# What one of the two reads otherwise or not at all: lookaround and named groups, letters after a backslash that are
# not d, w, s or b, collating elements in brackets.
_FOREIGN = re.compile(r"\\\\|(?P<group>\(\?(?!:))|(?P<escape>\\[^\W_](?<![dwsDWSb]))|(?P<bracket>\[[.=]|\[:[<>])")
_REPEAT = re.compile(r"\{(\d+)(?:,(\d*))?\}")


def check(pattern: str, position: int) -> None:
    """Raises FilterError at the place of what cannot be used. position: of the pattern in the filter."""
    if len(pattern) > MAX_CHARACTERS:
        raise FilterError(f"a pattern has at most {MAX_CHARACTERS} characters.", position + MAX_CHARACTERS)
    plain = pattern.removeprefix("(?i)")
    offset = position + len(pattern) - len(plain)
    for found in _FOREIGN.finditer(plain):
        if found.lastgroup:
            problem = f"“{found.group()}” is not available in patterns."
            raise FilterError(problem, offset + found.start(), expected=r". * + ? | ( ) [ ] ^ $ {m,n} \d \w \s \b")
    for found in _REPEAT.finditer(plain):
        if any(len(number) > 3 or int(number) > MAX_REPEATS for number in found.groups("") if number):
            raise FilterError(f"at most {MAX_REPEATS} repetitions.", offset + found.start())
    try:
        compiled(pattern)
    except re2.error as error:
        raise FilterError(f"the pattern cannot be read: {_said(error)}.", position) from error


def matches(pattern: str, text: str | None) -> bool:
    """Whether the pattern is found in the text."""
    return text is not None and compiled(pattern).search(text) is not None


def for_postgresql(pattern: str) -> str:
    r"""The same in PostgreSQL's words: \b is \y there."""
    return re.sub(r"\\(.)", lambda found: r"\y" if found[1] == "b" else found[0], pattern, flags=re.DOTALL)


@lru_cache(maxsize=64)
def compiled(pattern: str) -> Any:
    options = re2.Options()
    options.dot_nl = True  # as in PostgreSQL
    options.log_errors = False
    options.max_mem = 8 << 20
    return re2.compile(pattern, options)


def _said(error: Exception) -> str:
    said = error.args[0] if error.args else error
    return (said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said))[:120]
