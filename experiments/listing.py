"""The table of runs: which of them, in which order, with which columns; a page of it at a time, found by keyset.

Whatever the number of runs, a page is at most twelve statements on one connection, and only what it shows is read.
The first page of a few thousand runs is four: its experiments, how many there are, the runs, their values.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

from sqlalchemy import ColumnElement, FromClause, Select, and_, func, literal, or_, select, union_all

from experiments import finding, ordering
from experiments.database import Reader, latest_metrics, params, reading, runs
from experiments.filters import sql
from experiments.filters.syntax import Node
from experiments.finding import Part
from experiments.ordering import ALL_RUNS, Order
from experiments.runs import ACTIVE, MAX_EXPERIMENTS, MOST_IDS, Run, among, experiments_of, filled, scoped, select_runs
from experiments.table import aggregates, hiding, tree
from experiments.table.columns import parse, parsed, written
from experiments.table.tree import Nest

PAGE_RUNS = 100
KEPT_PAGES = 16  # per process; of 100 runs and 40 columns each takes about a megabyte
DEFAULT_COLUMNS = 6  # of metrics, and of params, when nobody named any
MAX_EXPORTED = 10_000  # runs of one file
_EXPORT_RUNS = 1000


@dataclass(frozen=True)
class Query:
    """What a table shows. sort: see ordering.order. columns: their names, None: choose for me.

    after and before: a place of Page.next or Page.previous; at most one of them. directions: which way metrics get
    better, where that was declared. show: see hiding. pinned: ids of runs that stand above every page. nested: as a
    tree, with the children of `opened`.
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
    directions: Mapping[str, str] = field(default_factory=dict, hash=False)
    show: str = hiding.LIVE
    pinned: tuple[str, ...] = ()
    nested: bool = False
    opened: tuple[str, ...] = ()

    @property
    def stage(self) -> str:
        return hiding.DELETED if self.show == hiding.DELETED else ACTIVE


@dataclass(frozen=True)
class Page:
    """total: runs that pass the filter, on all pages; of a tree those at its top; more: and others, uncounted.

    next, previous: places; empty where there is no page. nests: run id → where it stands in the tree. drawn: what
    whoever shows it made of its rows.
    """

    rows: list[Run]
    total: int
    columns: list[str]
    next: str = ""
    previous: str = ""
    more: bool = False
    experiments: list[Any] = field(default_factory=list)
    pinned: list[Run] = field(default_factory=list)
    nests: dict[str, Nest] = field(default_factory=dict)
    drawn: dict[str, tuple[Any, str]] = field(default_factory=dict, compare=False)


def page(query: Query) -> Page:
    """Raises Invalid for a place that is none."""
    with reading() as reader:
        known = experiments_of(reader, query.workspace)
        ids = [row.experiment_id for row in known]
        scope = _measured(reader, query, ids)
        query, order = scope.query, _order(reader, query)
        part = _found(scope, order)
        total = _count(replace(scope, listing=not part.many)) if part.total is None else part.total
        found, nests = _nested(scope, order, part.rows) if query.nested else (part.rows, {})
        pinned = _pinned(reader, query)
        columns = list(query.columns) if query.columns is not None else _common(reader, [row.run_uuid for row in found])
        made = with_values(reader, query, [*pinned, *found], columns)
        return Page(
            rows=made[len(pinned) :],
            total=min(total, finding.COUNTED) if query.filter else total,
            more=query.filter is not None and total > finding.COUNTED,
            columns=columns,
            next=part.next,
            previous=part.previous,
            experiments=known[:MAX_EXPERIMENTS],
            pinned=made[: len(pinned)],
            nests=nests,
        )


@lru_cache(maxsize=KEPT_PAGES)
def kept(query: Query, snapshot: str) -> Page:
    """The same page, perhaps as it was made before. snapshot: see snapshot.current."""
    return page(query)


def exported(query: Query) -> Iterator[Run]:
    """Every run that passes, from the first on, at most MAX_EXPORTED; query.columns names what is read."""
    after, left = "", MAX_EXPORTED
    with reading() as reader:
        ids = [row.experiment_id for row in experiments_of(reader, query.workspace)]
        scope, order = _measured(reader, query, ids), _order(reader, query)
        while left > 0:
            part = replace(scope.query, after=after, before="", size=min(_EXPORT_RUNS, left))
            found = _found(replace(scope, query=part), order)
            yield from with_values(reader, query, found.rows, query.columns or ())
            after, left = found.next, left - len(found.rows) if found.next else 0


def with_values(reader: Reader, query: Query, found: Sequence[Any], columns: Sequence[str]) -> list[Run]:
    """Rows of select_runs() as runs with the values of these columns: one statement, and one for aggregates."""
    made = filled(reader, found, columns)
    summed = aggregates.read(reader, [run.run_id for run in made], parsed(columns), query.directions)
    for run in made:
        run.aggregates.update(summed.get(run.run_id, {}))
    return made


