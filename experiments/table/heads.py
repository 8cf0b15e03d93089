"""The header of the table: sortable columns below the kinds they are of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from experiments.listing import Query
from experiments.ordering import SORTABLE
from experiments.rows import classes
from experiments.table.addresses import added
from experiments.table.columns import KINDS, Column
from experiments.table.state import Look


@dataclass(frozen=True)
class Head:
    """href: where it leads to be sorted by it; sorted: how it is now (aria-sort); width: pixels or None."""

    name: str
    label: str
    href: str
    sorted: str
    look: str = ""
    width: int | None = None


def heads(base: str, query: Query, columns: Sequence[Column], look: Look) -> list[Head]:
    """base: a link without sort."""
    return [_head(base, query, column, look) for column in columns]


def kinds(columns: Sequence[Column]) -> list[tuple[str, int]]:
    """(title, how many columns) of each stretch of one kind."""
    return [(KINDS[kind], len(list(some))) for kind, some in groupby(columns, key=lambda column: column.kind)]


def sorting(base: str, query: Query, name: str) -> tuple[str, str]:
    """(href, aria-sort) of a column."""
    now = ("descending" if query.descending else "ascending") if name == query.sort else ""
    return added(base, sort=name if now == "descending" else f"-{name}"), now


def _head(base: str, query: Query, column: Column, look: Look) -> Head:
    href, now = sorting(base, query, column.name)
    assert column.kind != "attributes" or column.name in SORTABLE
    return Head(column.name, column.label, href, now, classes(column, look), look.widths.get(column.name))
