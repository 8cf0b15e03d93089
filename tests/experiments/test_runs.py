"""The table of runs and the page of one run, from MLflow's tables."""

from __future__ import annotations

import json
import math

import pytest

from experiments import history, indexing, listing, runs
from experiments.filters.parser import parse
from experiments.mlflow.context import workspace_of
from experiments.models import RunCommit
from repos.git.creation import first_commit
from repos.git.store import ZERO, RefChange, move_refs
from repos.storage import store
from tests.experiments.conftest import metric

pytestmark = pytest.mark.django_db(transaction=True)


def values(client, **by_name):
    """One run per name with metric acc and param lr; None: without."""
    ids = {}
    for number, (name, value) in enumerate(by_name.items()):
        ids[name] = client.run(run_name=name, start_time=1_700_000_000_000 + number)["run_id"]
        if value is not None:
            client.batch(ids[name], metrics=[metric("acc", value)], params=[{"key": "lr", "value": str(value)}])
    return ids


def names(private, **options):
    page = listing.page(listing.Query(workspace=workspace_of(private.pk), **options))
    return [row.name for row in page.rows]


def test_it_sorts_by_a_metric_with_nan_and_absent_last(client, private):
    values(client, low=1.0, none=None, inf="Infinity", nan="NaN", high=5.0, minus="-Infinity")
    order = ["inf", "high", "low", "minus", "nan", "none"]
    assert names(private, sort="metrics.acc", descending=True) == order
    assert names(private, sort="metrics.acc", descending=False) == [*order[3::-1], "nan", "none"]


def test_it_sorts_params_as_numbers_where_they_are(client, private):
    client.run(run_name="none")
    for name, value in {"ten": "10", "tiny": "1e-3", "two": "2.5", "dash": "-", "word": "adam"}.items():
        client.batch(client.run(run_name=name)["run_id"], params=[{"key": "lr", "value": value}])
    order = ["tiny", "two", "ten", "dash", "word", "none"]
    assert names(private, sort="params.lr", descending=False) == order
    assert names(private, sort="params.lr", descending=True) == ["ten", "two", "tiny", "word", "dash", "none"]


def test_it_filters_and_shows_values(client, private):
    ids = values(client, baseline=0.25, other=float("1.5"))
    query = listing.Query(workspace=workspace_of(private.pk), filter=parse("BASE"), columns=("metrics.acc",))
    page = listing.page(query)
    assert page.total == 1
    assert page.rows[0].run_id == ids["baseline"]
    assert page.rows[0].metrics == {"acc": 0.25}
    assert page.rows[0].user == "alice"


def test_it_shows_only_this_repository(client, client_of, public, private, alice):
    client_of(public, alice).run(run_name="theirs")
    client.run(run_name="mine")
    assert names(private) == ["mine"]


def test_it_reads_a_page_with_few_queries(client, private, pages, statements, django_assert_max_num_queries):
    for number in range(30):
        run_id = client.run(run_name=f"r{number}")["run_id"]
        client.batch(run_id, metrics=[metric(f"m{number % 7}", number)], params=[{"key": "p", "value": "1"}])
    pages.get("/alice/private/experiments")  # the first asks whether the tables exist
    with django_assert_max_num_queries(6), statements() as told:
        assert pages.get("/alice/private/experiments").status_code == 200
    assert len(told) <= 5, told  # experiments, whether runs are nested, runs, names of columns, values


def test_the_page_shows_runs_and_state_in_the_url(client, private, pages):
    ids = values(client, winner=0.9)
    answer = pages.get("/alice/private/experiments?sort=-metrics.acc&column=metrics.acc&q=win&page=1")
    page = answer.content.decode()
    assert ids["winner"] in page
    assert 'aria-sort="descending"' in page
    assert "0.9" in page


def test_the_table_escapes_what_people_logged(client, private, pages):
    run_id = client.run(run_name="<b>name</b>" + "x" * 80)["run_id"]
    client.batch(run_id, metrics=[metric("m", 0.5)], params=[{"key": "p.q", "value": "<i>value</i>"}])
    page = pages.get("/alice/private/experiments").content.decode()
    assert "&lt;b&gt;name&lt;/b&gt;xxx" in page
    assert "…</a></th>" in page
    assert "<td>&lt;i&gt;value&lt;/i&gt;</td>" in page
    assert "<td>0.5</td>" in page
    assert not any(tag in page for tag in ("<b>", "<i>"))


@pytest.mark.parametrize(
    "query", ["page=10000", "columns=x,metrics.a,,", "experiment=x", "experiment=999999999999", "sort=",
              "sort=metrics.", "column=", "column=x", "q=%25_", "sort=params.%27"]
)  # fmt: skip
def test_a_strange_url_is_an_answer_all_the_same(client, private, pages, query):
    values(client, a=1.0)
    assert pages.get(f"/alice/private/experiments?{query}").status_code == 200


def test_an_empty_repository_teaches_the_first_line(client, private, pages):
    page = pages.get("/alice/private/experiments").content.decode()
    assert "export MLFLOW_TRACKING_URI=" in page
    assert "/alice/private.mlflow" in page


