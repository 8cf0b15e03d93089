"""Patterns for names with slashes, as people write them in branch rules and OWNERS: *, ** and ?.

They become regular expressions of RE2, which needs time in proportion to the name whatever the pattern.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import re2

MOST_CHARACTERS = 250
# One character of UTF-8 that is no slash; names of git's are bytes, so stray bytes count as one each.
_ONE = r"(?:[^/\x80-\xff]|[\xc0-\xff][\x80-\xbf]*|[\x80-\xbf])"
_ANY = r"(?s:.)*"


def matches(pattern: str, name: str) -> bool:
    """Whether the whole name is what the pattern says. * and ? stop at a slash, ** does not; a/** is all below a."""
    return bool(_compiled(pattern).fullmatch(as_bytes(name)))


@lru_cache(maxsize=2048)
def _compiled(pattern: str) -> Any:
    return re2.compile(expression(pattern), options(4 << 20))


def options(most_bytes: int) -> Any:
    found = re2.Options()
    found.encoding = re2.Options.Encoding.LATIN1
    found.log_errors = False
    found.max_mem = most_bytes
    return found


def expression(pattern: str) -> bytes:
    """Of RE2, for the bytes of a name."""
    found, rest = "", pattern
    while rest:
        if rest.startswith("**/"):  # also no folder at all
            found, rest = f"{found}(?:{_ANY}/)?", rest[3:]
        elif rest.startswith("**"):
            found, rest = found + _ANY, rest[2:]
        elif rest[0] == "*":
            found, rest = f"{found}{_ONE}*", rest[1:]
        elif rest[0] == "?":
            found, rest = found + _ONE, rest[1:]
        else:
            found, rest = found + "".join(f"\\x{byte:02x}" for byte in as_bytes(rest[0])), rest[1:]
    return found.encode()


def as_bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")
