"""Runs side by side: what differs, how far from the baseline, and their curves."""

from __future__ import annotations

import json

import pytest

from experiments import comparison, history
from experiments.charts import bands, picking
from experiments.charts.picking import Asked
from experiments.comparison import Question
from hub.accounts.actor import Actor
from hub.lib.errors import Invalid, NotFound
from repos.models import Repository
from tests.experiments.conftest import metric

pytestmark = pytest.mark.django_db(transaction=True)
BASE = "/alice/private/experiments/compare"


@pytest.fixture
def pair(client):
    """Two runs: same opt, other lr; acc 0.5 and 0.75; loss of ten steps; a tag on the second only."""
    ids = []
    for number, (lr, acc) in enumerate((("0.1", 0.5), ("0.2", 0.75))):
        run_id = client.run(run_name=f"<b>run {number}</b>", start_time=1000 + number)["run_id"]
        client.batch(
            run_id,
            params=[{"key": "lr", "value": lr}, {"key": "opt", "value": "<i>adam</i>"}],
            metrics=[metric("acc", acc), *(metric("loss", 1 / (step + 1), step) for step in range(10))],
            tags=[{"key": "team", "value": "x"}] if number else [],
        )
        ids.append(run_id)
    return ids


def asked(private, ids, **more):
    picked = picking.picked(Actor(user=private.owner.user), private, Asked(tuple(ids)))
    return comparison.compare(Question(picked=picked, **more))


def address(ids, *more):
    return f"{BASE}?{'&'.join([*(f'run={one}' for one in ids), *more])}"


def test_it_shows_what_differs(private, pair):
    whole = asked(private, pair)
    assert whole.names == {"metrics": ["acc", "loss"], "params": ["lr", "opt"], "tags": ["team"]}
    assert [run.run_id for run in whole.runs] == pair
    assert whole.drawable == ["loss"]
    only = asked(private, pair, differences=True)
    assert only.names == {"metrics": ["acc"], "params": ["lr"], "tags": ["team"]}
    assert asked(private, pair, name="L").names == {"metrics": ["loss"], "params": ["lr"], "tags": []}


def test_nan_differs_from_a_number(client, private):
    ids = [client.run()["run_id"] for _ in range(2)]
    for run_id, value in zip(ids, (0.0, "NaN"), strict=True):
        client.batch(run_id, metrics=[metric("a", value), metric("b", "NaN"), metric("c", "Infinity")])
    assert asked(private, ids, differences=True).names["metrics"] == ["a"]


def test_a_metric_named_like_an_aggregate_is_shown_by_its_last_value(client, private, pages):
    ids = [client.run()["run_id"] for _ in range(2)]
    for run_id, value in zip(ids, (0.25, 0.75), strict=True):
        client.batch(run_id, metrics=[metric("acc:max", value)])
    assert [run.metrics for run in asked(private, ids).runs] == [{"acc:max": 0.25}, {"acc:max": 0.75}]
    page = pages.get(address(ids, f"baseline={ids[0]}")).content.decode()
    assert '0.75 <span class="delta delta-good">+0.5</span>' in page


def test_the_page_shows_signed_deltas_from_the_baseline(pages, pair):
    page = pages.get(address(pair, f"baseline={pair[0]}")).content.decode()
    assert '<td class="number">0.75 <span class="delta delta-good">+0.25</span></td>' in page
    assert "Baseline ✓" in page
    assert '<th scope="row">Experiment</th><td class="number">Default</td>' in page
    other = pages.get(address(pair, f"baseline={pair[1]}")).content.decode()
    assert '<span class="delta delta-bad">−0.25</span>' in other
    assert '<span class="delta">±0</span>' in other
    assert not any(tag in page for tag in ("<b>run", "<i>adam"))
    assert "data-chart" in page


def test_the_json_has_what_the_page_shows(pages, pair):
    answer = json.loads(pages.get(address(pair, "format=json", f"baseline={pair[0]}")).content)
    assert [run["metrics"]["acc"] for run in answer["runs"]] == [0.5, 0.75]
    assert answer["baseline"] == pair[0]
    assert answer["names"]["params"] == ["lr", "opt"]


def test_runs_of_a_repository_one_may_not_read_are_as_if_absent(client_of, charlie, private, pages, pair):
    secret = Repository.objects.create(owner=charlie.owner, name="secret", private=True)
    theirs = client_of(secret, charlie).run(run_name="theirs")["run_id"]
    page = pages.get(address([*pair, theirs])).content.decode()
    assert "theirs" not in page
    assert "1 of the runs is not here" in page
    curves = json.loads(pages.get(f"{BASE}/curves.json?key=loss&run={theirs}&run={pair[0]}").content)
    assert [curve["run_id"] for curve in curves["curves"]] == [pair[0]]
    with pytest.raises(NotFound):
        asked(private, [theirs, "f" * 32])
    assert pages.get(address([theirs, "0" * 32])).status_code == 404


