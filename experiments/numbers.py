"""Which texts of params and tags are numbers, alike on both databases and in Python."""

from __future__ import annotations

import re
from typing import Any

from sqlalchemy import ColumnElement, Float, case, cast, func, null

# Bounded so that no text overflows a double, which PostgreSQL's cast answers with an error.
_PATTERN = r"[-+]?([0-9]{1,200}(\.[0-9]{0,200})?|\.[0-9]{1,200})([eE][-+]?[0-9]{1,2})?"
_NUMBER = re.compile(_PATTERN)


def number(text: str | None) -> float | None:
    return float(text) if text is not None and _NUMBER.fullmatch(text) else None


def of_text(column: ColumnElement[Any], *, postgresql: bool) -> ColumnElement[Any]:
    """The number that a text is, else null."""
    if postgresql:
        return case((column.op("~")(f"^({_PATTERN})$"), cast(column, Float(53))), else_=null())
    return func.covey_number(column, type_=Float)
