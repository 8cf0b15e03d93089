"""What came from outside as a text, and may be none."""

from __future__ import annotations


def is_utf8(what: str | bytes) -> bool:
    """Whether bytes are UTF-8, or a text can be written so: half of a surrogate pair cannot, nor what stands for a byte
    that was no UTF-8. No database takes such a text."""
    try:
        what.encode() if isinstance(what, str) else what.decode()
    except UnicodeError:
        return False
    return True
