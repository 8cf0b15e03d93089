"""Pages of a list, for people: ?page=1, 2, … of rows that SQL orders. (The REST API's pages are in hub.lib.api.)"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from django.db.models import QuerySet

from hub.lib.errors import Invalid
from hub.lib.numbers import whole

R = TypeVar("R")
MOST_PAGES = 1000
MOST_LETTERS = 200


@dataclass(frozen=True)
class Page(Generic[R]):
    """Some rows, and whether there are more after them; count: pages in all, where that is known.

    shared/_pages.html shows the way to the others.
    """

    rows: list[R]
    number: int
    more: bool
    count: int | None = None

    @property
    def previous(self) -> int | None:
        return self.number - 1 if self.number > 1 else None

    @property
    def next(self) -> int | None:
        return self.number + 1 if self.more else None


def page_of(rows: QuerySet[Any, R] | Sequence[R], asked: str, size: int) -> Page[R]:
    """The page an address asks for; only its rows are read. Raises Invalid."""
    number = page_number(asked)
    start = (number - 1) * size
    found = list(rows[start : start + size + 1])
    count = None if isinstance(rows, QuerySet) else max(1, -(-len(rows) // size))
    return Page(found[:size], number, len(found) > size, count)


def page_number(asked: str, *, most: int = MOST_PAGES) -> int:
    """1 to most. Raises Invalid."""
    number = whole(asked, least=1, most=most)
    if number is None:
        raise Invalid(f"{asked[:20]!r} is not a page.", details=f"Pages are numbered 1 to {most:,}.")
    return number


def words_of(asked: str) -> str:
    """What is searched for, as a person typed it. Raises Invalid on what no database can look for."""
    if "\0" in asked:
        raise Invalid("A search cannot hold a NUL character.")
    return asked.strip()[:MOST_LETTERS]
