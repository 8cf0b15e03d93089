"""`dvc plots diff` as a page, JSON and API: what dvc.yaml declares at either side, from git and from the store."""

from __future__ import annotations

import json

import pytest

from tests.datasets.test_contents import md5, pointer
from tests.datasets.test_data_page import text
from tests.support.work import work

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("nothing_kept")]
ADDRESS = "/alice/private/datasets/plots"
PIPELINE = """
stages:
  train:
    cmd: python train.py
    plots:
      - roc.csv: {x: fpr, y: tpr, title: ROC, cache: false}
      - confusion.json: {template: confusion, x: actual, y: predicted, cache: false}
plots:
  - live/metrics: {x: step}
  - both: {x: {live/metrics/loss.tsv: step}, y: {live/metrics/loss.tsv: loss, live/metrics/acc.tsv: acc}}
  - picture.png
  - kept.csv
"""
ROC, KEPT = "fpr,tpr\n0,0\n0.5,0.75\n1,1\n", b"n\n1\n2\n"


def live(scale: float) -> dict[str, str]:
    return {
        "live/metrics/loss.tsv": f"step\tloss\n0\t{scale}\n1\t{scale / 2}\n",
        "live/metrics/acc.tsv": f"step\tacc\n0\t{1 - scale}\n1\t{1 - scale / 2}\n",
    }


@pytest.fixture
def project(private, writer, keep):
    """v1 → main: other curves; kept.csv is tracked by DVC and pushed at both."""
    made = writer(private)
    keep(made.repository, KEPT)
    confusion = json.dumps([{"actual": "cat", "predicted": "cat"}, {"actual": "cat", "predicted": "dog"}])
    files = {"dvc.yaml": PIPELINE, "roc.csv": ROC, "confusion.json": confusion, "picture.png": b"\x89PNG old"}
    made.commit({**files, **live(0.5), "kept.csv.dvc": pointer(md5(KEPT), "kept.csv")})
    made.git("tag", "v1")
    made.commit({**live(0.25), "roc.csv": ROC.replace("0.75", "0.9")})
    return made


def ask(client, rest="v1...main", query=""):
    address = f"{ADDRESS}/{rest}?format=json{query}"
    if client.get(address).status_code == 202:
        work()
    answer = client.get(address)
    assert answer.status_code == 200, answer.content
    return answer.json()


def curves(plot):
    return {(one["side"], one["file"], one["field"]): (one["x"], one["y"]) for one in plot["series"]}


def test_points_of_both_sides_stand_in_one_plot(project, as_user, bob):
    answer = ask(as_user(bob))
    plots = {plot["id"]: plot for plot in answer["plots"]}
    assert answer["problems"] == []
    assert sorted(plots) == [
        "both",
        "confusion.json",
        "kept.csv",
        "live/metrics/acc.tsv",
        "live/metrics/loss.tsv",
        "picture.png",
        "roc.csv",
    ]
    roc = plots["roc.csv"]
    assert (roc["title"], roc["x"], roc["y"], roc["template"]) == ("ROC", "fpr", "tpr", "linear")
    assert curves(roc) == {
        ("base", "roc.csv", "tpr"): ([0, 0.5, 1], [0, 0.75, 1]),
        ("head", "roc.csv", "tpr"): ([0, 0.5, 1], [0, 0.9, 1]),
    }
    assert curves(plots["live/metrics/loss.tsv"])["head", "live/metrics/loss.tsv", "loss"] == ([0, 1], [0.25, 0.125])
    assert curves(plots["kept.csv"])["base", "kept.csv", "n"] == ([0, 1], [1, 2])  # without x: the place in the file
    assert curves(plots["confusion.json"])["head", "confusion.json", "predicted"] == (["cat", "cat"], ["cat", "dog"])
    assert set(curves(plots["both"])) == {
        (side, file, file.removesuffix(".tsv")) for side in ("base", "head") for file in ("loss.tsv", "acc.tsv")
    }
    assert plots["picture.png"]["images"] == {"base": "picture.png", "head": "picture.png"}
    assert not any(plot["errors"] for plot in plots.values())


def test_the_page_draws_each_and_shows_pictures(project, as_user, bob):
    client = as_user(bob)
    assert "Waiting for a worker" in text(client.get(f"{ADDRESS}/v1...main"))
    work()
    page = text(client.get(f"{ADDRESS}/v1...main"))
    assert page.count("data-plot-diff") == 6
    commits = project.git("rev-parse", "v1", "main").split()
    assert f'href="{ADDRESS}/{commits[0]}...{commits[1]}"' in page
    assert f'src="/alice/private/datasets/thumbnail/{commits[0]}/picture.png?edge=512"' in page
    one = ask(client, f"{commits[0]}...{commits[1]}", "&plot=roc.csv")
    assert [plot["id"] for plot in one["plots"]] == ["roc.csv"]


