"""What a change did to the metrics: runs of its commits against those of what it started from."""

from __future__ import annotations

import html
import re
from dataclasses import replace

import pytest

from experiments.indexing import refresh
from experiments.review import review
from experiments.tracked.marks import run_id_of
from experiments.views.review import _pair, _verdict
from tests.experiments.conftest import metric

pytestmark = pytest.mark.django_db(transaction=True)
BASE = "/alice/private/experiments/diff"


@pytest.fixture
def change(client, private, writer):
    """Commits old, base and head; two runs at old, none at base, two at head. Named by their accuracy."""
    made = writer(private)
    shas = [made.commit({"a.txt": f"{number}\n"}) or made.tips["main"] for number in range(3)]
    made.git("branch", "before", shas[1])
    logged = [(shas[0], 0.5, 2.0), (shas[0], 0.7, 1.0), (shas[2], 0.8, 1.5), (shas[2], 0.6, "NaN")]
    for sha, accuracy, loss in logged:
        tag = {"key": "mlflow.source.git.commit", "value": sha}
        run_id = client.run(run_name=f"run-{accuracy}", tags=[tag])["run_id"]
        client.batch(run_id, metrics=[metric("acc", accuracy), metric("loss", loss), metric("n", accuracy)])
    refresh(private.pk)
    return shas


def test_the_best_of_both_sides_are_compared(change, private):
    found = review(private, change[1], change[2], {})
    rows = {row.metric: (row.base.metrics[row.metric], row.head.metrics[row.metric]) for row in found.rows}
    assert rows["acc"] == (0.7, 0.8)
    assert rows["loss"] == (1.0, 1.5)
    assert {run.name for run in found.base} == {"run-0.5", "run-0.7"}
    assert {run.name for run in found.head} == {"run-0.8", "run-0.6"}


def test_a_declared_direction_decides_what_is_best(change, private):
    (row,) = (row for row in review(private, change[1], change[2], {"n": "min"}).rows if row.metric == "n")
    assert (row.base.metrics["n"], row.head.metrics["n"]) == (0.5, 0.6)


@pytest.mark.parametrize(("most", "earlier"), [(1, 1), (2, 2), (3, 2)])
def test_of_very_many_runs_some_of_the_newest_commits_are_looked_at(change, private, monkeypatch, most, earlier):
    monkeypatch.setattr("experiments.review.MOST_BOUND", most)
    found = review(private, change[2], change[2], {})
    assert {run.name for run in found.base} <= {"run-0.8", "run-0.6"}
    assert (len(found.base), found.head) == (earlier, [])
    assert len(review(private, change[1], change[2], {}).head) == earlier


def test_the_page_says_what_is_better(change, pages):
    text = pages.get(f"{BASE}/before...main").content.decode()
    assert '<span class="delta delta-good delta-said">+0.1 better</span>' in text
    assert '<span class="delta delta-bad delta-said">+0.5 worse</span>' in text
    assert re.search(r'<span class="delta">[+−]0.\d</span>', text)  # of n nobody knows
    assert "<strong>1 better and 1 worse</strong>" in text
    assert "Compare these runs" in text


def test_a_change_that_only_makes_it_worse_says_so(change, pages, private):
    text = pages.get(f"{BASE}/main...before").content.decode()
    assert "The best runs" not in text  # it has no runs of its own
    declared = {"acc": "min", "loss": "min"}
    rows = review(private, change[1], change[2], declared).rows
    assert _verdict(replace(review(private, change[1], change[2], {}), rows=rows)) == "2 worse"
    same = [replace(row, head=row.base) for row in rows]
    assert _verdict(replace(review(private, change[1], change[2], {}), rows=same)) == ""


def test_the_best_of_both_sides_lie_beside_each_other(change, pages):
    text = pages.get(f"{BASE}/before...main").content.decode()
    assert "<h2>run-0.7 and run-0.8</h2>" in text
    address = re.search(r'hx-get="([^"]*/experiments/compare[^"]+)"', text)
    assert address
    compared = pages.get(html.unescape(address[1])).content.decode()
    assert 'id="compare-params"' in compared
    assert "run-0.7" in compared
    assert "run-0.6" not in compared


def test_runs_with_curves_lie_beside_each_other_where_both_sides_have_some(change, private):
    found = review(private, change[1], change[2], {})
    acc, loss = (next(row for row in found.rows if row.metric == name) for name in ("acc", "loss"))
    made = {side: replace(getattr(acc, side), run_id=run_id_of(private.pk, side)) for side in ("base", "head")}
    from_git = replace(acc, **made)
    assert _pair(replace(found, rows=[from_git, loss]))["pair"] == (loss.base, loss.head)
    assert _pair(replace(found, rows=[from_git]))["pair"] == (from_git.base, from_git.head)


def test_a_change_without_runs_teaches(change, pages, private, writer):
    text = pages.get(f"{BASE}/{change[0]}...{change[1]}").content.decode()
    assert "No run was logged at its commits yet." in text


@pytest.mark.parametrize("named", ["before", "...main", "before...", "nobody...main"])
def test_what_names_no_two_revisions_is_not_found(change, pages, named):
    assert pages.get(f"{BASE}/{named}").status_code == 404


def test_four_questions(change, pages, as_user, charlie):
    address = f"{BASE}/before...main"
    assert pages.get(address).status_code == 200
    assert pages.post(address).status_code == 405
    assert as_user(charlie).get(address).status_code == 404


def test_statements_do_not_grow_with_the_runs(change, pages, private, statements):
    with statements() as told:
        review(private, change[1], change[2], {})
    assert len(told) <= 5
