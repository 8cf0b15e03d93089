"""The state of the table of runs in its address: filter, order, place, columns; names, files and the API."""

from __future__ import annotations

import csv
import io
import json
from urllib.parse import quote

import pytest

from tests.experiments.conftest import metric

pytestmark = pytest.mark.django_db(transaction=True)
BASE = "/alice/private/experiments"
API = "/api/v1/repos/alice/private/experiments"


@pytest.fixture
def three(client):
    """Runs 0, 1, 2 of user alice: acc 0, 0.1, 0.2; lr of 1e-0, 1e-1, 1e-2; team x but for the first."""
    ids = []
    for number in range(3):
        run_id = client.run(run_name=f"try-{number}", start_time=1000 + number)["run_id"]
        client.batch(
            run_id,
            metrics=[metric("acc", number / 10)],
            params=[{"key": "lr", "value": f"1e-{number}"}],
            tags=[{"key": "team", "value": "x"}] if number else [],
        )
        ids.append(run_id)
    return ids


def found(pages, q, more=""):
    answer = pages.get(f"{BASE}?format=json&sort=name&q={quote(q)}{more}")
    assert answer.status_code == 200, answer.content
    return [run["name"] for run in json.loads(answer.content)["runs"]]


@pytest.mark.parametrize(
    ("q", "names"),
    [
        ("", ["try-0", "try-1", "try-2"]),
        ("metrics.acc > 0.05 and params.lr >= 0.1", ["try-1"]),
        ("tags.team is null or params.lr < 0.05", ["try-0", "try-2"]),
        ("metrics.acc > 0 and attributes.status = 'RUNNING'", ["try-1", "try-2"]),
        ("RY-2", ["try-2"]),
        ("user = alice and name ~ '[12]$' and not metrics.`acc` >= 0.2", ["try-1"]),
        ("start > 2020", []),
        ("experiment = Default and status != failed", ["try-0", "try-1", "try-2"]),
    ],
)
def test_a_filter_in_the_address(three, pages, q, names):
    assert found(pages, q) == names


def test_it_finds_runs_by_their_datasets(client, pages, three):
    data = {"name": "birds", "digest": "abc", "source_type": "local", "source": "{}"}
    given = [{"dataset": data, "tags": [{"key": "mlflow.data.context", "value": "train"}]}]
    client.call("POST", "runs/log-inputs", {"run_id": three[1], "datasets": given})
    assert found(pages, "datasets.name = 'birds' and dataset.digest like 'a%' and dataset.context = 'train'") == [
        "try-1"
    ]
    assert found(pages, "datasets.name is null") == ["try-0", "try-2"]


def test_an_error_shows_its_place_under_the_field(three, pages):
    answer = pages.get(f"{BASE}?q={quote('metrics.acc > <b>')}&columns=metrics.acc")
    page = answer.content.decode()
    assert answer.status_code == 400
    assert "metrics.acc &gt; <mark>&lt;</mark>b&gt;" in page
    assert "At character 15" in page
    assert 'aria-invalid="true"' in page
    assert 'value="metrics.acc &gt; &lt;b&gt;"' in page
    assert "<b>" not in page


def test_pages_are_stable_while_runs_arrive(client, three, pages):
    for number in range(105):
        client.run(run_name=f"more-{number:03}", start_time=2000 + number)
    first = json.loads(pages.get(f"{API}/runs?limit=50", headers={"accept": "application/json"}).content)
    client.run(run_name="newest", start_time=9000)
    second = json.loads(pages.get(f"{API}/runs?limit=50&after={first['next']}").content)
    names = [run["name"] for run in [*first["runs"], *second["runs"]]]
    assert names == [f"more-{number:03}" for number in reversed(range(5, 105))]
    assert second["total"] == 109
    back = json.loads(pages.get(f"{API}/runs?limit=50&before={second['previous']}").content)
    assert back["runs"] == first["runs"]
    page = pages.get(BASE).content.decode()
    assert 'rel="next"' in page
    assert 'rel="prev"' not in page


@pytest.mark.parametrize(
    "place", ["x", "e30", "W10", "WzEsMiwzLDRd", "%00", "é", "W1tbW1tb", "WzAsMTAwMDAwMDAwMDAwMDAwMDAwMDAwMDAsMSwiYSJd"]
)
def test_a_place_that_is_none_is_refused(three, pages, place):
    assert pages.get(f"{BASE}?after={place}").status_code == 400
    assert pages.get(f"{API}/runs?before={place}").status_code == 400


def test_csv_has_every_run_and_no_formula(client, pages, three):
    evil = client.run(run_name="=cmd|'/c calc'!A1", start_time=5000)["run_id"]
    client.batch(
        evil, params=[{"key": "lr", "value": "-0.5"}, {"key": "x", "value": "+1+1"}], metrics=[metric("acc", -1.0)]
    )
    answer = pages.get(f"{BASE}?format=csv&sort=-started&columns=metrics.acc,params.lr,params.x,tags.team")
    rows = list(csv.DictReader(io.StringIO(answer.content.decode())))
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert [row["metrics.acc"] for row in rows] == ["-1.0", "0.2", "0.1", "0.0"]
    assert rows[0]["name"] == "'=cmd|'/c calc'!A1"
    assert (rows[0]["params.lr"], rows[0]["params.x"]) == ("-0.5", "'+1+1")
    assert [row["tags.team"] for row in rows] == ["", "x", "x", ""]


