"""Sketches and what is read from them: close to the exact distances, ranked by effect, with a verdict in words."""

from __future__ import annotations

import io
import json
import math
import statistics
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy
import pyarrow
import pytest
from pyarrow import parquet

from datasets import results
from datasets.comparison import drift
from datasets.tables import sketches
from datasets.templatetags.datasets import distance
from hub.jobs.models import Job
from tests.datasets.test_contents import md5, pointer
from tests.datasets.test_data_page import text
from tests.support.work import work


@pytest.fixture
def sketch(tmp_path: Path) -> Callable[..., dict[str, Any]]:
    count = iter(range(1000))

    def make(filename: str = "a.parquet", data: bytes = b"", **columns: Any) -> dict[str, Any]:
        folder = tmp_path / str(next(count))
        folder.mkdir()
        if columns:
            sink = io.BytesIO()
            parquet.write_table(pyarrow.table(columns), sink)
            data = sink.getvalue()
        (folder / "in").write_bytes(data)
        found = sketches.sketch({"table": folder / "in"}, folder, lambda *_: None, filename=filename)
        return json.loads(json.dumps(found))

    return make


def column(found: dict[str, Any], name: str) -> dict[str, Any]:
    return next(c for c in found["columns"] if c["name"] == name)


def test_a_sketch_says_what_a_column_holds(sketch):
    nan = float("nan")
    found = sketch(x=[1.0, 2.0, nan, None, 5.0], s=["a", "bb", "bb", None, ""], f=[True, False, True, None, True])
    x, s, f = (column(found, name) for name in "xsf")
    assert (x["count"], x["nulls"], x["nans"], x["distinct"], x["min"], x["max"]) == (3, 1, 1, 3, 1.0, 5.0)
    assert len(x["quantiles"]) == 257
    assert (s["nulls"], s["distinct"], s["top"][0]) == (1, 3, ["bb", 2])
    lengths = s["lengths"]
    assert (lengths["min"], lengths["max"], lengths["mean"], lengths["distinct"]) == (0.0, 2.0, 1.25, 3)
    assert lengths["std"] == pytest.approx(statistics.pstdev([0, 1, 2, 2]))
    assert [lengths["quantiles"][n] for n in (0, 85, 128, 256)] == [0.0, 1.0, 2.0, 2.0]
    assert f["top"] == [["true", 3], ["false", 1]]


def test_columns_may_be_called_anything_and_zero_is_one_value(sketch):
    found = sketch(v=[0.0, -0.0, 1.0], n=["a", "a", "b"], shown=[1, 1, 2], times=[True, True, False])
    assert column(found, "v")["distinct"] == 2
    assert sorted(count for _, count in column(found, "v")["top"]) == [1, 2]
    assert column(found, "n")["top"] == [["a", 2], ["b", 1]]
    assert column(found, "shown")["top"] == [["1", 2], ["2", 1]]
    assert column(found, "times")["top"] == [["true", 2], ["false", 1]]


def test_text_files_are_summed_up_by_what_their_cells_look_like(sketch):
    found = sketch("a.csv", b"n,d,z,e\n1.5,2020-01-01,007,\n2.5,2020-01-03,010,\n")
    assert column(found, "n")["mean"] == 2.0
    assert column(found, "d")["max"] - column(found, "d")["min"] == 2 * 86_400
    assert column(found, "z")["top"] == [["007", 1], ["010", 1]]
    assert column(found, "e")["nulls"] == 2


def test_distances_are_close_to_the_exact_ones(sketch):
    rng = numpy.random.default_rng(7)
    old, new = rng.normal(0, 1, 50_000), rng.normal(0.3, 1.2, 40_000)
    found = column(drift.drift(sketch(x=old), sketch(x=new)), "x")
    everything = numpy.sort(numpy.concatenate([old, new]))
    below = [numpy.searchsorted(numpy.sort(side), everything, side="right") / len(side) for side in (old, new)]
    places = (numpy.arange(40_000) + 0.5) / 40_000
    exact = {
        "ks": float(numpy.abs(below[0] - below[1]).max()),
        "wasserstein": float(numpy.abs(numpy.quantile(old, places) - numpy.quantile(new, places)).mean()),
    }
    edges = numpy.quantile(old, numpy.arange(1, 10) / 10)
    p, q = (numpy.histogram(side, [-numpy.inf, *edges, numpy.inf])[0] / len(side) for side in (old, new))
    assert found["psi"] == pytest.approx(float(((q - p) * numpy.log(q / p)).sum()), rel=0.03)
    assert found["ks"] == pytest.approx(exact["ks"], abs=0.004)
    assert found["wasserstein"] == pytest.approx(exact["wasserstein"], rel=0.08)
    assert found["p_value"] < 1e-6


