"""The charts of a comparison: which runs, their values, statistics over them, bands of groups."""

from __future__ import annotations

import ast
import json
import math
import re
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from experiments import history
from experiments.charts import bands, picking, python, selections, statistics, values
from experiments.charts.picking import Chosen
from experiments.database import reading
from experiments.mlflow.context import workspace_of
from hub.lib.errors import NotFound
from tests.experiments.conftest import metric, undisturbed

BASE = "/alice/private/experiments"
_TOKEN = re.compile(r'name="csrfmiddlewaretoken" value="\w+"')
numbers = st.floats(-1e6, 1e6).map(lambda x: round(x, 3))


@pytest.fixture
def sweep(client):
    """Eight runs: lr 1e-1 … 1e-8, acc grows as lr shrinks, opt adam or lion, seed 0 or 1; the last has a NaN acc."""
    ids = []
    for number in range(8):
        run_id = client.run(run_name=f"run {number}", start_time=1000 + number)["run_id"]
        client.batch(
            run_id,
            params=[
                {"key": "lr", "value": f"1e-{number + 1}"},
                {"key": "opt", "value": "adam" if number % 2 else "lion"},
                {"key": "note", "value": "é" * 3000},
            ],
            metrics=[
                metric("acc", "NaN" if number == 7 else number / 10),
                *(metric("loss", number + step, step) for step in range(5)),
            ],
        )
        ids.append(run_id)
    return ids


def of(ids):
    return "&".join(f"run={one}" for one in ids)


def asked(pages, rest):
    answer = pages.get(f"{BASE}/{rest}")
    assert answer.status_code == 200, answer.content
    return json.loads(answer.content)