def test_a_template_of_the_repository_is_not_run_and_its_points_are_there(private, writer, as_user, bob):
    made = writer(private)
    yaml = "plots:\n  - a.csv: {template: mine}\n  - b.csv: {template: gone}\n  - c.csv: {template: smooth}\n"
    points = dict.fromkeys(("a.csv", "b.csv", "c.csv"), "n\n1\n2\n")
    made.commit({"dvc.yaml": yaml, ".dvc/plots/mine.json": "{}", **points})
    made.git("tag", "v1")
    made.commit({"a.csv": "n\n1\n3\n"})
    client = as_user(bob)
    plots = {plot["id"]: plot for plot in ask(client)["plots"]}
    assert (plots["a.csv"]["template"], plots["b.csv"]["template"]) == ("mine", "gone")
    page = text(client.get(f"{ADDRESS}/v1...main"))
    assert page.count("not run here") == 2
    assert page.count('data-own="1"') == 2
    assert page.count("/.dvc/plots/mine.json") == 1
    assert 'download="a.csv.json"' in page


def test_what_cannot_be_drawn_says_why(private, writer, keep, as_user, bob):
    made = writer(private)
    yaml = "plots:\n" + "".join(f"  - {name}\n" for name in ("a.csv", "odd.json", "gone.csv", "lost.csv", "far.txt"))
    made.commit(
        {
            "dvc.yaml": yaml,
            "a.csv": "n\n1\n",
            "odd.json": "{",
            "far.txt": "x",
            "lost.csv.dvc": pointer(md5(b"lost"), "lost.csv"),
        }
    )
    made.git("tag", "v1")
    made.commit({"a.csv": "n\n" + "1\n" * 30_000, "dvc.yaml": yaml + "  - ../out.csv\n"})
    plots = {plot["id"]: plot for plot in ask(as_user(bob))["plots"]}
    said = {name: " ".join(error["message"] for error in plot["errors"]) for name, plot in plots.items()}
    assert "30,000 points" in said["a.csv"]
    assert curves(plots["a.csv"]) == {("base", "a.csv", "n"): ([0], [1])}
    assert "it is not there" in said["gone.csv"]
    assert "dvc push" in said["lost.csv"]
    assert said["odd.json"]
    assert "formats are supported" in said["far.txt"]
    assert said["../out.csv"] == "it is not there"
    keep(made.repository, b"lost")  # what came is looked at again
    again = {plot["id"]: plot for plot in ask(as_user(bob))["plots"]}
    assert not [error for error in again["lost.csv"]["errors"] if "dvc push" in error["message"]]


def test_a_side_that_is_no_pipeline_spoils_only_itself(project, as_user, bob):
    project.git("tag", "v2")
    project.commit({"dvc.yaml": "plots: [{both: {y: 3}}]\n"})
    answer = ask(as_user(bob), "v2...main")
    assert any("dvc.yaml" in problem["message"] for problem in answer["problems"] if problem["side"] == "head")
    assert {one["side"] for plot in answer["plots"] for one in plot.get("series", [])} == {"base"}


def test_without_dvc_the_page_teaches(private, writer, as_user, bob):
    made = writer(private)
    made.commit({"a.txt": "a"})
    made.git("tag", "v1")
    page = text(as_user(bob).get(f"{ADDRESS}/v1...main"))
    assert "No plots at either side" in page


def test_strangers_see_nothing(project, as_user, charlie, client):
    for one in (client, as_user(charlie)):
        assert one.get(f"{ADDRESS}/v1...main").status_code == 404
        assert one.get("/api/v1/repos/alice/private/plots/diff/v1...main").status_code in {401, 404}


def test_wrong_methods_and_addresses(project, as_user, bob):
    client = as_user(bob)
    assert client.post(f"{ADDRESS}/v1...main").status_code == 405
    for rest in ("v1", "v1...nowhere", "v1...main/roc.csv"):
        assert client.get(f"{ADDRESS}/{rest}").status_code == 404


def test_the_api_answers_the_same(project, as_user, bob):
    wanted = ask(as_user(bob))
    answer = as_user(bob).get("/api/v1/repos/alice/private/plots/diff/v1...main?plot=both")
    assert answer.json()["plots"] == [plot for plot in wanted["plots"] if plot["id"] == "both"]


def test_the_tab_of_a_pull_request_loads_them(project, as_user, bob, alice):
    project.commit(live(0.1), branch="change", start=project.tips["main"])
    opened = as_user(alice).post(
        "/api/v1/repos/alice/private/pulls",
        json.dumps({"title": "t", "base": "main", "head": "change"}),
        content_type="application/json",
    )
    assert opened.status_code == 201, opened.content
    page = text(as_user(bob).get(f"/alice/private/pull/{opened.json()['number']}/experiments"))
    assert "/alice/private/datasets/plots/" in page
    assert "/alice/private/experiments/diff/" in page