@pytest.mark.parametrize("count", [0, 1, 501])
def test_it_compares_2_to_500_runs(pages, private, count):
    with pytest.raises(Invalid):
        asked(private, [f"{number:032x}" for number in range(count)])


@pytest.mark.parametrize(("count", "said"), [(0, "2 to 500 runs"), (1, "2 to 500 runs"), (101, "2 to 100 runs")])
def test_an_address_names_2_to_100_runs(pages, private, count, said):
    answer = pages.get(address([f"{number:032x}" for number in range(count)]))
    assert answer.status_code == 400
    assert said in answer.content.decode()


def test_it_reads_with_few_statements(client, private, pages, pair, statements):
    more = [client.run()["run_id"] for _ in range(10)]
    pages.get(address(pair))
    with statements() as told:
        assert pages.get(address([*pair, *more])).status_code == 200
    assert len(told) <= 6, told
    with statements() as told:
        assert (
            pages.get(f"{BASE}/curves.json?key=loss&" + "&".join(f"run={one}" for one in [*pair, *more])).status_code
            == 200
        )
    assert len(told) <= 3, told


def test_one_run_that_is_left_is_one_run(pages, pair):
    page = pages.get(address(pair, f"q=id+%3D+'{pair[1]}'")).content.decode()
    assert "<title>Compare 1 run ·" in page


def test_curves_of_several_runs_are_reduced_and_looked_into(client, private):
    ids = [client.run()["run_id"] for _ in range(3)]
    for number, run_id in enumerate(ids[:2]):
        for start in range(0, 3000, 1000):
            points = [metric("loss", float(number), step) for step in range(start, start + 1000)]
            client.batch(run_id, metrics=points)
    found = history.curves([ids[1], ids[2], ids[0]], "loss")
    assert [curve.run_id for curve in found] == [ids[1], ids[0]]
    assert all(curve.points == 3000 and len(curve.x) <= 1000 and curve.axis == "step" for curve in found)
    assert {y for curve in found for y in curve.y} == {0.0, 1.0}
    closer = history.curves(ids, "loss", between=(100.0, 199.0))
    assert [curve.x for curve in closer] == [list(range(100, 200))] * 2


@pytest.mark.parametrize(
    ("axis", "x"), [("step", [0, 1, 2]), ("time", [0, 0.001, 0.002]), ("wall", [1000, 1001, 1002]), ("", [0, 1, 2])]
)
def test_curves_are_drawn_over_steps_and_times(client, pages, axis, x):
    run_id = client.run()["run_id"]
    client.batch(run_id, metrics=[metric("a", step, step) for step in range(3)])
    answer = json.loads(pages.get(f"{BASE}/curves.json?key=a&run={run_id}&axis={axis}").content)
    assert answer["axis"] == (axis or "step")
    assert answer["curves"][0]["x"] == x


def test_steps_and_times_as_far_apart_as_they_can_be(client):
    """Each point is in one bucket, alone and in a band with other runs."""
    far, near = (client.run()["run_id"] for _ in range(2))
    steps = [-(2**63), -(2**62), -1, 0, 1, 2**62, 2**63 - 1]
    client.batch(far, metrics=[metric("a", n, step) | {"timestamp": n * 2**60} for n, step in enumerate(steps)])
    client.batch(near, metrics=[metric("a", step, step) for step in range(20)])
    (curve,) = history.curves([far], "a", axis="step")
    assert (curve.points, len(curve.x), curve.x[0], curve.x[-1]) == (7, 5, -(2**63), 2**63 - 1)
    assert list(zip(curve.low, curve.high, strict=True)) == [(0, 0), (1, 1), (2, 4), (5, 5), (6, 6)]
    for axis in ("step", "time", "wall"):
        assert [len(one.x) for one in history.curves([far, near], "a", axis=axis)][1] == 20
        (band,) = bands.bands({"all": [far, near]}, "a", axis=axis)
        assert band.points == 27
        assert sorted(band.runs, reverse=True)[:2] == [2, 1]


@pytest.mark.parametrize(
    ("query", "status"),
    [("axis=depth", 400), ("from=x&to=1", 400), ("from=nan&to=1", 400), ("from=1e400&to=2", 400),
     ("run=%00&key=%00", 200), ("run=../x&run='", 200), ("from=5&to=1", 200), ("key=" + "k" * 9000, 200)],
)  # fmt: skip
def test_strange_questions_about_curves_are_answered(pages, pair, query, status):
    assert pages.get(f"{BASE}/curves.json?key=loss&run={pair[0]}&{query}").status_code == status


@pytest.mark.parametrize("rest", ["", "/curves.json"])
def test_four_questions(pages, pair, charlie, bob, rest):
    path = address(pair, "key=loss").replace("/compare", f"/compare{rest}")
    assert pages.get(path).status_code == 200
    assert pages.post(path).status_code == 405
    pages.force_login(charlie)
    assert pages.get(path).status_code == 404
    pages.logout()
    assert pages.get(path).status_code == 404
    pages.force_login(bob)
    assert pages.get(path).status_code == 200