@pytest.mark.django_db(transaction=True)
class TestValues:
    def test_values_come_by_column_newest_first(self, sweep, pages):
        found = asked(pages, "compare/values.json?columns=params.lr,params.opt,metrics.acc,duration,metrics.none&ids=1")
        assert (found["total"], found["runs"], found["ids"]) == (8, 8, sweep[::-1])
        lr, opt, acc, duration, none = found["columns"]
        assert (lr["kind"], lr["values"][0]) == ("number", 1e-8)
        assert (opt["texts"], opt["values"][:2]) == (["adam", "lion"], [0, 1])
        assert acc["values"] == ["NaN", 0.6, 0.5, 0.4, 0.3, 0.2, 0.1, 0.0]
        assert set(duration["values"]) == set(none["values"]) == {None}

    def test_they_are_of_a_filter_of_ids_or_of_a_selection(self, sweep, pages):
        q = quote("metrics.acc >= 0.3 and params.opt = 'adam'")
        assert asked(pages, f"compare/values.json?columns=metrics.acc&q={q}")["runs"] == 2
        assert asked(pages, f"compare/values.json?columns=metrics.acc&q={q}&{of(sweep[:4])}")["runs"] == 1
        assert asked(pages, f"compare/values.json?columns=metrics.acc&{of(sweep[:4])}")["runs"] == 4

    def test_archived_runs_are_in_a_chart_when_they_are_asked_for(self, sweep, pages):
        assert pages.post(f"{BASE}/chosen/archive", {"run": sweep[:2]}).status_code == 302
        for rest, count in (
            ("", 6),
            ("&show=archived", 2),
            ("&show=all", 8),
            ("&show=deleted", 6),
            (f"&{of(sweep)}", 8),
        ):
            assert asked(pages, f"compare/values.json?columns=metrics.acc{rest}")["runs"] == count

    def test_without_columns_what_differs_is_chosen(self, sweep, pages):
        found = asked(pages, "compare/values.json")
        assert [column["name"] for column in found["columns"]] == [
            "params.lr", "params.opt", "metrics.acc", "metrics.loss",
        ]  # fmt: skip

    def test_a_metric_named_like_an_aggregate_is_a_column_and_an_aggregate_is_none(self, client, pages):
        for number in range(3):
            run_id = client.run()["run_id"]
            client.batch(run_id, metrics=[metric("f1:max", number)], params=[{"key": "p", "value": str(number)}])
        (name,) = asked(pages, "names?name=f1")["names"]
        found = asked(pages, f"compare/values.json?columns={name},metrics.f1:max,metrics.f1:best")
        assert [(column["name"], sorted(column["values"])) for column in found["columns"]] == [(name, [0.0, 1.0, 2.0])]
        assert [column["name"] for column in asked(pages, "compare/values.json")["columns"]] == ["params.p", name]
        for metric_ in (name, "f1:max"):
            assert asked(pages, f"compare/importance.json?metric={metric_}")["runs"] == 3
            assert asked(pages, f"compare/boxes.json?by=params.p&metric={metric_}")["total"] == 3
            assert len(asked(pages, f"compare/boxes.json?by=params.p&metric={metric_}")["boxes"]) == 3

    def test_one_statement_reads_them(self, sweep, pages, statements):
        with statements() as told:
            asked(pages, "compare/values.json?columns=metrics.acc,metrics.loss,params.lr,tags.t,user")
        assert len(told) == 1, told

    def test_the_second_visit_of_the_same_values_sends_none(self, sweep, pages):
        path = f"{BASE}/compare/values.json?columns=metrics.acc"
        etag = pages.get(path).headers["ETag"]
        assert pages.get(path, headers={"If-None-Match": etag}).status_code == 304

    @pytest.mark.parametrize("of", ["values.json?columns=metrics.acc", "curves.json?key=acc"])
    def test_what_a_browser_has_is_not_read_again_until_something_is_logged(self, sweep, client, pages, statements, of):
        path = f"{BASE}/compare/{of}&run={sweep[0]}&run={sweep[1]}"
        etag = pages.get(path).headers["ETag"]

        def twice():
            pages.get(path)
            with statements() as told:
                answer = pages.get(path, headers={"If-None-Match": etag})
            assert (answer.status_code, answer.headers["ETag"], answer.content) == (304, etag, b"")
            assert answer.headers["Cache-Control"] == "private, no-cache"
            assert not any("metrics" in statement for statement in told), told

        undisturbed(twice)
        client.batch(sweep[2], metrics=[metric("acc", 0.5, 90)])  # of a run that is not shown
        assert pages.get(path, headers={"If-None-Match": etag}).status_code == 304
        client.batch(sweep[0], metrics=[metric("acc", 0.5, 90)])
        assert pages.get(path, headers={"If-None-Match": etag}).status_code == 200

    def test_who_may_not_read_has_nothing(self, sweep, pages, charlie):
        path = f"{BASE}/compare/curves.json?key=acc&run={sweep[0]}"
        etag = pages.get(path).headers["ETag"]
        pages.force_login(charlie)
        assert pages.get(path, headers={"If-None-Match": etag}).status_code == 404

    def test_the_rows_below_a_chart_are_sorted_with_nan_last(self, sweep, pages):
        page = pages.get(f"{BASE}/compare/rows?columns=metrics.acc,params.note&sort=-metrics.acc").content.decode()
        assert page.index("run 6") < page.index("run 0") < page.index("run 7")
        assert "8 runs" in page
        assert "é" * 300 not in page

    @pytest.mark.parametrize(
        "rest",
        ["values.json?columns=%00,metrics.,x,params.a%00b", "values.json?columns=metrics." + "k" * 9000,
         "importance.json?metric=%00", "rows?sort=-%00&columns=tags.x", "values.json?columns=params.note&digits=9999",
         "rows?sort=params.opt&columns=params.lr"],
    )  # fmt: skip
    def test_strange_questions_are_answered(self, sweep, pages, rest):
        assert pages.get(f"{BASE}/compare/{rest}").status_code == 200

    @pytest.mark.parametrize(
        "rest", ["boxes.json?by=x&metric=acc", "pareto.json?x=metrics.acc&y=", "values.json?q=metrics.acc+%3E+x",
                 "pareto.json?x=metrics.acc&y=metrics.loss&better=up,down", "values.json?selection=&run=&q=%27"],
    )  # fmt: skip
    def test_what_cannot_be_asked_is_refused(self, sweep, pages, rest):
        assert pages.get(f"{BASE}/compare/{rest}").status_code == 400


