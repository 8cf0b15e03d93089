"""Whole numbers that come as text: of an address, a form, a header, a document."""

from __future__ import annotations

LARGEST = 2**63 - 1  # of a row's id, in both databases
LARGEST_NUMBER = 2**31 - 1  # of what people and MLflow number: issues, experiments, versions


def whole(text: str, *, least: int = 0, most: int = LARGEST) -> int | None:
    """The number that plain digits spell, from least to most; None for any other text.

    Python says "²".isdigit() and fails at int("²"); it takes int("١٢"), int("1_0") and int(" 7 "), which other programs
    do not read as numbers; and it fails at 5,000 digits.
    """
    if not (text.isascii() and text.isdigit() and len(text) < 20):
        return None
    return number if least <= (number := int(text)) <= most else None
