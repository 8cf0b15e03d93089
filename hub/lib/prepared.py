"""Queries whose SQL is made once: for one row by its key, making it takes ten times as long as running it.

Only for what every request of a machine asks (its token, its repository, its object).
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeVar

from django.db import connection, models
from django.db.models.query import get_related_populators
from django.utils import timezone

M = TypeVar("M", bound=models.Model)
Value = str | int


def insert(
    model: type[models.Model], columns: Sequence[str], rows: Sequence[Sequence[Any]], *, conflict: str = "DO NOTHING"
) -> None:
    """Rows of plain values, one after the other: bulk_create's statement takes ten times as long to make. conflict:
    the SQL of what happens to a row that is there already; "" raises IntegrityError."""
    names, marks = ", ".join(columns), ", ".join(["%s"] * len(columns))
    sql = f"INSERT INTO {model._meta.db_table} ({names}) VALUES ({marks})"  # noqa: S608  # ours
    with connection.cursor() as cursor:
        cursor.executemany(f"{sql} ON CONFLICT {conflict}" if conflict else sql, rows)


def moment() -> Any:
    """Now, as the database of this connection takes it."""
    return connection.ops.adapt_datetimefield_value(timezone.now())


class Prepared(Generic[M]):
    """make(*values) gives the query for values of these kinds (str or int), which reach the SQL as they are.

    first(*values) is the first row of that query, with what select_related asked for."""

    def __init__(self, make: Callable[..., models.QuerySet[M]], *kinds: type[str] | type[int]) -> None:
        self._make, self._kinds = make, kinds
        self._plan: _Plan[M] | None = None
        self._lock = threading.Lock()

    def first(self, *values: Value) -> M | None:
        if self._plan is None:
            with self._lock:
                self._plan = self._plan or _Plan(self._make, self._kinds)
        return self._plan.first(values)


class _Plan(Generic[M]):
    """What Django's ModelIterable works out for each query anew."""

    def __init__(self, make: Callable[..., models.QuerySet[M]], kinds: tuple[type[str] | type[int], ...]) -> None:
        marks = {f"\ue000{n}" if kind is str else -9_000_000_000 - n: n for n, kind in enumerate(kinds)}
        compiler = make(*marks)[:1].query.get_compiler(connection=connection)
        self.sql, self.constants = compiler.as_sql()
        self.places = [marks.get(constant) for constant in self.constants]
        assert {place for place in self.places if place is not None} == set(marks.values()), "a value is not in the SQL"
        select, info = compiler.select, compiler.klass_info
        assert select is not None
        assert info is not None
        fields = info["select_fields"]
        self.start, self.end = fields[0], fields[-1] + 1
        self.model: type[M] = info["model"]
        self.names = [column[0].target.attname for column in select[self.start : self.end]]
        self.populators = get_related_populators(info, select, connection.alias)  # type: ignore[call-arg]  # newer stubs
        self.converters = compiler.get_converters([column[0] for column in select])

    def first(self, values: tuple[Value, ...]) -> M | None:
        pairs = zip(self.places, self.constants, strict=True)
        parameters: list[Any] = [constant if place is None else values[place] for place, constant in pairs]
        with connection.cursor() as cursor:
            cursor.execute(self.sql, parameters)
            found = cursor.fetchone()
        if found is None:
            return None
        row = self._converted(list(found))
        made = self.model.from_db(connection.alias, self.names, row[self.start : self.end])
        for populator in self.populators:
            populator.populate(row, made)
        return made

    def _converted(self, row: list[Any]) -> list[Any]:
        for place, (converters, expression) in self.converters.items():
            for converter in converters:
                row[place] = converter(row[place], expression, connection)
        return row