@pytest.mark.parametrize(
    "rest", ["", "/runs/{run}", "/runs/{run}/history.json?key=acc", "/runs/{run}/artifact?path=a.txt"]
)
def test_four_questions(client, private, pages, charlie, rest, bob, public):
    run = client.run(run_name="r")
    where = run["artifact_uri"].removeprefix("mlflow-artifacts:/")
    client.ask("PUT", f"api/2.0/mlflow-artifacts/artifacts/{where}/a.txt", body=[b"hello"])
    path = f"/alice/private/experiments{rest.format(run=run['run_id'])}"
    assert pages.get(path).status_code == 200
    assert pages.post(path).status_code == 405
    pages.force_login(charlie)
    assert pages.get(path).status_code == 404
    pages.logout()
    assert pages.get(path).status_code == 404
    if rest:
        pages.force_login(bob)
        assert pages.get(path.replace("private", "public")).status_code == 404


def test_the_run_page_shows_what_was_logged(client, private, pages):
    run = client.run(run_name="first", tags=[{"key": "team", "value": "<b>vision</b>"}])
    client.batch(run["run_id"], metrics=[metric("loss", 0.5, 6), metric("loss", 0.125, 7)])
    client.batch(run["run_id"], params=[{"key": "depth", "value": "3"}])
    page = pages.get(f"/alice/private/experiments/runs/{run['run_id']}").content.decode()
    for text in ("first", "loss", "0.125", "depth", "&lt;b&gt;vision", "alice", "data-chart"):
        assert text in page
    assert "<b>vision" not in page


def test_previews_show_text_and_refuse_to_climb(client, private, pages):
    run = client.run()
    where = run["artifact_uri"].removeprefix("mlflow-artifacts:/")
    client.ask("PUT", f"api/2.0/mlflow-artifacts/artifacts/{where}/a.html", body=[b"<script>alert(1)</script>"])
    client.ask("PUT", f"api/2.0/mlflow-artifacts/artifacts/{where}/x.bin", body=[b"\0\1\2"])
    base = f"/alice/private/experiments/runs/{run['run_id']}/artifact?path="
    page = pages.get(f"{base}a.html").content.decode()
    assert "alert" in page
    assert "<script>alert" not in page
    assert "This file is binary" in pages.get(f"{base}x.bin").content.decode()
    for path, status in (("../../a", 400), ("", 404), ("absent", 404), ("a%00", 400)):
        assert pages.get(base + path).status_code == status, path


def test_a_long_curve_is_reduced(client, private):
    run_id = client.run()["run_id"]
    for start in range(0, 5000, 1000):
        client.batch(run_id, metrics=[metric("loss", float(s % 10), s) for s in range(start, start + 1000)])
    client.batch(run_id, metrics=[metric("loss", "NaN", 6000), metric("loss", "Infinity", 6001), metric("one", 3.0)])
    curve = history.curve(run_id, "loss")
    assert curve.points == 5000
    assert len(curve.x) <= 1000
    assert (min(curve.low), max(curve.high)) == (0.0, 9.0)
    assert curve.x == sorted(curve.x)
    assert math.isclose(sum(curve.y) / len(curve.y), 4.5, abs_tol=0.2)
    assert history.curve(run_id, "one").y == [3.0]
    assert history.curve(run_id, "absent").points == 0


def test_a_curve_without_steps_is_over_time(client, private, pages):
    run_id = client.run()["run_id"]
    client.batch(run_id, metrics=[{"key": "a", "value": v, "timestamp": 1000 * v, "step": 0} for v in (1, 2, 3)])
    curve = json.loads(pages.get(f"/alice/private/experiments/runs/{run_id}/history.json?key=a").content)
    assert (curve["axis"], curve["x"], curve["y"]) == ("time", [0, 1, 2], [1, 2, 3])


def test_a_run_is_bound_to_a_commit_that_exists_here(client, private, pages):
    path = store().create(private.pk)
    sha = first_commit(path, files={"a": b"1"}, author="a <a@b>", message="m")
    move_refs(path, [RefChange("refs/heads/main", ZERO, sha)])
    tag = "mlflow.source.git.commit"
    mine = client.run(tags=[{"key": tag, "value": sha}])["run_id"]
    client.run(tags=[{"key": tag, "value": "1" * 40}])
    client.run(tags=[{"key": tag, "value": "--output=x"}])
    indexing.refresh(private.pk)
    assert list(RunCommit.objects.values_list("run_id", "sha")) == [(mine, sha)]
    private.refresh_from_db()
    assert private.runs_count == 3
    assert f"/commit/{sha}" in pages.get("/alice/private/experiments").content.decode()


def test_a_missed_count_is_mended_for_every_repository(client, private, public):
    client.run()
    client.run()
    type(public).objects.filter(pk=public.pk).update(runs_count=9)
    assert indexing.recount() == 2
    private.refresh_from_db()
    public.refresh_from_db()
    assert (private.runs_count, public.runs_count) == (2, 0)
    assert indexing.recount() == 0


def test_a_run_of_many_tags_keeps_what_binds_it_to_its_commit(client, private, monkeypatch):
    monkeypatch.setattr(runs, "MOST_VALUES", 5)
    run_id = client.run(run_name="many")["run_id"]
    tags = [{"key": f"a{number}", "value": "x"} for number in range(20)]
    client.batch(run_id, tags=[*tags, {"key": runs.COMMIT_TAG, "value": "a" * 40}])
    found, _ = runs.run(workspace_of(private.pk), run_id)
    assert found.tags[runs.COMMIT_TAG] == "a" * 40
    assert list(found.tags) == sorted(found.tags)
    assert len(found.tags) == 5
