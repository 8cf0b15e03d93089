"""Columns of the table: aggregates of a history, order, width and pins in the address, remembered for a person."""

from __future__ import annotations

import json
import re

import pytest

from experiments.directions import direction, guessed
from experiments.table.columns import parse, shown, written
from tests.experiments.conftest import metric

BASE = "/alice/private/experiments"
db = pytest.mark.django_db(transaction=True)


@pytest.fixture
def curves(client):
    """Runs down and up: loss 3, 1, 2 and acc 0.1, 0.4, 0.3; up is twice of it. A third has only NaN, a fourth ∞."""
    ids = {}
    for name, times in {"down": 1, "up": 2}.items():
        ids[name] = client.run(run_name=name)["run_id"]
        points = enumerate(((3.0, 0.1), (1.0, 0.4), (2.0, 0.3)))
        client.batch(
            ids[name],
            metrics=[metric(key, times * v, step) for step, pair in points for key, v in zip(("loss", "acc"), pair)],
        )
    ids["nan"] = client.run(run_name="nan")["run_id"]
    client.batch(ids["nan"], metrics=[metric("loss", "NaN"), metric("acc", "Infinity"), metric("acc", 0.5, 1)])
    return ids


def heads(page):
    return re.findall(r'<th scope="col"[^>]* data-column="([^"]+)"', page)


def cells(page, run_id):
    row = next(row for row in page.split("<tr>") if f"/runs/{run_id}" in row)
    return [re.sub("<[^>]+>", "", cell) for cell in re.findall(r"<td[^>]*>(.*?)</td>", row)[1:]]


@pytest.mark.parametrize(
    ("name", "kind", "key", "aggregate"),
    [
        ("status", "attributes", "status", ""),
        ("metrics.loss", "metrics", "loss", ""),
        ("metrics.loss:min", "metrics", "loss", "min"),
        ("metrics.a:max:last", "metrics", "a:max", ""),
        ("metrics.a:b", "metrics", "a:b", ""),
        ("metrics.:max", "metrics", ":max", ""),
        ("params.lr:max", "params", "lr:max", ""),
    ],
)
def test_a_name_is_a_column(name, kind, key, aggregate):
    found = parse(name)
    assert (found.kind, found.key, found.aggregate) == (kind, key, aggregate)


@pytest.mark.parametrize("name", ["", "x", "metrics.", "metrics", "params.\0", "datasets.name", ".a"])
def test_other_names_are_none(name):
    assert parse(name) is None


@pytest.mark.parametrize("key", ["loss", "a:max", "a:last", "a:b", "x:min:last"])
def test_a_metric_is_found_by_the_name_that_is_written_for_it(key):
    found = parse(written("metrics", key))
    assert (found.key, found.aggregate) == (key, "")


def test_only_named_attributes_are_shown_once_one_is_named():
    first, last = ["status", "started", "duration"], ["commit", "user", "experiment"]
    assert [c.name for c in shown(("metrics.a",), ())] == [*first, "metrics.a", *last]
    assert [c.name for c in shown(None, ("metrics.b", "params.c"))] == [*first, "metrics.b", "params.c", *last]
    described = [c.name for c in shown(None, ("metrics.b",), sources=True, data=True)]
    assert described == [*first, "metrics.b", "commit", "data", "user", "experiment", "source"]
    assert [c.name for c in shown(("metrics.a", "user"), ())] == ["metrics.a", "user"]
    assert [c.name for c in shown(("name",), ())] == []


@pytest.mark.parametrize(
    ("metric_name", "way"),
    [("val_loss", "min"), ("RMSE", "min"), ("valAcc", "max"), ("f1", "max"), ("eval/F1_score", "max"), ("x", ""),
     ("accuracy_loss", "min"), ("", ""), ("R2", "max"), ("lossless", "")],
)  # fmt: skip
def test_a_direction_is_guessed_from_a_name_unless_declared(metric_name, way):
    assert guessed(metric_name) == way
    assert direction(metric_name, {metric_name: "max"}) == "max"


@db
def test_aggregates_of_a_history(curves, pages):
    names = "metrics.loss:min,metrics.loss:max,metrics.loss:best,metrics.loss:best_step,metrics.acc:best,metrics.loss"
    page = pages.get(f"{BASE}?columns=name,{names}").content.decode()
    assert heads(page) == names.split(",")
    assert cells(page, curves["down"]) == ["1", "3", "1", "1", "0.4", "2"]
    assert cells(page, curves["up"]) == ["2", "6", "2", "1", "0.8", "4"]
    assert cells(page, curves["nan"]) == ["", "", "", "", "∞", "NaN"]


