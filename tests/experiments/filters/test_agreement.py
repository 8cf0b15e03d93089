"""The SQL of a filter finds exactly the runs that plain Python finds, on random runs, on the database of the tests."""

from __future__ import annotations

import math
import random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import insert, select

from experiments import database, listing
from experiments.database import INFINITY, reading
from experiments.filters import sql
from experiments.filters.syntax import Absent, All, Among, Comparison, Name, Node, Not
from experiments.filters.syntax import Any as Either
from experiments.runs import scoped
from tests.experiments.filters.plain import passes

pytestmark = pytest.mark.django_db(transaction=True)

WORKSPACE = "r990001"
METRICS, TEXTS = ["a", "b c"], ["p", "q/r"]
NUMBERS = [0.0, -1.5, 1.0, 2.5, 1e308, math.inf, -math.inf, math.nan]
WORDS = ["", "adam", "Adam", "0.1", "1e-3", "-1.5", "1", "abc", "a%c", "a_c", "a*c", "x\ny", "1e999", "é", "+2.5", "."]
STARTS = [None, 0, 1_000, 2_000, 1_700_000_000_000]


def random_run(chance: random.Random, number: int) -> dict[str, Any]:
    start = chance.choice(STARTS)
    return {
        "id": f"{number:032x}",
        "name": chance.choice([None, *WORDS]),
        "status": chance.choice(["FINISHED", "FAILED", "RUNNING", None]),
        "user": chance.choice([None, "alice", "bob"]),
        "experiment": "Default",
        "start": start,
        "end": None if start is None or chance.random() < 0.3 else start + chance.choice([0, 500, 1000, 90_000]),
        "metrics": {key: chance.choice(NUMBERS) for key in METRICS if chance.random() < 0.7},
        "params": {key: chance.choice(WORDS) for key in TEXTS if chance.random() < 0.7},
        "tags": {key: chance.choice(WORDS) for key in TEXTS if chance.random() < 0.7},
    }


@pytest.fixture
def some(tables: None) -> list[dict[str, Any]]:
    chance = random.Random(7)
    runs = [random_run(chance, number) for number in range(60)]
    store(WORKSPACE, 990001, runs)
    return runs


def store(workspace: str, experiment: int, runs: list[dict[str, Any]]) -> None:
    """Runs written as MLflow writes them."""
    alive = {"lifecycle_stage": "active"}
    with database.engine().begin() as link:
        link.execute(
            insert(database.experiments),
            {"experiment_id": experiment, "name": "Default", "workspace": workspace, **alive},
        )
        rows = [
            {"run_uuid": run["id"], "name": run["name"], "status": run["status"], "user_id": run["user"],
             "start_time": run["start"], "end_time": run["end"], "experiment_id": experiment, **alive}
            for run in runs
        ]  # fmt: skip
        link.execute(insert(database.runs), rows)
        for name, table in (("params", database.params), ("tags", database.tags)):
            texts = [{"run_uuid": run["id"], "key": k, "value": v} for run in runs for k, v in run[name].items()]
            if texts:
                link.execute(insert(table), texts)
        values = [metric(run["id"], k, v) for run in runs for k, v in run["metrics"].items()]
        if values:
            link.execute(insert(database.latest_metrics), values)


def metric(run_id: str, key: str, value: float) -> dict[str, Any]:
    nan = math.isnan(value)
    stored = 0.0 if nan else max(-INFINITY, min(INFINITY, value))
    return {"run_uuid": run_id, "key": key, "value": stored, "is_nan": nan, "step": 0, "timestamp": 1}


