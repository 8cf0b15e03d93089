"""The table of runs: which of them, in which order, with which columns; a page of it at a time, found by keyset.

Whatever the number of runs, a page is at most six statements on one connection, and only what it shows is read.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import ColumnElement, func, literal, select, union_all

from experiments import ordering
from experiments.database import Reader, latest_metrics, params, reading, runs
from experiments.filters import sql
from experiments.filters.syntax import Node
from experiments.ordering import ALL_RUNS, Order
from experiments.runs import MAX_EXPERIMENTS, Run, among, experiments_of, filled, select_runs
from experiments.table import aggregates
from experiments.table.columns import parsed, written

PAGE_RUNS = 100
DEFAULT_COLUMNS = 6  # of metrics, and of params, when nobody named any
MAX_EXPORTED = 10_000  # runs of one file
_EXPORT_RUNS = 1000


@dataclass(frozen=True)
class Query:
    """What a table shows. sort: see ordering.order. columns: their names, None: choose for me.

    after and before: a place of Page.next or Page.previous; at most one of them. directions: which way metrics get
    better, where that was declared.
    """

    workspace: str
    filter: Node | None = None
    sort: str = "started"
    descending: bool = True
    columns: tuple[str, ...] | None = None
    experiment_id: int | None = None
    after: str = ""
    before: str = ""
    size: int = PAGE_RUNS
    directions: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Page:
    """total: runs that pass the filter, on all pages. next, previous: places; empty where there is no page."""

    rows: list[Run]
    total: int
    columns: list[str]
    next: str = ""
    previous: str = ""
    experiments: list[Any] = field(default_factory=list)


def page(query: Query) -> Page:
    """Raises Invalid for a place that is none."""
    with reading() as reader:
        known = experiments_of(reader, query.workspace)
        ids = [row.experiment_id for row in known]
        found, previous, following = _found(reader, query, _order(reader, query), ids)
        whole = not (query.after or query.before or following)
        total = len(found) if whole else _count(reader, query, ids)
        columns = list(query.columns) if query.columns is not None else _common(reader, [row.run_uuid for row in found])
        return Page(
            rows=with_values(reader, query, found, columns),
            total=total,
            columns=columns,
            next=following,
            previous=previous,
            experiments=known[:MAX_EXPERIMENTS],
        )


def exported(query: Query) -> Iterator[Run]:
    """Every run that passes, from the first on, at most MAX_EXPORTED; query.columns names what is read."""
    after, left = "", MAX_EXPORTED
    with reading() as reader:
        ids = [row.experiment_id for row in experiments_of(reader, query.workspace)]
        order = _order(reader, query)
        while left > 0:
            part = replace(query, after=after, before="", size=min(_EXPORT_RUNS, left))
            found, _, after = _found(reader, part, order, ids)
            yield from with_values(reader, query, found, query.columns or ())
            left = left - len(found) if after else 0


def with_values(reader: Reader, query: Query, found: Sequence[Any], columns: Sequence[str]) -> list[Run]:
    """Rows of select_runs() as runs with the values of these columns: one statement, and one for aggregates."""
    made = filled(reader, found, columns)
    summed = aggregates.read(reader, [run.run_id for run in made], parsed(columns), query.directions)
    for run in made:
        run.aggregates.update(summed.get(run.run_id, {}))
    return made


def _order(reader: Reader, query: Query) -> Order:
    return ordering.order(
        query.sort, descending=query.descending, postgresql=reader.postgresql, directions=query.directions
    )


def conditions(query: Query, *, postgresql: bool) -> list[ColumnElement[bool]]:
    found = [] if query.filter is None else [sql.condition(query.filter, postgresql=postgresql)]
    if query.experiment_id is not None:
        found.append(runs.c.experiment_id == query.experiment_id)
    return found


def _found(reader: Reader, query: Query, order: Order, ids: list[int]) -> tuple[list[Any], str, str]:
    """(rows, place of the page before, place of the next page)."""
    backwards = bool(query.before)
    place = query.before or query.after
    # Only what they are ordered by goes through the sort of many runs; the rest is read of those that are shown.
    chosen = among(select(runs.c.run_uuid, *order.columns()), query.workspace, ids, order.source)
    chosen = chosen.where(*conditions(query, postgresql=reader.postgresql)).order_by(*order.by(backwards=backwards))
    if place:
        chosen = chosen.where(order.beyond(order.read_place(place), backwards=backwards))
    named = chosen.limit(query.size + 1).subquery()
    source = ALL_RUNS.join(named, named.c.run_uuid == runs.c.run_uuid)
    places = [column for column in named.c if column.name != "run_uuid"]
    wanted = select_runs().add_columns(*places).select_from(source)
    found = list(reader.rows(wanted.order_by(*order.by(backwards=backwards))))
    more, found = len(found) > query.size, found[: query.size]
    if not found:
        return [], "", ""
    if backwards:
        found.reverse()
    first, last = order.place_of(found[0]), order.place_of(found[-1])
    if backwards:
        return found, first if more else "", last
    return found, first if place else "", last if more else ""


def _count(reader: Reader, query: Query, ids: list[int]) -> int:
    counted = among(select(func.count()), query.workspace, ids).where(*conditions(query, postgresql=reader.postgresql))
    found = reader.rows(counted)
    return int(found[0][0]) if found else 0


def _common(reader: Reader, ids: list[str]) -> list[str]:
    """The metrics and params that most of these runs have."""
    if not ids:
        return []
    parts = []
    for kind, source in (("metrics", latest_metrics), ("params", params)):
        often = func.count()
        keys = select(literal(kind).label("kind"), source.c.key, often.label("often"))
        keys = keys.where(source.c.run_uuid.in_(ids)).group_by(source.c.key)
        parts.append(select(keys.order_by(often.desc(), source.c.key).limit(DEFAULT_COLUMNS).subquery()))
    return [written(kind, key) for kind, key, _ in reader.rows(union_all(*parts))]
