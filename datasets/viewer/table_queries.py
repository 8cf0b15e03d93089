"""What the address of a table's page asks for: ?filter=price:gt:10&sort=-price&page=2&part=3&show=name&row=123.

Typed by the columns and refused with a sentence; nothing of it becomes SQL.
"""

from __future__ import annotations

import datetime
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hub.lib.errors import Invalid
from hub.lib.numbers import whole
from hub.lib.paging import page_number
from hub.lib.unicode import is_utf8

PER_PAGE = 100
MAX_FILTERS, MAX_SORTS, MAX_SHOWN = 20, 3, 60
MAX_VALUE_CHARACTERS = 1_000
NEEDLESS = ("null", "notnull")
ORDERED = ("lt", "le", "gt", "ge")
OPS = ("eq", "ne", *ORDERED, "contains", "starts", *NEEDLESS)
WORDS = {
    **{"eq": "=", "ne": "≠", "lt": "<", "le": "≤", "gt": ">", "ge": "≥"},
    **{"contains": "contains", "starts": "starts with", "null": "is empty", "notnull": "is not empty"},
}
_INTEGER = re.compile(r"[+-]?\d{1,38}")
Columns = Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class Filter:
    """column: its number. value: text that the column's type takes; "" for null and notnull."""

    column: int
    op: str
    value: str = ""

    def text(self, columns: Columns) -> str:
        """As it stands in an address."""
        return ":".join([columns[self.column]["name"], self.op, *([] if self.op in NEEDLESS else [self.value])])


@dataclass(frozen=True)
class Sort:
    column: int
    down: bool = False


@dataclass(frozen=True)
class Query:
    """page, part, row: from 1 (row 0: none is asked for). show: columns by number, () for those of the part."""

    page: int = 1
    part: int = 1
    filters: tuple[Filter, ...] = ()
    sorts: tuple[Sort, ...] = ()
    show: tuple[int, ...] = ()
    row: int = 0

    @property
    def plain(self) -> bool:
        """The rows as they lie in the file."""
        return not self.filters and not self.sorts


def query(given: Any, columns: Columns, rows: int) -> Query:
    """given: a QueryDict. Raises Invalid."""
    row = _number(given.get("row", ""), "row", rows) if given.get("row") else 0
    filters = [text for text in given.getlist("filter") if text]
    sorts = [text for text in given.getlist("sort") if text]
    show = list(dict.fromkeys(text for text in given.getlist("show") if text))
    for many, most, what in ((filters, MAX_FILTERS, "filters"), (sorts, MAX_SORTS, "sorts"), (show, MAX_SHOWN, "show")):
        if len(many) > most:
            raise Invalid(f"At most {most} {what} can be given.")
    numbers = {column["name"]: number for number, column in enumerate(columns)}
    found = Query(
        page=page_number(given.get("page", "1"), most=10**9),
        part=page_number(given.get("part", "1"), most=10**6),
        filters=tuple(filter_of(text, columns, numbers) for text in filters),
        sorts=tuple(_sort(text, columns, numbers) for text in sorts),
        show=tuple(sorted({_column(name, numbers) for name in show})),
        row=row,
    )
    if row and found.plain:
        return Query((row - 1) // PER_PAGE + 1, found.part, show=found.show, row=row)
    return found


def _number(text: str, what: str, most: int) -> int:
    number = whole(text, least=1, most=max(1, most))
    if number is None:
        raise Invalid(f"{text[:20]!r} is no {what} of this table.", details=f"Its rows are numbered 1 to {most:,}.")
    return number


def _column(name: str, numbers: Mapping[str, int]) -> int:
    if name not in numbers:
        raise Invalid(f"The table has no column '{name[:100]}'.")
    return numbers[name]


def _sort(text: str, columns: Columns, numbers: Mapping[str, int]) -> Sort:
    """ "price", or "-price" from the largest down."""
    down = text not in numbers and text.startswith("-")
    column = _column(text[1:] if down else text, numbers)
    if columns[column]["kind"] == "other":
        raise Invalid(f"A column of type {columns[column]['type'][:60]} has no order.")
    return Sort(column, down)


def filter_of(text: str, columns: Columns, numbers: Mapping[str, int]) -> Filter:
    """ "column:op:value". A column's name may hold colons itself: the longest that fits counts."""
    for at in range(len(text) - 1, 0, -1):
        if text[at] != ":" or text[:at] not in numbers:
            continue
        op, _, value = text[at + 1 :].partition(":")
        if op in OPS:
            column = numbers[text[:at]]
            return Filter(column, op, "" if op in NEEDLESS else _value(value, op, columns[column]))
    known = next((name for name in (text.split(":", 1)[0],) if name in numbers), "")
    if known:
        raise Invalid(
            f"That filter of '{known[:100]}' is not known.", details=f"Use column:op:value, op {', '.join(OPS)}."
        )
    raise Invalid(
        f"The filter '{text[:100]}' names no column of the table.",
        details="A filter is column:op:value, as price:gt:10.",
    )


def _value(text: str, op: str, column: Mapping[str, Any]) -> str:
    """The value as the column's type takes it. Raises Invalid."""
    kind, name = column["kind"], column["name"][:100]
    if len(text) > MAX_VALUE_CHARACTERS or "\0" in text or not is_utf8(text):
        raise Invalid(f"A value to compare '{name}' with has at most {MAX_VALUE_CHARACTERS:,} characters, and no NUL.")
    if kind == "other":
        raise Invalid(f"A column of type {column['type'][:60]} can only be null or notnull.")
    if op in {"contains", "starts"}:
        return text
    made = _TAKES[kind](text.strip()) if kind in _TAKES else text
    if made is None or (kind == "boolean" and op in ORDERED):
        raise Invalid(f"'{text[:60]}' is nothing that '{name}' ({kind}) can be compared with by {op}.")
    return made


def _as_integer(text: str) -> str | None:
    """Exact; a fraction stays one, since integers can be above or below it."""
    return str(int(text)) if _INTEGER.fullmatch(text) else _as_number(text)


def _as_number(text: str) -> str | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return repr(number) if math.isfinite(number) and "_" not in text else None


def _as_time(text: str) -> str | None:
    try:
        moment = datetime.datetime.fromisoformat(text)
    except ValueError:
        return None
    if moment.tzinfo:
        try:
            moment = moment.astimezone(datetime.UTC).replace(tzinfo=None)
        except OverflowError:
            return None
    return moment.isoformat(" ")


def _as_boolean(text: str) -> str | None:
    return text.lower() if text.lower() in {"true", "false"} else None


_TAKES = {"integer": _as_integer, "number": _as_number, "time": _as_time, "boolean": _as_boolean}
