"""Values of a page's runs and their curves: the same whichever way the database finds them, to the last digit."""

from __future__ import annotations

import math
from typing import Any

import pytest

from experiments import history, listing, logged_values
from experiments.database import reading
from experiments.filters.parser import parse
from experiments.listing import Query
from experiments.mlflow.context import workspace_of
from experiments.runs import COMMIT_TAG
from tests.experiments.conftest import metric

pytestmark = pytest.mark.django_db(transaction=True)
FINITE = [0.1 + 0.2, 1 / 3, 1e-300, -1.5, 3.0, 2.0**53 + 2, 1e22, 5e-324, 123456789.123456789]
SENT = [*FINITE, "NaN", "Infinity", "-Infinity"]
NUMBERS = [*FINITE, math.nan, math.inf, -math.inf]
TEXTS = ["", "'\"\\", "é𝄞\u2028", "x" * 5000, "NaN", "{}"]
WANTED = {
    "metrics": [*(f"m{n}" for n in range(len(NUMBERS))), "absent"],
    "params": [f"p{n}" for n in range(len(TEXTS))],
    "tags": [COMMIT_TAG],
}


@pytest.fixture
def runs(client: Any) -> list[str]:
    ids = [client.run(run_name=name, tags=[{"key": COMMIT_TAG, "value": "a" * 40}])["run_id"] for name in ("a", "b")]
    client.batch(ids[0], metrics=[metric(f"m{n}", value) for n, value in enumerate(SENT)])
    client.batch(ids[0], params=[{"key": f"p{n}", "value": text} for n, text in enumerate(TEXTS)])
    return ids


@pytest.mark.parametrize("few", [0, 1000])
def test_values_arrive_as_they_were_logged(runs: list[str], monkeypatch: Any, few: int) -> None:
    monkeypatch.setattr(logged_values, "FEW", few)
    with reading() as reader:
        found = logged_values.read(reader, runs, WANTED)
    metrics, params, tags = found[runs[0]]
    assert list(map(repr, (metrics[f"m{n}"] for n in range(len(NUMBERS))))) == list(map(repr, NUMBERS))
    assert "absent" not in metrics
    assert params == {f"p{n}": text for n, text in enumerate(TEXTS)}
    assert tags == {COMMIT_TAG: "a" * 40}
    assert found[runs[1]] == ({}, {}, {COMMIT_TAG: "a" * 40})


def test_a_filtered_page_is_four_statements(runs: list[str], private: Any, statements: Any) -> None:
    query = Query(workspace_of(private.pk), filter=parse("metrics.m4 > 2"), sort="metrics.m0", columns=("metrics.m1",))
    listing.page(query)  # the first asks whether the tables exist
    with statements() as told:
        page = listing.page(query)
    assert ([run.name for run in page.rows], page.total) == (["a"], 1)
    assert len(told) <= 4, told  # experiments, how many runs there are, runs, values


@pytest.mark.parametrize("lengths", [(40, 40), (40, 7)])
def test_curves_begin_and_end_with_what_can_be_drawn(client: Any, runs: list[str], lengths: tuple[int, int]) -> None:
    for run_id, length in zip(runs, lengths, strict=True):
        ends = [metric("loss", "NaN", -1), metric("loss", "Infinity", length)]
        client.batch(run_id, metrics=[*ends, *(metric("loss", step / 8, step) for step in range(length))])
    for curve, length in zip(history.curves(runs, "loss"), lengths, strict=True):
        assert (curve.x, curve.axis, curve.points) == (list(range(length)), "step", length)
        assert curve.y == [step / 8 for step in range(length)]