ORDERS = ["=", "!=", "<", "<=", ">", ">="]
METRIC = st.builds(Name, st.just("metrics"), st.sampled_from([*METRICS, "none"]))
TEXT = st.builds(Name, st.sampled_from(["params", "tags"]), st.sampled_from([*TEXTS, "none"]))
PLAIN = st.builds(Name, st.just("attributes"), st.sampled_from(["name", "user", "status", "experiment", "id"]))
WHEN = st.builds(Name, st.just("attributes"), st.sampled_from(["start", "end", "duration"]))
ORDERABLE = [value for value in NUMBERS if not math.isnan(value)]
WORD = st.sampled_from([*WORDS, "alice", "FINISHED", "FAILED"])
PATTERN = st.sampled_from(["%", "a%", "%c", "a_c", "_", "A%", "%*%", "%[a]%", "", "é", "%\\"])
EXPRESSION = st.sampled_from(["a", "^a", "c$", "^$", "[0-9]+", r"^\d", "a.c|A", "x.y", "(ad)+am", r"^[^a]", r"\.", ""])
LEAVES = st.one_of(
    st.builds(Comparison, METRIC, st.sampled_from(ORDERS), st.sampled_from(ORDERABLE)),
    st.builds(Comparison, METRIC, st.sampled_from(["=", "!="]), st.just(math.nan)),
    st.builds(Comparison, TEXT, st.sampled_from(ORDERS), st.sampled_from([0.1, 1.0, -1.5, 0.001, 2.5])),
    st.builds(Comparison, TEXT | PLAIN, st.sampled_from(ORDERS), WORD),
    st.builds(Comparison, TEXT | PLAIN, st.sampled_from(["like", "not like", "ilike", "not ilike"]), PATTERN),
    st.builds(Comparison, TEXT | PLAIN, st.sampled_from(["~", "!~"]), EXPRESSION),
    st.builds(Comparison, WHEN, st.sampled_from(ORDERS), st.sampled_from([0.0, 0.5, 1.0, 1000.0, 1500.0, 1e12])),
    st.builds(
        Among, TEXT, st.lists(WORD | st.sampled_from([0.1, 1.0]), min_size=1, max_size=3).map(tuple), st.booleans()
    ),
    st.builds(Among, METRIC, st.lists(st.sampled_from(NUMBERS), min_size=1, max_size=3).map(tuple), st.booleans()),
    st.builds(Absent, METRIC | TEXT | PLAIN | WHEN),
)


def _joined(nodes: st.SearchStrategy[Node]) -> st.SearchStrategy[Node]:
    several = st.lists(nodes, min_size=2, max_size=3).map(tuple)
    return st.builds(Not, nodes) | st.builds(All, several) | st.builds(Either, several)


TREES = st.recursive(LEAVES, _joined, max_leaves=5)


@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(tree=TREES)
def test_sql_finds_what_plain_python_finds(some, tree):
    expected = sorted(run["id"] for run in some if passes(run, tree))
    with reading() as reader:
        for listed in (False, True):
            condition = sql.condition(tree, postgresql=reader.postgresql, listed=listed)
            found = reader.rows(scoped(select(database.runs.c.run_uuid), WORKSPACE).where(condition))
            assert sorted(row[0] for row in found) == expected


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    sort=st.sampled_from(["metrics.a", "metrics.none", "params.p", "tags.q/r", "name", "user", "status", "started",
                          "ended", "duration", "experiment", "commit", "nonsense"]),
    descending=st.booleans(),
    size=st.integers(1, 25),
)  # fmt: skip
def test_pages_forwards_and_back_hold_each_run_once(some, sort, descending, size):
    query = listing.Query(workspace=WORKSPACE, sort=sort, descending=descending, columns=(), size=size)
    whole = [run.run_id for run in listing.exported(query)]
    assert sorted(whole) == sorted(run["id"] for run in some)
    seen, page = [], listing.page(query)
    while True:
        seen.append([run.run_id for run in page.rows])
        assert page.total == len(some)
        if not page.next:
            break
        page = listing.page(listing.Query(**{**vars(query), "after": page.next}))
    assert [run_id for rows in seen for run_id in rows] == whole
    for earlier in reversed(seen[:-1]):
        page = listing.page(listing.Query(**{**vars(query), "before": page.previous}))
        assert [run.run_id for run in page.rows] == earlier
    assert page.previous == "" or len(seen) == 1