def test_names_are_searched(client, pages, three):
    client.batch(three[0], metrics=[metric(f"layer/{n:03}/loss", 1.0) for n in range(80)])
    names = json.loads(pages.get(f"{BASE}/names?name=l").content)["names"]
    assert len(names) == 50
    assert "params.lr" in names
    assert json.loads(pages.get(f"{BASE}/names?name=params.").content)["names"] == ["params.lr"]
    assert json.loads(pages.get(f"{API}/names?name=079").content)["names"] == ["metrics.layer/079/loss"]
    assert json.loads(pages.get(f"{BASE}/names?name=zz%25_%00").content)["names"] == []


def test_names_of_another_repository_are_not_offered(client_of, public, alice, pages, three):
    theirs = client_of(public, alice)
    theirs.batch(theirs.run()["run_id"], metrics=[metric("secret_sauce", 1.0)])
    assert json.loads(pages.get(f"{BASE}/names?name=secret").content)["names"] == []


def test_nan_and_infinity_are_words_in_json(client, pages):
    run_id = client.run()["run_id"]
    client.batch(run_id, metrics=[metric("a", "NaN"), metric("b", "-Infinity"), metric("c", 1.5)])
    (run,) = json.loads(pages.get(f"{API}/runs").content)["runs"]
    assert run["metrics"] == {"a": "NaN", "b": "-Infinity", "c": 1.5}


def test_the_api_says_where_a_filter_is_wrong(pages, three):
    answer = pages.get(f"{API}/runs?q=metrics.acc+%3E+high")
    assert answer.status_code == 400
    told = json.loads(answer.content)
    assert (told["position"], told["expected"]) == (14, "a number, inf or nan")


def test_the_api_compares(pages, three):
    asked = "&".join(f"run={one}" for one in three)
    told = json.loads(pages.get(f"{API}/compare?{asked}&differences=1").content)
    assert told["names"] == {"metrics": ["acc"], "params": ["lr"], "tags": ["team"]}
    curves = json.loads(pages.get(f"{API}/compare/curves?{asked}&key=acc").content)
    assert [curve["y"] for curve in curves["curves"]] == [[0.0], [0.1], [0.2]]


@pytest.mark.parametrize(
    "path", [f"{BASE}/names", f"{BASE}?format=csv", f"{API}/runs", f"{API}/names", f"{API}/compare?run=a&run=b"]
)
def test_four_questions(pages, three, charlie, bob, path):
    path = path.replace("run=a&run=b", f"run={three[0]}&run={three[1]}")
    assert pages.get(path).status_code == 200
    assert pages.post(path).status_code in ({405} if BASE in path else {403, 405})
    pages.force_login(bob)
    assert pages.get(path).status_code == 200
    pages.force_login(charlie)
    assert pages.get(path).status_code == 404
    pages.logout()
    assert pages.get(path).status_code == (401 if "/api/" in path else 404)


def test_a_token_without_experiments_is_refused(pages, three, token_of, alice):
    pages.logout()
    token = token_of(alice, scopes=["repo:read"])
    assert pages.get(f"{API}/runs", headers={"authorization": f"Bearer {token}"}).status_code == 403


def test_an_unknown_format_is_refused(pages, three):
    assert pages.get(f"{BASE}?format=xml").status_code == 400


def test_a_file_has_at_most_100_columns(pages, three):
    named = ",".join(f"params.p{number}" for number in range(150))
    header = pages.get(f"{BASE}?format=csv&columns={named}").content.decode().splitlines()[0].split(",")
    assert [name for name in header if name.startswith("params.")] == named.split(",")[:100]


def test_a_wrong_filter_keeps_the_experiment(pages, three):
    page = pages.get(f"{BASE}?q=x+%3D&experiment=7").content.decode()
    assert '<option value="7" selected>' in page


def test_the_page_of_a_run_reads_so_many_values_and_says_so(client, pages, three):
    for start in range(0, 1100, 550):
        client.batch(three[0], metrics=[metric(f"m{number:04}", 1.0) for number in range(start, start + 550)])
    page = pages.get(f"{BASE}/runs/{three[0]}?page=20").content.decode()
    assert "Page 20 of 20" in page
    assert "m0998" in page
    assert "m0999" not in page
    assert "has them all" in page
    assert "has them all" not in pages.get(f"{BASE}/runs/{three[1]}").content.decode()


@pytest.mark.parametrize(("last_step", "count"), [(1, 3), (0, 4)])
def test_a_curve_reads_nothing_else_of_its_run(client, pages, three, statements, last_step, count):
    """The run, the ends of the curve, its buckets; where no steps were counted, the ends in time as well."""
    client.batch(three[0], metrics=[metric("acc", 0.5, last_step, timestamp=5000)])
    pages.get(BASE)
    with statements() as told:
        assert pages.get(f"{BASE}/runs/{three[0]}/history.json?key=acc").json()["points"] == 2
    assert len(told) == count, told