@pytest.mark.django_db(transaction=True)
class TestWhichRuns:
    def test_runs_of_other_repositories_one_may_read_are_compared(self, client_of, public, alice, bob, sweep, pages):
        theirs = client_of(public, alice).run(run_name="theirs")["run_id"]
        page = pages.get(f"{BASE}/compare?{of([sweep[0], theirs])}").content.decode()
        assert "theirs" in page
        assert f"/{public.full_name}/experiments/runs/{theirs}" in page
        rows = pages.get(f"{BASE}/compare/rows?columns=metrics.acc&{of([sweep[0], theirs])}").content.decode()
        assert f"/{public.full_name}/experiments/runs/{theirs}" in rows
        named = pages.get(f"{BASE}/compare?run={sweep[0]}&run={public.full_name}:{theirs}")
        assert "theirs" in named.content.decode()
        wrong = pages.get(f"{BASE}/compare?run={sweep[0]}&run=alice/private:{theirs}").content.decode()
        assert "theirs" not in wrong
        assert "1 of the runs is not here" in wrong

    def test_a_private_repository_elsewhere_is_as_if_absent(self, sweep, public, client_of, alice, pages, charlie):
        here = client_of(public, alice).run(run_name="here")["run_id"]
        pages.force_login(charlie)
        base = f"/{public.full_name}/experiments/compare"
        page = pages.get(f"{base}?{of([here, sweep[0]])}").content.decode()
        assert "run 0" not in page
        assert "1 of the runs is not here" in page
        for rest in ("values.json?ids=1&columns=metrics.acc", "curves.json?key=loss", "rows?columns=metrics.acc"):
            answer = pages.get(f"{base}/{rest}&{of([here, sweep[0]])}").content.decode()
            absent = pages.get(f"{base}/{rest}&{of([here, 'f' * 32])}").content.decode()
            assert _TOKEN.sub("", answer) == _TOKEN.sub("", absent)
        assert pages.get(f"{base}/values.json?{of(sweep)}").status_code == 404

    def test_many_runs_are_stored_as_a_selection(self, client, sweep, pages, monkeypatch, charlie, bob):
        from experiments.models import Selection

        assert picking.MOST_NAMED == 100
        monkeypatch.setattr(picking, "MOST_NAMED", 5)
        few = pages.post(f"{BASE}/compare/select", {"run": sweep[:3]})
        assert few.headers["Location"] == f"{BASE}/compare?{of(sweep[:3])}"
        many = pages.post(f"{BASE}/compare/select", {"run": sweep})
        assert many.headers["Location"].startswith(f"{BASE}/compare?selection=")
        page = pages.get(many.headers["Location"]).content.decode()
        assert "Compare 8 runs" in page
        again = pages.post(f"{BASE}/compare/select", {"all": "1", "q": "status = running"})
        assert Selection.objects.count() == 2  # another order, another choice
        assert pages.get(again.headers["Location"]).status_code == 200
        pages.force_login(charlie)
        assert pages.get(many.headers["Location"]).status_code == 404
        assert pages.post(f"{BASE}/compare/select", {"run": sweep}).status_code == 404
        pages.force_login(bob)
        assert pages.get(many.headers["Location"]).status_code == 200
        assert pages.get(f"{BASE}/compare/select").status_code == 405
        assert pages.get(f"{BASE}/compare?selection=absent%00").status_code == 404

    def test_a_selection_by_the_api(self, sweep, private, token_of, alice, pages):
        headers = {"Authorization": f"Bearer {token_of(alice)}"}
        api = f"/api/v1/repos/{private.full_name}/experiments/compare"
        made = pages.post(f"{api}/selections", {"runs": sweep}, content_type="application/json", headers=headers)
        assert made.status_code == 201
        answer = pages.get(f"{api}?selection={made.json()['selection']}", headers=headers)
        assert [run["run_id"] for run in answer.json()["runs"]] == sweep
        for chart in ("values?columns=metrics.acc", "importance?metric=acc", "boxes?by=params.opt&metric=acc",
                      "pareto?x=metrics.acc&y=metrics.loss"):  # fmt: skip
            assert pages.get(f"{api}/{chart}", headers=headers).status_code == 200

    def test_a_filter_leaves_runs_out_of_a_comparison(self, sweep, pages):
        answer = asked(pages, f"compare?format=json&{of(sweep)}&q={quote('metrics.acc < 0.15')}")
        assert [run["name"] for run in answer["runs"]] == ["run 0", "run 1"]
        assert (answer["missing"], answer["filtered_out"]) == (0, 6)
        assert pages.get(f"{BASE}/compare?{of(sweep)}&q=metrics.acc+%3E+7").status_code == 200

    @pytest.mark.parametrize(
        "rest", ["charts", "compare/values.json", "compare/rows", "compare/boxes.json?by=user&metric=a",
                 "compare/pareto.json?x=user&y=user", "compare/importance.json?metric=a"],
    )  # fmt: skip
    def test_four_questions(self, pages, sweep, charlie, bob, rest):
        path = f"{BASE}/{rest}"
        assert pages.get(path).status_code == 200
        assert pages.post(path).status_code == 405
        pages.force_login(charlie)
        assert pages.get(path).status_code == 404
        pages.logout()
        assert pages.get(path).status_code == 404
        pages.force_login(bob)
        assert pages.get(path).status_code == 200