@db
@pytest.mark.parametrize(
    ("sort", "order"),
    [
        ("metrics.loss:min", ["down", "up", "nan"]),
        ("-metrics.loss:max", ["up", "down", "nan"]),
        ("-metrics.acc:best", ["nan", "up", "down"]),
        ("metrics.loss:best_step", ["up", "down", "nan"]),
    ],
)
def test_it_sorts_by_aggregates_page_by_page(curves, pages, sort, order):
    found, after = [], ""
    for _ in order:
        told = json.loads(
            pages.get(f"/api/v1/repos/alice/private/experiments/runs?limit=1&sort={sort}&after={after}").content
        )
        found += [run["name"] for run in told["runs"]]
        after = told["next"] or ""
    assert sorted(found) == sorted(order)
    assert found == order or sort == "metrics.loss:best_step"


@db
def test_the_api_has_aggregates(curves, pages):
    told = json.loads(
        pages.get("/api/v1/repos/alice/private/experiments/runs?columns=metrics.acc:max&sort=name").content
    )
    assert [run.get("aggregates") for run in told["runs"]] == [
        {"metrics.acc:max": 0.4}, {"metrics.acc:max": "Infinity"}, {"metrics.acc:max": 0.8}
    ]  # fmt: skip


@db
def test_aggregates_cost_one_statement(curves, pages, statements):
    pages.get(BASE)
    with statements() as told:
        pages.get(f"{BASE}?columns=metrics.loss:min,metrics.acc:max,metrics.acc:best_step")
    assert len(told) <= 5, told  # experiments, nested?, runs, values, aggregates


@db
def test_a_choice_is_an_address_and_is_remembered(curves, pages, bob):
    form = {
        "columns": ["metrics.acc", "status", "metrics.loss:min"],
        "fixed": ["metrics.acc", "params.none"],
        "width.status": "200",
        "width.metrics.acc": "",
    }
    answer = pages.post(f"{BASE}/columns?q=status+%21%3D+failed&columns=params.x", form)
    assert answer.status_code == 302
    assert "params.x" not in answer["Location"]
    page = pages.get(answer["Location"]).content.decode()
    assert heads(page) == ["metrics.acc", "status", "metrics.loss:min"]
    assert re.search(r'class="number fixed fixed-1"[^>]*data-column="metrics.acc"', page)
    assert re.search(r'data-column="status"[^>]* width="200"', page)
    assert heads(pages.get(f"{BASE}?sort=name").content.decode()) == heads(page)
    assert heads(pages.get(f"{BASE}?columns=name,user").content.decode()) == ["user"]
    pages.force_login(bob)
    assert "metrics.loss:min" not in heads(pages.get(BASE).content.decode())


@db
def test_a_choice_is_forgotten(curves, pages):
    pages.post(f"{BASE}/columns", {"columns": ["user"]})
    assert heads(pages.get(BASE).content.decode()) == ["user"]
    assert pages.post(f"{BASE}/columns/forget?sort=name&columns=user")["Location"] == f"{BASE}?sort=name"
    assert "status" in heads(pages.get(BASE).content.decode())


@db
@pytest.mark.parametrize(
    "query", ["width=x:status", "width=99999999:status", "width=180", "fixed=x", "fixed=" + "a" * 9000]
)
def test_a_strange_look_is_an_answer_all_the_same(curves, pages, query):
    assert pages.get(f"{BASE}?columns=name,status&{query}").status_code == 200


@db
@pytest.mark.parametrize("verb", ["columns", "columns/forget"])
def test_four_questions(curves, pages, charlie, bob, verb):
    assert pages.get(f"{BASE}/{verb}").status_code == 405
    assert pages.post(f"{BASE}/{verb}?%00&&=%%", {"columns": "a" * 10_000}).status_code == 302
    pages.force_login(bob)
    assert pages.post(f"{BASE}/{verb}").status_code == 302
    pages.force_login(charlie)
    assert pages.post(f"{BASE}/{verb}").status_code == 404
    pages.logout()
    assert pages.post(f"{BASE}/{verb}").status_code == 404
