"""Which texts of params and tags are numbers, alike on both databases and in Python."""

from __future__ import annotations

import re
from typing import Any

from sqlalchemy import ColumnElement, Float, and_, case, cast, func, null

# Bounded so that no text overflows a double, which PostgreSQL's cast answers with an error.
_MOST_CHARACTERS = 200
PATTERN = r"[-+]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][-+]?[0-9]{1,2})?"
_NUMBER = re.compile(PATTERN)


def number(text: str | None) -> float | None:
    if text is None or len(text) > _MOST_CHARACTERS or not _NUMBER.fullmatch(text):
        return None
    return float(text)


def of_text(column: ColumnElement[Any], *, postgresql: bool) -> ColumnElement[Any]:
    """The number that a text is, else null."""
    if postgresql:
        is_number = and_(func.length(column) <= _MOST_CHARACTERS, column.op("~")(f"^({PATTERN})$"))
        return case((is_number, cast(column, Float(53))), else_=null())
    return func.covey_number(column, type_=Float)
