"""A page of many runs is found among the first of their order, and is the same page as when all runs are asked."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings
from sqlalchemy import event, text

from bench.runs_data import fill
from experiments import database, finding, listing
from experiments.filters.parser import parse
from experiments.listing import Page, Query
from experiments.mlflow.context import workspace_of
from repos.models import Repository

pytestmark = pytest.mark.django_db(transaction=True)
RUNS, SIZE, PROBED = 40, 9, 15
FILTERS = ["", "status != failed and tags.team != 'team1'", "metrics.m0 < 200"]
SORTS = ["started", "name", "params.p1", "metrics.m0", "metrics.alike", "metrics.some", "metrics.none"]


@pytest.fixture
def workspace(tables: None, private: Repository) -> str:
    """alike: three values among all runs; some: every third run, of which every second is NaN."""
    name = workspace_of(private.pk)
    fill(settings.MLFLOW_DATABASE_URL, name, RUNS)
    insert = "INSERT INTO latest_metrics (key, value, timestamp, step, is_nan, run_uuid) SELECT "
    minute = "start_time / 60000"
    with database.engine().begin() as link:
        link.execute(text(f"{insert} 'alike', mod({minute}, 3), 1, 0, 1 = 0, run_uuid FROM runs"))
        some = f"{insert} 'some', {minute}, 1, 0, mod({minute}, 2) = 0, run_uuid FROM runs WHERE mod({minute}, 3) = 0"
        link.execute(text(some))
    return name


def walk(query: Query) -> list[tuple[list[str], int]]:
    """Every page to the end and back to the first: (names, total)."""
    pages: list[Page] = [listing.page(query)]
    while pages[-1].next:
        pages.append(listing.page(Query(**{**vars(query), "after": pages[-1].next})))
    while pages[-1].previous:
        pages.append(listing.page(Query(**{**vars(query), "before": pages[-1].previous})))
    return [([run.name for run in page.rows], page.total) for page in pages]


@pytest.mark.parametrize("descending", [True, False])
def test_pages_are_the_same_as_when_all_runs_are_asked(workspace: str, monkeypatch: Any, descending: bool) -> None:
    asked = [
        Query(workspace, filter=parse(filter_), sort=sort, descending=descending, columns=(), size=SIZE)
        for filter_ in FILTERS
        for sort in SORTS
    ]
    monkeypatch.setattr(finding, "PROBED", RUNS)
    with monkeypatch.context() as patched:
        patched.setattr(finding, "FEW", 0)
        expected = [walk(query) for query in asked]
    assert [walk(query) for query in asked] == expected
    monkeypatch.setattr(finding, "PROBED", PROBED)
    assert [walk(query) for query in asked] == expected
    assert max(len(pages) for pages in expected) > RUNS / SIZE


@pytest.fixture
def plans(workspace: str, monkeypatch: Any) -> Iterator[list[str]]:
    """How the database reads for each question about runs and values. PostgreSQL would scan tables this small."""
    told: list[str] = []
    monkeypatch.setattr(finding, "PROBED", PROBED)

    def note(link: Any, cursor: Any, statement: str, given: Any, *_: Any) -> None:
        other = link.connection.cursor()
        if link.dialect.name == "sqlite":
            other.execute(f"EXPLAIN QUERY PLAN {statement}", given)
        else:
            other.execute("SET enable_seqscan = off")
            other.execute(f"EXPLAIN {statement}", given)
        told.append("\n".join(str(row[-1]) for row in other.fetchall()))
        if link.dialect.name != "sqlite":
            other.execute("RESET enable_seqscan")
        other.close()

    event.listen(database.reading_engine(), "before_cursor_execute", note)
    yield told
    event.remove(database.reading_engine(), "before_cursor_execute", note)


def test_our_indexes_are_used(workspace: str, plans: list[str]) -> None:
    listing.page(Query(workspace, filter=parse("status != failed"), sort="metrics.m0", columns=(), size=SIZE))
    _, alive, first, counted = plans[:4]
    assert "covey_runs" in alive
    assert first.count("covey_latest_metrics") == 2, "the values, and where they end"
    assert "covey_runs" in counted


def test_few_of_many_are_found_by_the_value(workspace: str, plans: list[str]) -> None:
    listing.page(Query(workspace, filter=parse("metrics.m2 > 9999"), columns=(), size=SIZE))
    assert "covey_latest_metrics" in plans[3]


def test_more_than_are_counted_are_told_as_more(workspace: str, monkeypatch: Any) -> None:
    query = Query(workspace, filter=parse("status != failed"), columns=(), size=SIZE)
    exact = listing.page(query)
    assert (exact.total, exact.more) == (36, False)
    monkeypatch.setattr(finding, "COUNTED", 20)
    cut = listing.page(query)
    assert (cut.total, cut.more) == (20, True)
