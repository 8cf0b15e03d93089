"""What an address asks of a table: any text is a query or refused clearly, and what is found is what Python finds."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pyarrow
import pytest
from django.http import QueryDict
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from datasets.tables import selecting, viewing
from datasets.viewer import table_queries
from datasets.viewer.table_queries import OPS, query
from hub.lib.errors import Invalid

COLUMNS: list[dict[str, Any]] = [
    {"name": "id", "type": "int64", "kind": "integer", "text": False},
    {"name": "price", "type": "double", "kind": "number", "text": False},
    {"name": "a:b", "type": "string", "kind": "text", "text": False},
    {"name": "a", "type": "string", "kind": "text", "text": True},
    {"name": "when", "type": "timestamp", "kind": "time", "text": False},
    {"name": "ok", "type": "bool", "kind": "boolean", "text": False},
    {"name": "-id", "type": "list", "kind": "other", "text": False},
    {"name": "'; DROP TABLE x; --", "type": "string", "kind": "text", "text": False},
]
NAMES = [column["name"] for column in COLUMNS]


def asked(text: str) -> table_queries.Query:
    return query(QueryDict(text), COLUMNS, 1000)


def filtered(*texts: str) -> tuple[table_queries.Filter, ...]:
    given = QueryDict(mutable=True)
    given.setlist("filter", list(texts))
    return query(given, COLUMNS, 1000).filters


@pytest.mark.parametrize(
    ("text", "column", "op", "value"),
    [
        ("id:gt:10", 0, "gt", "10"),
        ("id:le:-007", 0, "le", "-7"),
        ("id:lt:1.5", 0, "lt", "1.5"),
        ("id:eq:" + "9" * 38, 0, "eq", "9" * 38),
        ("price:ge:1e3", 1, "ge", "1000.0"),
        ("a:b:eq:x", 2, "eq", "x"),
        ("a:eq:b:eq:x", 3, "eq", "b:eq:x"),
        ("a:eq:", 3, "eq", ""),
        ("when:lt:2026-01-01T12:00:00+02:00", 4, "lt", "2026-01-01 10:00:00"),
        ("ok:eq:TRUE", 5, "eq", "true"),
        ("-id:null", 6, "null", ""),
        ("'; DROP TABLE x; --:contains:%", 7, "contains", "%"),
    ],
)
def test_a_filter(text, column, op, value):
    (found,) = filtered(text)
    assert (found.column, found.op, found.value) == (column, op, value)
    assert filtered(found.text(COLUMNS)) == (found,)


@pytest.mark.parametrize(
    "text",
    ["id", "id:", "id:gt:", "id:gt:1_0", "price:gt:inf", "price:eq:nan", "ok:lt:true", "-id:eq:1", "no:eq:1", ":"],
)
def test_what_is_no_filter(text):
    with pytest.raises(Invalid):
        filtered(text)


def test_sorts_and_names_that_begin_with_a_dash():
    assert [(s.column, s.down) for s in asked("sort=-price&sort=id").sorts] == [(1, True), (0, False)]
    with pytest.raises(Invalid, match="no order"):
        asked("sort=-id")


texts = st.text(max_size=40)
words = st.one_of(texts, st.sampled_from([*NAMES, *OPS, ":", "-", "1", "1e400", "\0", "\ud800", "٣", "²"]))


@given(st.lists(words, max_size=6).map(":".join), st.lists(words, max_size=3).map("".join), words, words)
@settings(max_examples=400, deadline=None)
def test_any_text_is_a_query_or_refused(filter_, sort, row, page):
    given = QueryDict(mutable=True)
    for name, value in (
        ("filter", filter_),
        ("sort", sort),
        ("row", row),
        ("page", page),
        ("part", row),
        ("show", sort),
    ):
        given.setlist(name, [value])
    try:
        found = query(given, COLUMNS, 1000)
    except Invalid as error:
        str(error.message).encode("utf-8", "replace")
        return
    for one in found.filters:
        assert one.op in OPS
        assert filtered(one.text(COLUMNS)) == (one,)
    assert found.page >= 1


# ---- against Python ----------------------------------------------------------------------------
cells = {
    "integer": st.one_of(st.none(), st.integers(-5, 5)),
    "number": st.one_of(st.none(), st.sampled_from([-1.5, -0.0, 0.0, 0.1, 2.0, math.nan, math.inf])),
    "text": st.one_of(st.none(), st.sampled_from(["", "a", "A", "b%", "_", "'", "é", "a b"])),
}
COMPARE = {
    **{"eq": lambda x, y: x == y, "ne": lambda x, y: x != y, "lt": lambda x, y: x < y, "le": lambda x, y: x <= y},
    **{"gt": lambda x, y: x > y, "ge": lambda x, y: x >= y, "contains": lambda x, y: str(y).lower() in str(x).lower()},
}


def holds(cell: Any, kind: str, op: str, value: str) -> bool:
    if op in {"null", "notnull"}:
        return (cell is None) == (op == "null")
    if cell is None or (isinstance(cell, float) and math.isnan(cell) and op != "contains"):
        return False
    if op == "contains":
        return kind == "text" and bool(COMPARE[op](cell, value))
    return bool(COMPARE[op](cell, float(value) if kind != "text" else value))


@given(
    st.lists(st.tuples(*cells.values()), min_size=1, max_size=12),
    st.sampled_from(["integer", "number", "text"]),
    st.sampled_from(["eq", "ne", "lt", "le", "gt", "ge", "null", "notnull"]),
    st.sampled_from(["0", "2", "-1.5", "0.1"]),
    st.sampled_from(["a", "", "b%", "'"]),
    st.booleans(),
)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_rows_are_those_that_python_finds(tmp_path: Path, rows, kind, op, number, text, down):
    place = tmp_path / "t.parquet"
    types = {"integer": pyarrow.int64(), "number": pyarrow.float64(), "text": pyarrow.string()}
    arrays = {n: pyarrow.array(c, types[n]) for n, c in zip(types, zip(*rows, strict=True), strict=True)}
    parquet.write_table(pyarrow.table(arrays), place)
    columns = viewing.about(b"", files=[str(place)])["columns"]
    value = text if kind == "text" else number
    given = QueryDict(mutable=True)
    given.setlist("filter", [f"{kind}:{op}" + ("" if op in table_queries.NEEDLESS else f":{value}")])
    found = query(given, columns, len(rows))
    place_of = list(types).index(kind)
    wanted = {"column": place_of, "kind": kind, "text": False}
    answer = selecting.page(
        b"",
        files=[str(place)],
        columns=[place_of],
        filters=[wanted | {"op": one.op, "value": one.value} for one in found.filters],
        sorts=[wanted | {"down": down}],
        offset=0,
        limit=100,
    )
    expected = [n for n, row in enumerate(rows) if holds(row[place_of], kind, op, value)]
    assert sorted(answer["numbers"]) == expected
    values = [rows[n][place_of] for n in answer["numbers"] if rows[n][place_of] is not None]
    ordered = [v for v in values if not (isinstance(v, float) and math.isnan(v))]
    assert ordered == sorted(ordered, reverse=down)