def test_few_values_are_compared_by_their_counts(sketch):
    found = column(drift.drift(sketch(y=[0] * 90 + [1] * 10), sketch(y=[0] * 70 + [1] * 30)), "y")
    assert found["ks"] == pytest.approx(0.2)
    assert found["label"]


def test_categories(sketch):
    old, new = ["cat"] * 50 + ["dog"] * 50, ["cat"] * 30 + ["dog"] * 60 + ["cow"] * 10
    found = column(drift.drift(sketch(label=old), sketch(label=new)), "label")
    # By hand: 80/2, 110/2 and 10/2 are expected on each side.
    assert found["chi2"] == pytest.approx(2 * (10**2 / 40 + 5**2 / 55 + 5**2 / 5))
    assert found["cramers_v"] == pytest.approx(math.sqrt(found["chi2"] / 200))
    assert (found["came"], found["gone"]) == (["cow"], [])
    assert found["verdict"] == "moved a lot"


@pytest.mark.parametrize(
    ("statistic", "freedom", "p"), [(3.841459, 1, 0.05), (18.307038, 10, 0.05), (0, 3, 1.0), (6.634897, 1, 0.01)]
)
def test_the_chi_square_distribution(statistic, freedom, p):
    assert drift._chi2_p(statistic, freedom) == pytest.approx(p, rel=1e-5)


def test_kolmogorov_distribution():
    assert drift._ks_p(0.0, 100, 100) == 1.0
    assert drift._ks_p(0.19, 100, 100) == pytest.approx(0.048, abs=0.006)


def test_the_verdict_ranks_by_effect_and_names_what_moved(sketch):
    rng = numpy.random.default_rng(1)
    old = {"same": rng.normal(size=2000), "far": rng.normal(size=2000), "empty": [1.0] * 2000, "gone": [1] * 2000}
    new = {
        "same": rng.normal(size=2000),
        "far": rng.normal(3, 1, 2000),
        "empty": [1.0] * 1800 + [None] * 200,
        "new": [1] * 2000,
    }
    found = drift.drift(sketch(**old), sketch(**new))
    assert [c["name"] for c in found["columns"]] == ["far", "empty", "same"]
    assert found["verdict"] == "far moved a lot; empty moved; 1 of 3 are about the same."
    assert (found["added"], found["removed"]) == (["new"], ["gone"])


def test_a_renamed_column_is_one_column(sketch):
    found = drift.drift(
        sketch(cm=[1, 2, 3], gone=[1] * 3), sketch(mm=[10, 20, 30], new=[2] * 3), [{"from": "cm", "to": "mm"}]
    )
    assert [(c["name"], c["verdict"]) for c in found["columns"]] == [("mm", "moved a lot")]
    assert (found["added"], found["removed"]) == (["new"], ["gone"])


def test_what_a_column_is_does_not_hang_on_its_first_rows(sketch):
    found = sketch("a.csv", b"x,y,z\n" + b",1,\n" * 6_000 + b"5,word,\n")
    assert [column(found, name)["kind"] for name in "xyz"] == ["integer", "text", "text"]


def test_empty_and_strange_columns_do_not_break_it(sketch):
    inf = float("inf")
    one = sketch(a=pyarrow.array([None, None], pyarrow.float64()), b=[inf, inf], c=[[1], [2]], d=["", None], e=[1, 1])
    other = sketch(a=[1.0, 2.0], b=[1.0, -inf], c=[[1], [3]], d=["x", "y"], e=[1, 1])
    for pair in ((one, other), (other, one), (one, one)):
        assert json.dumps(drift.drift(*pair), allow_nan=False)
    huge, tiny = sketch(a=[1e308, 1.7e308, -1.7e308]), sketch(a=[1e-320, 5e-324, 0.0])
    for pair in ((huge, tiny), (tiny, huge), (huge, huge)):
        assert json.dumps(drift.drift(*pair), allow_nan=False)
    none = sketch(a=pyarrow.array([], pyarrow.int64()))
    assert drift.drift(none, none)["verdict"].startswith("No column moved")


# ---- the page ----------------------------------------------------------------------------------
ADDRESS = "/alice/private/datasets/drift"


@pytest.fixture
def project(private, writer, keep):
    results.forget(private.pk)  # the ids of repositories come again in the next test
    made = writer(private)
    one = keep(private, b"id,kind,x\n" + b"".join(b"%d,a,%d\n" % (n, n % 7) for n in range(200)))
    two = keep(private, b"id,kind,x\n" + b"".join(b"%d,b,%d\n" % (n, n % 7) for n in range(200)))
    made.commit({"t.csv.dvc": pointer(one, "t.csv"), "lost.csv.dvc": pointer(one, "lost.csv"), "README.md": "x"})
    made.git("tag", "v1")
    made.commit({"t.csv.dvc": pointer(two, "t.csv"), "lost.csv.dvc": pointer(md5(b"?"), "lost.csv")})
    return made


