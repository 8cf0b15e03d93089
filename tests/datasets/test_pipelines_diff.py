"""What changed in the pipelines between two revisions: stages, commands, parameters, dependencies, outputs."""

from __future__ import annotations

import pytest

from hub.jobs.models import Job
from tests.datasets.test_contents import md5, pointer
from tests.datasets.test_data_page import text
from tests.datasets.test_pipelines import ADDRESS, FILES, PIPELINE, ask, lock, pushed
from tests.support.work import work

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("nothing_kept")]
AFTER = PIPELINE.replace("  prepare:", "  clean:").replace("[lr, epochs]", "[lr, depth]").replace("train.py\n", "t\n")


@pytest.fixture
def project(private, writer, keep):
    return pushed(writer(private), keep)


@pytest.fixture
def changed(project):
    """v1 → main: prepare became clean, train got another command, another lr, depth instead of epochs."""
    project.git("tag", "v1")
    project.commit({"dvc.yaml": AFTER, "params.yaml": "lr: 0.5\ndepth: [1, 2]\n"})
    return project


def test_stages_and_what_is_in_them(changed, as_user, bob):
    answer = ask(as_user(bob), "diff/v1...main").json()
    assert answer["summary"] == {"stages_added": 1, "stages_removed": 1, "stages_changed": 1, "stages_same": 0}
    found = {stage["address"]: stage for stage in answer["stages"]}
    assert {address: stage["status"] for address, stage in found.items()} == {
        "clean": "added",
        "train": "changed",
        "prepare": "removed",
    }
    train = found["train"]
    assert train["cmd"] == {"old": ["python train.py"], "new": ["python t"]}
    values = {p["name"]: [(p[side] or {}).get("value") for side in ("old", "new")] for p in train["params"]}
    assert {(p["status"], (p["new"] or p["old"])["name"]) for p in train["params"]} == {
        ("changed", "lr"),
        ("added", "depth"),
        ("removed", "epochs"),
    }
    assert values
    assert train["deps"] == []
    assert {"from": "clean", "to": "train", "status": "added"} in answer["edges"]
    assert {"from": "prepare", "to": "train", "status": "removed"} in answer["edges"]
    assert found["clean"]["cmd"]["old"] is None
    assert [dep["name"] for dep in found["prepare"]["deps"]] == ["prep.py", "raw.csv"]


def test_the_page_colours_and_lists_them(changed, as_user, bob):
    client = as_user(bob)
    assert "Waiting for a worker" in text(client.get(f"{ADDRESS}/diff/v1...main"))
    work()
    page = text(client.get(f"{ADDRESS}/diff/v1...main"))
    for look in ("ok", "bad", "warn"):
        assert page.count(f'class="pipe-box pipe-{look}"') == 1
    assert "<del>0.1</del> → <ins>0.5</ins>" in page
    assert "python train.py" in page
    assert "python t" in page
    assert 'href="/alice/private/datasets/diff/v1...main/prep.py"' in page
    commits = changed.git("rev-parse", "v1", "main").split()
    assert f'href="{ADDRESS}/diff/{commits[0]}...{commits[1]}"' in page
    assert f'href="{ADDRESS}/diff/main...v1"' in page
    only = text(client.get(f"{ADDRESS}/diff/v1...main?status=removed"))
    assert only.count('<section class="box pipe-stage"') == 1
    assert "style=" not in page


def test_data_and_outputs_that_changed(project, as_user, bob):
    project.git("tag", "v1")
    relocked = lock().replace(md5(b"model"), "c" * 32)
    project.commit({"raw.csv.dvc": pointer("b" * 32, "raw.csv"), "train.py": "new\n", "dvc.lock": relocked})
    answer = ask(as_user(bob), "diff/v1...main").json()
    found = {stage["address"]: stage for stage in answer["stages"]}
    assert [(dep["name"], dep["status"]) for dep in found["prepare"]["deps"]] == [("raw.csv", "changed")]
    assert [(dep["name"], dep["status"]) for dep in found["train"]["deps"]] == [("train.py", "changed")]
    assert [(out["name"], out["status"]) for out in found["train"]["outs"]] == [("model.pkl", "changed")]
    assert found["train"]["cmd"] is None


def test_the_same_is_said_to_be_the_same(project, as_user, bob):
    client = as_user(bob)
    project.git("tag", "v1")
    project.commit({"README.md": "x"})
    answer = ask(client, "diff/v1...main").json()
    assert (answer["summary"]["stages_same"], answer["stages"]) == (2, [])
    page = text(client.get(f"{ADDRESS}/diff/v1...main"))
    assert "No stage changed" in page
    assert page.count('class="pipe-box pipe-same"') == 2
    assert page.count(f'href="{ADDRESS}/main#stage-') == 2


def test_a_pipeline_that_came_and_one_that_went(private, writer, as_user, bob):
    made = writer(private)
    made.commit({"README.md": "x"})
    made.git("tag", "v1")
    made.commit(FILES)
    client = as_user(bob)
    assert ask(client, "diff/v1...main").json()["summary"]["stages_added"] == 2
    assert ask(client, "diff/main...v1").json()["summary"]["stages_removed"] == 2


def test_problems_are_told_of_both_sides(project, as_user, bob):
    project.git("tag", "v1")
    project.commit({"dvc.yaml": PIPELINE + "  odd: {cmd: '${x}'}\n  new: {cmd: x, outs: [never.txt]}\n"})
    client = as_user(bob)
    answer = ask(client, "diff/v1...main").json()
    assert answer["problems"]["base"] == []
    assert [problem["stage"] for problem in answer["problems"]["head"]] == ["odd"]
    page = text(client.get(f"{ADDRESS}/diff/v1...main"))
    assert "Could not find" in page
    assert "never.txt" in page
    assert "datasets/diff/v1...main/never.txt" not in page  # there is nothing to compare


def test_it_costs_few_queries(changed, as_user, bob, django_assert_max_num_queries):
    client = as_user(bob)
    ask(client, "diff/v1...main")
    assert Job.objects.count() == 1
    with django_assert_max_num_queries(8):
        assert client.get(f"{ADDRESS}/diff/v1...main").status_code == 200