@pytest.mark.django_db
def test_a_persons_oldest_selections_go_first(private, alice, monkeypatch):
    monkeypatch.setattr(selections, "MOST_KEPT", 2)
    keys = [selections.keep(private, alice, [f"{number:032x}", "f" * 32]) for number in range(3)]
    assert selections.keep(private, alice, [f"{2:032x}", "f" * 32]) == keys[2]
    assert selections.read(private, keys[1]) == [f"{1:032x}", "f" * 32]
    with pytest.raises(NotFound):
        selections.read(private, keys[0])


@pytest.mark.django_db(transaction=True)
class TestCurves:
    def test_groups_of_large_numbers_stay_apart(self, client, pages):
        ids = [client.run()["run_id"] for _ in range(2)]
        for number, run_id in enumerate(ids):
            seed = [{"key": "seed", "value": str(1234567 + number)}]
            client.batch(run_id, params=seed, metrics=[metric("loss", number)])
        found = asked(pages, f"compare/curves.json?key=loss&group=params.seed&{of(ids)}")
        assert [(curve["name"], curve["y"]) for curve in found["curves"]] == [("1234567", [0.0]), ("1234568", [1.0])]

    def test_a_group_is_drawn_as_mean_and_deviation_of_its_runs(self, sweep, pages):
        found = asked(pages, f"compare/curves.json?key=loss&group=params.opt&{of(sweep)}")
        adam, lion = found["curves"]
        assert (adam["name"], lion["name"]) == ("adam", "lion")
        assert lion["x"] == [0, 1, 2, 3, 4]
        assert lion["y"] == [3.0, 4.0, 5.0, 6.0, 7.0]  # of 0, 2, 4 and 6
        std = math.sqrt((9 + 1 + 1 + 9) / 3)
        assert lion["high"][0] == pytest.approx(3 + std)
        assert lion["low"][0] == pytest.approx(3 - std)
        assert set(lion["runs"]) == {4}
        assert "standard deviation" in found["method"]

    def test_a_curve_over_another_metric(self, client, pages):
        run_id = client.run()["run_id"]
        client.batch(run_id, metrics=[metric("a", step, step) for step in range(4)])
        client.batch(run_id, metrics=[metric("b", 10 * step, step) for step in range(1, 4)])
        curve = asked(pages, f"compare/curves.json?key=a&axis=metrics.b&run={run_id}")["curves"][0]
        assert (curve["x"], curve["y"], curve["axis"]) == ([10, 20, 30], [1, 2, 3], "metrics.b")
        assert asked(pages, f"compare/curves.json?key=a&axis=metrics.none&run={run_id}")["curves"][0]["x"] == []

    def test_a_part_of_a_curve_over_another_metric_is_drawn_finer(self, client, pages):
        """The values of the other metric say which part: those of its steps, also where it comes back."""
        run_id = client.run()["run_id"]
        client.batch(run_id, metrics=[metric("a", step, step) for step in range(1000)])
        client.batch(run_id, metrics=[metric("b", 2 * step, step) for step in range(500)])
        client.batch(run_id, metrics=[metric("b", 2 * (1000 - step), step) for step in range(500, 1000)])
        address = f"compare/curves.json?key=a&axis=metrics.b&buckets=50&run={run_id}"
        whole = asked(pages, address)["curves"][0]
        assert (whole["width"], len(whole["x"])) == (20, 50)
        part = asked(pages, f"{address}&from=960&to=1e9")["curves"][0]
        assert (part["width"], part["points"]) == (1, 1000)
        assert (part["y"][0], part["y"][-1], len(part["x"])) == (480, 520, 41)
        assert max(part["x"]) == 1000
        assert asked(pages, f"{address}&from=5000&to=6000")["curves"] == []
        assert asked(pages, f"{address.replace('metrics.b', 'metrics.none')}&from=0&to=1")["curves"] == []

    def test_curves_of_as_many_runs_as_can_be_compared(self, client):
        spans = {f"{number:032x}": history.Span(1, 0, 9, 0) for number in range(picking.MOST_RUNS)}
        with reading() as reader:
            assert reader.rows(history.buckets_of(spans, "loss", "step", 1, whole=True)) == []

    def test_buckets_are_as_many_as_asked(self, client, pages):
        run_id = client.run()["run_id"]
        client.batch(run_id, metrics=[metric("a", step, step) for step in range(400)])
        curve = asked(pages, f"compare/curves.json?key=a&buckets=100&run={run_id}")["curves"][0]
        assert (len(curve["x"]), curve["width"], curve["y"][:2]) == (100, 4, [1.5, 5.5])

    @pytest.mark.parametrize("query", ["group=x", "group=metrics.acc", "buckets=-1", "group=params.opt&axis=metrics.a"])
    def test_what_cannot_be_drawn_is_refused(self, sweep, pages, query):
        assert pages.get(f"{BASE}/compare/curves.json?key=loss&{of(sweep)}&{query}").status_code == 400

    def test_values_near_infinity_make_no_band_overflow(self, client, private):
        ids = [client.run()["run_id"] for _ in range(2)]
        for run_id, value in zip(ids, (9e299, -9e299), strict=True):
            client.batch(run_id, metrics=[metric("big", value), metric("big", "Infinity", 1)])
        (band,) = bands.bands({"all": ids}, "big")
        assert (band.y, band.runs) == ([0.0], [2])
        assert math.isfinite(band.high[0])


