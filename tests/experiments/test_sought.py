"""Buckets as SQLite finds them, whatever the tests run on: the values that Python finds, and nothing sorted."""

from __future__ import annotations

import random
from collections.abc import Iterator
from itertools import groupby
from statistics import fmean

import pytest
from sqlalchemy import Connection, create_engine, event

from experiments import history
from experiments.database import _prepare_sqlite
from experiments.history import Span

TABLE = (
    "CREATE TABLE metrics (key TEXT, value FLOAT, timestamp BIGINT, step BIGINT, run_uuid TEXT, is_nan BOOLEAN, "
    "PRIMARY KEY (key, timestamp, step, run_uuid, value, is_nan))"
)
INDEX = "CREATE INDEX index_metrics_run_uuid_key_step ON metrics (run_uuid, key, step)"  # MLflow's


@pytest.fixture
def link() -> Iterator[Connection]:
    engine = create_engine("sqlite://")
    event.listen(engine, "connect", _prepare_sqlite)
    with engine.connect() as made:
        made.exec_driver_sql(TABLE)
        made.exec_driver_sql(INDEX)
        yield made
    engine.dispose()


def test_buckets_hold_what_they_should(link):
    drawn = random.Random(7)
    runs = {"a": (-50, 2_000), "b": (0, 7), "c": (2**40, 2**40 + 9_999)}
    points = {run: [(drawn.randint(*ends), drawn.uniform(-1, 1)) for _ in range(500)] for run, ends in runs.items()}
    rows = [("loss", value, n, step, run, 0) for run, some in points.items() for n, (step, value) in enumerate(some)]
    rows += [("loss", 0.0, 9000, 5, "b", 1), ("loss", 1.7e308, 9001, 5, "b", 0), ("other", 9.0, 1, 5, "b", 0)]
    link.exec_driver_sql("INSERT INTO metrics VALUES (?, ?, ?, ?, ?, ?)", rows)
    spans = {run: Span(None, min(some)[0], max(some)[0], 0) for run, some in points.items()}
    widths = {run: (span.last - span.first) // 100 + 1 for run, span in spans.items()}
    found = sorted(tuple(row) for row in link.execute(history._sought(spans, "loss", widths)))
    expected = []
    for run, some in points.items():
        for _, here in groupby(sorted(some), lambda p, run=run: (p[0] - spans[run].first) // widths[run]):
            steps, values = zip(*here, strict=True)
            expected.append((run, min(steps), pytest.approx(fmean(values)), min(values), max(values), len(values)))
    assert found == sorted(expected, key=lambda row: row[:2])


def test_a_part_ends_where_it_should(link):
    rows = [("loss", float(step), step, step, "a", 0) for step in range(100)]
    link.exec_driver_sql("INSERT INTO metrics VALUES (?, ?, ?, ?, ?, ?)", rows)
    found = link.execute(history._sought({"a": Span(None, 10, 24, 0)}, "loss", {"a": 10})).all()
    assert [tuple(row[1:]) for row in found] == [(10, 14.5, 10.0, 19.0, 10), (20, 22.0, 20.0, 24.0, 5)]


def test_a_million_points_are_not_sorted(link):
    found = history._sought({"a": Span(None, 0, 10**6, 0)}, "loss", {"a": 1000})
    sql = str(found.compile(link, compile_kwargs={"literal_binds": True}))
    plan = " ".join(row[3] for row in link.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}"))
    assert "USING INDEX index_metrics_run_uuid_key_step (run_uuid=? AND key=? AND step>? AND step<?)" in plan
    assert "TEMP B-TREE" not in plan
