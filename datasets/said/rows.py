"""One row of a table as a place: named by its key where one is declared, else by its number at that revision."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.template.loader import render_to_string

from datasets import results
from datasets.said import places
from datasets.tracked.declared_keys import declared_key
from datasets.viewer import table_pages, viewing
from datasets.viewer.table_queries import PER_PAGE, Filter, Query
from datasets.viewer.viewing import Table
from hub.accounts.actor import Actor, Area
from hub.lib.errors import Busy, Invalid, NotFound, Unprocessable
from repos.issues.models import Thread
from repos.issues.threads import ShownSpot, Spot
from repos.models import Repository
from repos.place import Place, url

MOST_CELLS, CELL_CHARACTERS = 30, 200  # kept of a row
KEY_COLUMNS = 8
_CUT = "…"
Cells = dict[str, str | None]


@dataclass(frozen=True)
class Found:
    """number: in the file, from 1. cells: text of the kept columns, None for empty ones."""

    number: int
    cells: Cells


@dataclass(frozen=True)
class Now:
    """What became of a row. state: same, changed, gone, or "" while nobody has looked. cells: as they are now."""

    state: str
    cells: Cells


class RowKind:
    """detail: {"row": its number} or {"key": {column: value}}; kept with "cells" and "version" of the file."""

    def check(self, actor: Actor, repository: Repository, spot: Spot) -> Spot:
        """Raises Busy while the table is still being read."""
        place = places.place_of(actor, repository, spot)
        found = table_at(place, actor)
        key, number = _asked(spot.detail)
        declared = declared_key(repository, place.commit, place.path)
        row = by_key(found, key, actor) if key else by_number(found, number, actor, declared)
        if row is None:
            raise NotFound("The table has no such row.", details="Open the table, then choose a row there.")
        detail = {
            "key": key or _key(row, declared),
            "row": row.number,
            "cells": row.cells,
            "version": found.version.identity,
        }
        return replace(spot, rev=place.commit, path=place.path, detail=detail)

    def shown(self, actor: Actor, repository: Repository, threads: Sequence[Thread]) -> dict[int, ShownSpot]:
        if not actor.has_scope(Area.DATA, write=False):
            return {}
        now = places.places_now(repository, threads)
        versions = places.versions(now.values())
        return {one.pk: _shown(repository, one, now.get(one.pk), versions) for one in threads}


def _asked(detail: Mapping[str, Any]) -> tuple[Cells, int]:
    """(key, number) as somebody sent them: one of the two. Raises Unprocessable."""
    key, number = detail.get("key"), detail.get("row")
    if isinstance(key, dict) and key:
        if len(key) > KEY_COLUMNS or not all(value is None or isinstance(value, str) for value in key.values()):
            raise Unprocessable(f"A key is at most {KEY_COLUMNS} columns, each with its value as text or null.")
        return dict(key), 0
    if not isinstance(number, int) or isinstance(number, bool) or not 0 < number < 2**53:
        raise Unprocessable(
            'A row is named by {"row": number} or {"key": {column: value}}.', details="Rows count from 1."
        )
    return {}, number


def table_at(place: Place, actor: Actor) -> Table:
    """Raises NotFound, Unprocessable, Busy."""
    found = viewing.table(place, user_id=actor.user_id)
    if found.state == "missing":
        raise NotFound(
            f"The data of '{place.path_shown}' was never pushed here.", details="Run `dvc push` where it is."
        )
    if found.state in {"failed", "cancelled"}:
        raise Unprocessable("This table cannot be read.", details="Its page says why.")
    if found.state != "done":
        raise Busy("The table is still being read.", details="Try again in a few seconds.")
    return found


def by_number(found: Table, number: int, actor: Actor, columns: Sequence[str] = ()) -> Found | None:
    if number > found.about["rows"]:
        return None
    asked = Query((number - 1) // PER_PAGE + 1, show=_columns(found, columns), row=number)
    return _one(found, asked, (number - 1) % PER_PAGE, actor)


def by_key(found: Table, key: Mapping[str, str | None], actor: Actor, columns: Sequence[str] = ()) -> Found | None:
    """The first row with these values. Raises Unprocessable for columns that the table does not have."""
    numbers = {column["name"]: number for number, column in enumerate(found.columns)}
    if unknown := [name for name in key if name not in numbers]:
        raise Unprocessable(f"The table has no column '{unknown[0][:100]}'.")
    filters = []
    for name, value in key.items():
        if found.columns[numbers[name]]["kind"] == "other" or len(value or "") >= CELL_CHARACTERS:
            raise Unprocessable(f"'{name[:100]}' names no row: its values are nested or too long.")
        filters.append(Filter(numbers[name], "null" if value is None else "eq", value or ""))
    return _one(found, Query(filters=tuple(filters), show=_columns(found, columns or list(key))), 0, actor)


def _columns(found: Table, first: Sequence[str]) -> tuple[int, ...]:
    """Numbers of the columns that are kept: those named, and then the first of the table."""
    numbers = {column["name"]: number for number, column in enumerate(found.columns)}
    wanted = dict.fromkeys(
        [*(numbers[name] for name in first if name in numbers), *range(min(len(numbers), MOST_CELLS))]
    )
    return tuple(sorted(list(wanted)[:MOST_CELLS]))


def _one(found: Table, asked: Query, at: int, actor: Actor) -> Found | None:
    try:
        rows = table_pages.rows(found, asked, user_id=actor.user_id)
    except (Invalid, NotFound):
        return None
    if rows.state != "done":
        raise Busy("The row is still being looked for.", details="Try again in a few seconds.")
    if at >= len(rows.rows):
        return None
    names = (found.columns[number]["name"] for number in rows.columns)
    return Found(rows.numbers[at], {_text(name): _cell(cell) for name, cell in zip(names, rows.rows[at], strict=True)})


def _cell(value: str | None) -> str | None:
    if value is None:
        return None
    value = _text(value)
    return value if len(value) <= CELL_CHARACTERS else value[: CELL_CHARACTERS - 1] + _CUT


def _text(value: str) -> str:
    """What every database stores."""
    return value.replace("\0", "\ufffd").encode("utf-8", "replace").decode()


def _key(row: Found, declared: Sequence[str]) -> Cells:
    """The values of the declared key; {} where there is none, or they are too long to name a row."""
    if len(declared) > KEY_COLUMNS or not all(name in row.cells for name in declared):
        return {}
    key = {name: row.cells[name] for name in declared}
    return {} if any(len(value or "") >= CELL_CHARACTERS for value in key.values()) else key


# ---- what became of it ----------------------------------------------------------------------------
def now_of(thread: Thread, place: Place, actor: Actor) -> Now:
    """Looked up in the newer version, and kept. Raises Busy, NotFound, Unprocessable."""
    found = table_at(place, actor)
    detail = thread.detail
    names = list(detail["cells"])
    try:
        row = (
            by_key(found, detail["key"], actor, names)
            if detail["key"]
            else by_number(found, detail["row"], actor, names)
        )
    except Unprocessable:  # a column of the key has gone
        row = None
    cells = {name: value for name, value in row.cells.items() if name in detail["cells"]} if row else {}
    state = "gone" if row is None else "same" if cells == detail["cells"] else "changed"
    told = Now(state, cells)
    results.write(json.dumps({"state": state, "cells": cells}).encode(), _kept(thread, found.version.identity))
    return told


def known(thread: Thread, version: str) -> Now:
    """What now_of() kept of this version of the file."""
    if not version:
        return Now("gone", {})
    if version == thread.detail["version"]:
        return Now("same", thread.detail["cells"])
    place = _kept(thread, version)
    return Now(**json.loads(place.read_bytes())) if results.touch(place) else Now("", {})


def _kept(thread: Thread, version: str) -> Any:
    digest = results.digest("row-now", thread.pk, thread.detail["version"], thread.detail["row"], version)
    return results.sketch_place(thread.repository_id, digest)


# ---- as a page shows it ---------------------------------------------------------------------------
def _shown(
    repository: Repository, thread: Thread, place: Place | None, versions: Mapping[tuple[str, str], str]
) -> ShownSpot:
    now = known(thread, versions[place.commit, place.path]) if place else Now("gone", {})
    if not thread.pk:  # nothing is said about it yet
        now = Now("same", {})
    address = f"{url(repository, 'datasets/table', thread.rev, thread.path)}?row={thread.detail['row']}"
    return ShownSpot(
        f"{thread.path}, {named(thread.detail)}",
        f"{address}#row-{thread.detail['row']}",
        render_to_string("datasets/_said_row.html", said(repository, thread, now, place)),
        outdated=now.state in {"changed", "gone"},
    )


def said(repository: Repository, thread: Thread, now: Now, place: Place | None) -> dict[str, Any]:
    """For the template: every column with what it was and, where that differs, what it is."""
    columns = [
        (name, value, now.cells.get(name), now.state == "changed" and now.cells.get(name) != value)
        for name, value in thread.detail["cells"].items()
    ]
    return {"repository": repository, "thread": thread, "columns": columns, "now": now, "place": place}


def named(detail: Mapping[str, Any]) -> str:
    """A row in words."""
    key = ", ".join(f"{name} = {'empty' if value is None else value[:60]}" for name, value in detail["key"].items())
    return key or f"row {detail['row']:,}"