@pytest.mark.django_db(transaction=True)
class TestStatistics:
    def test_importance_says_method_and_n(self, sweep, pages):
        found = asked(pages, "compare/importance.json?metric=acc")
        assert found["runs"] == 7
        lr, opt = found["params"]
        assert (lr["param"], lr["n"], lr["method"]) == ("lr", 7, statistics.SPEARMAN)
        assert lr["correlation"] == pytest.approx(-1)
        assert (opt["param"], opt["correlation"], opt["method"]) == ("opt", None, statistics.RATIO)
        assert opt["strength"] == pytest.approx(0, abs=1e-9)

    def test_boxes_and_front(self, sweep, pages):
        found = asked(pages, "compare/boxes.json?by=params.opt&metric=acc")
        assert [(box["category"], box["n"], box["median"]) for box in found["boxes"]] == [
            ("adam", 3, 0.3), ("lion", 4, pytest.approx(0.3)),
        ]  # fmt: skip
        best = asked(pages, "compare/pareto.json?x=metrics.acc&y=metrics.loss&better=max,min")["front"]
        assert [point["name"] for point in best] == [f"run {n}" for n in range(6, -1, -1)]
        assert len(asked(pages, "compare/pareto.json?x=metrics.acc&y=metrics.loss&better=max,max")["front"]) == 1

    def test_no_run_has_no_statistics(self, sweep, private):
        nobody = Chosen({workspace_of(private.pk): private}, ids=())
        assert statistics.importance(nobody, "acc") == (0, [])
        read = values.read(nobody, ["metrics.acc", "params.opt"])
        assert (read.total, read.ids, statistics.boxes(read, "params.opt", "metrics.acc")) == (0, [], ([], 0))


@settings(deadline=None)
@given(st.dictionaries(st.text(), st.lists(st.text()), max_size=4))
def test_names_are_python_as_they_are_json(value):
    assert ast.literal_eval(python._literal(value)) == value


@settings(deadline=None)
@given(st.lists(st.tuples(numbers, numbers), max_size=30), st.booleans(), st.booleans())
def test_the_front_is_what_nothing_beats(points, more_x, more_y):
    def beats(a, b):
        better = [(p > q) if more else (p < q) for p, q, more in zip(a, b, (more_x, more_y), strict=True)]
        worse = [(p < q) if more else (p > q) for p, q, more in zip(a, b, (more_x, more_y), strict=True)]
        return any(better) and not any(worse)

    expected = {i for i, point in enumerate(points) if not any(beats(other, point) for other in points)}
    assert set(statistics.front(points, more_x=more_x, more_y=more_y)) == expected


@settings(deadline=None)
@given(st.lists(numbers, min_size=1, max_size=30))
def test_ranks_and_quantiles_are_those_of_the_books(found):
    import numpy

    expected = [1 + sum(o < v for o in found) + (sum(o == v for o in found) - 1) / 2 for v in found]
    assert statistics.ranks(found) == expected
    for part in (0.0, 0.25, 0.5, 0.9, 1.0):
        assert statistics.quantile(sorted(found), part) == pytest.approx(numpy.quantile(found, part), abs=1e-9)


@settings(deadline=None)
@given(st.lists(st.dictionaries(st.integers(0, 5), numbers, max_size=6), min_size=1, max_size=6))
def test_a_band_is_mean_and_sample_deviation_where_runs_are(means):
    at, spread = bands._spread(means)
    assert at == sorted({bucket for of_run in means for bucket in of_run})
    for bucket, (mean, low, high, count) in zip(at, spread, strict=True):
        there = [of_run[bucket] for of_run in means if bucket in of_run]
        assert count == len(there)
        assert low <= mean <= high
        assert mean == pytest.approx(sum(there) / count, abs=1e-6)