def ready(client: Any, path: str = "t.csv") -> Any:
    waiting = client.get(f"{ADDRESS}/v1...main/{path}?format=json")
    assert (waiting.status_code, waiting.json()["state"]) == (202, "queued")
    work()
    return client.get(f"{ADDRESS}/v1...main/{path}?format=json")


@pytest.mark.django_db
def test_statistics_as_json_and_as_a_page(project, as_user, bob):
    client = as_user(bob)
    answer = ready(client).json()
    assert answer["verdict"] == "kind moved a lot; 2 of 3 are about the same."
    assert answer["thresholds"]["psi"] == [0.1, 0.25]
    one = client.get(f"{ADDRESS}/v1...main/t.csv?format=json&column=x").json()
    assert len(one["bars"]["base"]) == len(one["bars"]["edges"]) - 1
    page = text(client.get(f"{ADDRESS}/v1...main/t.csv"))
    for words in ("kind moved a lot", "data-histogram", "Cramér", "As a table"):
        assert words in page
    assert 'href="/alice/private/datasets/drift/v1...main/t.csv"' in text(
        client.get("/alice/private/datasets/diff/main...main/t.csv")
    ).replace("main...main", "v1...main")


@pytest.mark.django_db
def test_each_bar_leads_to_the_rows_that_it_stands_for(project, as_user, bob):
    client = as_user(bob)
    ready(client)

    def rows(column: str, number: int) -> int:
        one = client.get(f"{ADDRESS}/v1...main/t.csv?format=json&column={column}").json()
        address = one["row_urls"][number] + "&format=json"
        if client.get(address).status_code == 202:
            work()
        return int(client.get(address).json()["total"])

    assert rows("kind", 0) == 200  # every row was a and is b
    counted = [rows("x", n) for n in range(30)]
    assert sum(counted) == 200
    assert counted[0] == sum(n % 7 == 0 for n in range(200))
    assert counted[-1] == sum(n % 7 == 6 for n in range(200))


@pytest.mark.django_db
def test_a_sketch_is_made_once_per_blob(project, as_user, bob):
    client = as_user(bob)
    ready(client)
    assert Job.objects.count() == 2
    assert client.get(f"{ADDRESS}/main...v1/t.csv?format=json").status_code == 200
    assert Job.objects.count() == 2


@pytest.mark.django_db
def test_it_knows_of_the_renames_that_the_diff_of_rows_knows_of(project, private, keep, as_user, bob):
    for name, tag in ((b"height", "r1"), (b"height_cm", "r2")):
        rows = b"".join(b"%d,%d\n" % (n, n * 7) for n in range(100))
        project.commit({"r.csv.dvc": pointer(keep(private, b"id," + name + b"\n" + rows), "r.csv")})
        project.git("tag", tag)
    address, client = f"{ADDRESS}/r1...r2/r.csv", as_user(bob)
    for _ in range(2):  # the sketches, then the rows
        assert client.get(f"{address}?format=json").status_code == 202
        work()
    answer = client.get(f"{address}?format=json").json()
    rows = client.get(f"{address.replace('drift', 'diff')}?format=json").json()
    assert answer["renamed"] == rows["schema"]["renamed"] == [{"from": "height", "to": "height_cm"}]
    assert (answer["added"], answer["removed"]) == ([], [])
    assert answer["verdict"] == "No column moved; 2 of 2 are about the same."
    assert "height → height_cm</span> renamed" in text(client.get(address))


@pytest.mark.django_db
def test_who_may_and_what_is_not_there(project, as_user, bob, charlie):
    for user in (charlie, None):
        assert as_user(user).get(f"{ADDRESS}/v1...main/t.csv").status_code == 404
    client = as_user(bob)
    assert client.post(f"{ADDRESS}/v1...main/t.csv").status_code == 405
    for path in ("", "/README.md", "/none.csv"):
        assert client.get(f"{ADDRESS}/v1...main{path}").status_code == 404
    lost = client.get(f"{ADDRESS}/v1...main/lost.csv?format=json").json()
    assert (lost["state"], lost["missing"][0]["side"]) == ("missing", "head")


@pytest.mark.parametrize(
    ("value", "told"), [(None, ""), (0, "0.000"), (0.0672071, "0.067"), (2.4e-5, "< 0.001"), (1.5, "1.500")]
)
def test_distances_are_told_in_three_decimals(value, told):
    assert distance(value) == told
