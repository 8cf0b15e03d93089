"""The header of the table: sortable columns below the kinds they are of, and the list that chooses them. As HTML, made
in Python: fifty columns through template tags take as long as the runs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from itertools import groupby

from django.utils.safestring import SafeString, mark_safe

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


_ARROWS = {"descending": " ↓", "ascending": " ↑"}


def heads(base: str, query: Query, columns: Sequence[Column], look: Look) -> SafeString:
    """base: a link without sort."""
    made = (_html(_head(base, query, column, look), number) for number, column in enumerate(columns, 1))
    return mark_safe("".join(made))  # noqa: S308  # escaped below


def _html(head: Head, number: int) -> str:
    name = escape(head.name)
    width = f' width="{head.width}"' if head.width else ""
    how = f' aria-sort="{head.sorted}"' if head.sorted else ""
    link = f'<a id="by-{number}" href="{escape(head.href)}">{escape(head.label)}{_ARROWS.get(head.sorted, "")}</a>'
    return (
        f'<th scope="col"{head.look} data-column="{name}" title="{name}"{width}{how}>'
        f'<span class="column-head">{link}</span></th>'
    )


def items(columns: Iterable[tuple[str, bool, int | str]]) -> SafeString:
    """The chosen columns in their order, to be moved, pinned and left out. columns: (name, fixed, width or "")."""
    return mark_safe("".join(item(*column) for column in columns))  # noqa: S308  # escaped below


def item(column: str = "", fixed: bool = False, width: int | str = "") -> SafeString:
    name, pinned = escape(column), " checked" if fixed else ""
    return mark_safe(  # noqa: S308  # escaped above
        f'<li data-column="{name}" draggable="true"><label class="field-check"><input type="checkbox" name="columns" '
        f'value="{name}" checked> <span data-column-name>{name}</span></label> <span class="column-acts">'
        f'{_move(name, -1, "left", "←")}{_move(name, 1, "right", "→")}<label class="field-check">'
        f'<input type="checkbox" name="fixed" value="{name}" aria-label="Keep {name} at the left"{pinned}> Pin</label>'
        f'<input class="column-width" type="number" name="width.{name}" value="{width}" min="40" max="800" step="1" '
        f'placeholder="auto" aria-label="Width of {name} in pixels"></span></li>'
    )


def _move(name: str, by: int, side: str, arrow: str) -> str:
    look = 'class="button button-small" type="button"'
    return f'<button {look} data-column-move="{by}" aria-label="Move {name} to the {side}">{arrow}</button>'


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