def conditions(query: Query, *, postgresql: bool, listed: bool = False) -> list[ColumnElement[bool]]:
    """What the filter says of a run by itself. listed: see sql.condition."""
    found = [] if query.filter is None else [sql.condition(query.filter, postgresql=postgresql, listed=listed)]
    if query.experiment_id is not None:
        found.append(runs.c.experiment_id == query.experiment_id)
    return found


@dataclass(frozen=True)
class Scope:
    """A question about the runs of one repository. ids: of its experiments. listing: few of very many may pass.
    size: how many runs may be seen at all, counted up to finding.many() + 1."""

    reader: Reader
    query: Query
    ids: list[int]
    listing: bool = False
    size: int = 0

    @property
    def is_many(self) -> bool:
        """Whether it is worth to ask a part of them first."""
        return self.size > finding.many()

    @property
    def is_plain(self) -> bool:
        """Whether it lists whatever may be seen."""
        return self.query.filter is None and self.query.experiment_id is None and not self.query.nested

    def own(self) -> list[ColumnElement[bool]]:
        return conditions(self.query, postgresql=self.reader.postgresql, listed=self.listing)

    def of_few(self) -> list[ColumnElement[bool]]:
        """Of a run that is one of a few by other means, what passing() says."""
        # A sum is in no index: SQLite shall begin with the few, not with all runs of the experiments.
        here = [(runs.c.experiment_id + 0).in_(self.ids), runs.c.lifecycle_stage == self.query.stage]
        return [*here, *hiding.condition(self.query.show, self.query.filter), *self.own()]

    def seen(self, statement: Select[Any], source: FromClause | None = None) -> Select[Any]:
        """Kept to what may be seen at all. source: ALL_RUNS with what the statement needs besides."""
        kept = among(statement, self.query.workspace, self.ids, source, stage=self.query.stage)
        return kept.where(*hiding.condition(self.query.show, self.query.filter))

    def passing(self, statement: Select[Any], source: FromClause | None = None) -> Select[Any]:
        """Kept to what passes the filter."""
        return self.seen(statement, source).where(*self.own())

    def with_above(self, statement: Select[Any], source: FromClause | None = None) -> Select[Any]:
        """Kept to what passes the filter or has something below it that does."""
        own = self.own()
        return self.seen(statement, source).where(*([or_(and_(*own), tree.above(self.passing))] if own else []))

    def listed(self, statement: Select[Any], source: FromClause | None = None) -> Select[Any]:
        """Kept to what the table lists."""
        if not self.query.nested:
            return self.passing(statement, source)
        return self.with_above(statement, source).where(tree.top(self.query.workspace))

    def marks(self) -> list[ColumnElement[Any]]:
        own = self.own()
        return [tree.passes(own)] if self.query.nested and own else []


def _order(reader: Reader, query: Query) -> Order:
    return ordering.order(
        query.sort, descending=query.descending, postgresql=reader.postgresql, directions=query.directions
    )


@dataclass(frozen=True)
class Found:
    """Rows of a page. total: runs that the table lists, None: not counted yet; many: it is known that many pass."""

    rows: list[Any]
    next: str = ""
    previous: str = ""
    total: int | None = None
    many: bool = False


def _measured(reader: Reader, query: Query, ids: list[int]) -> Scope:
    """The scope of a question in one statement. Where no run names a parent, the tree is the flat table."""
    scope = Scope(reader, query, ids)
    some = scope.seen(select(literal(1).label("one"))).limit(finding.many() + 1).subquery()
    told: list[ColumnElement[Any]] = [select(func.count()).select_from(some).scalar_subquery()]
    if query.nested and len(ids) <= MOST_IDS:
        told.append(tree.is_there(ids))
    size, *nested = next(iter(reader.rows(select(*told))), (0, False))
    return replace(scope, size=size, query=replace(query, nested=query.nested and all(nested)))


def _found(scope: Scope, order: Order) -> Found:
    query, backwards = scope.query, bool(scope.query.before)
    place = query.before or query.after
    part = Part(query.size + 1, order.read_place(place) if place else None, backwards)
    rows = _probed(scope, order, part)
    many = len(rows) == part.limit
    if not many:
        rows = _listed(scope, order, part)
    more, counted = len(rows) > query.size, _counted(scope, rows)
    rows = rows[: query.size]
    if not rows:
        return Found([], total=counted if place else 0)
    if backwards:
        rows.reverse()
    first, last = order.place_of(rows[0]), order.place_of(rows[-1])
    if backwards:
        return Found(rows, last, first if more else "", counted, many)
    total = counted if place or more else len(rows)
    return Found(rows, last if more else "", first if place else "", total, many)


def _counted(scope: Scope, rows: Sequence[Any]) -> int | None:
    """How many runs the table lists, where that is known already."""
    if rows and hasattr(rows[0], "listed"):
        return int(rows[0].listed)
    return scope.size if scope.is_plain and not scope.is_many else None


def _listed(scope: Scope, order: Order, part: Part) -> list[Any]:
    """The runs of the part; with how many there are in all, where that is the same work."""
    wanted = select(runs.c.run_uuid, *order.columns(), *scope.marks())
    if part.place is None and not scope.is_many and not scope.is_plain:
        wanted = wanted.add_columns(func.count().over().label("listed"))
    chosen = replace(scope, listing=True).listed(wanted, order.source)
    return _rows(scope.reader, part.of(chosen, order), order, backwards=part.backwards)


def _probed(scope: Scope, order: Order, part: Part) -> list[Any]:
    """The runs of the part that are among the first of the order, which may be too few of them."""
    query, sort = scope.query, parse(scope.query.sort)
    if query.nested or len(scope.ids) > MOST_IDS:
        return []
    if sort and sort.kind == "metrics" and not sort.aggregate:
        sizes = [] if query.filter else [finding.FEW * part.limit]
        sizes += [finding.PROBED] if scope.is_many else []
        for size in sizes:
            first = finding.by_metric(sort.key, order, part, size)
            rows = _among(scope, first, part) if first else []
            if len(rows) == part.limit:
                return rows
    elif query.filter is not None and scope.is_many:
        ordered = scope.seen(select(runs.c.run_uuid, *order.columns()), order.source)
        return _among(scope, finding.by_scan(ordered, order, part), part)
    return []


def _among(scope: Scope, first: Order, part: Part) -> list[Any]:
    """The runs of the part that pass, of the first ones of an order."""
    chosen = select(runs.c.run_uuid, *first.columns()).select_from(first.source).where(*scope.of_few())
    return _rows(scope.reader, part.of(chosen, first), first, backwards=part.backwards)


def _rows(reader: Reader, chosen: Select[Any], order: Order, *, backwards: bool = False) -> list[Any]:
    """The runs that a statement chose, with whatever else it selects, in its order.

    Only that goes through the sort of many runs; the rest is read of those that are shown.
    """
    named = chosen.subquery()
    source = ALL_RUNS.join(named, named.c.run_uuid == runs.c.run_uuid)
    besides = [column for column in named.c if column.name != "run_uuid"]
    wanted = select_runs().add_columns(*besides).select_from(source)
    return list(reader.rows(wanted.order_by(*order.by(backwards=backwards))))


def _nested(scope: Scope, order: Order, found: list[Any]) -> tuple[list[Any], dict[str, Nest]]:
    """The rows of a page with what is opened below them."""
    below: list[Any] = []
    if scope.query.opened:
        wanted = select(runs.c.run_uuid, *order.columns(), *scope.marks())
        chosen = tree.children(scope.with_above, scope.query.opened, wanted, order.source)
        below = _rows(scope.reader, chosen.order_by(*order.by()).limit(tree.MOST_CHILDREN), order)
    shown = [row.run_uuid for row in (*found, *below)]
    return tree.flattened(found, below, tree.counts(scope.reader, scope.with_above, shown))


def _pinned(reader: Reader, query: Query) -> list[Any]:
    """Runs that stand above every page, in the order they were named; those that are not here are left out."""
    if not query.pinned:
        return []
    wanted = scoped(select_runs(), query.workspace).where(runs.c.run_uuid.in_(query.pinned))
    rows = {row.run_uuid: row for row in reader.rows(wanted)}
    return [rows[run_id] for run_id in dict.fromkeys(query.pinned) if run_id in rows]


def _count(scope: Scope) -> int:
    """Runs that the table lists; of those that pass a filter COUNTED + 1 stands for more than COUNTED."""
    if scope.query.filter is None:
        found = scope.reader.rows(scope.listed(select(func.count())))
    else:
        passing = scope.listed(select(literal(1))).limit(finding.COUNTED + 1)
        found = scope.reader.rows(select(func.count()).select_from(passing.subquery()))
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


def common_metrics(scope: Scope) -> list[str]:
    """The metrics that most of the newest runs have, of those that pass."""
    newest = scope.passing(select(runs.c.run_uuid)).order_by(runs.c.start_time.desc()).limit(PAGE_RUNS)
    often, source = func.count(), latest_metrics
    keys = select(source.c.key).where(source.c.run_uuid.in_(select(newest.subquery().c.run_uuid)))
    keys = keys.group_by(source.c.key).order_by(often.desc(), source.c.key)
    return [row.key for row in scope.reader.rows(keys.limit(DEFAULT_COLUMNS))]
