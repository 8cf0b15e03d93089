"""Lineage both ways: data → stage → data → commit → run → model version, without user code."""

from __future__ import annotations

import hashlib
import html
import json
import re
import shutil
from typing import Any
from urllib.parse import quote

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from datasets.pipelines import boxes
from datasets.tracked import commits as datasets_commits
from experiments import indexing, removal
from experiments.lineage import graph as graphs
from experiments.lineage import indexing as lineage_indexing
from experiments.lineage.nodes import Ref
from experiments.models import DataState, LineageIndex, RunCommit, StageItem, StageRecord
from tests.datasets.test_contents import pointer

pytestmark = pytest.mark.django_db(transaction=True)
PAGE, API = "/alice/private/lineage", "/api/v1/repos/alice/private/lineage"
RAW, CLEAN, MODEL, LATER, IMAGES = (letter * 32 for letter in "abcde")
TRAIN = "print('train')\n"


def md5(text: str) -> str:
    return hashlib.md5(text.encode()).hexdigest()


def lock(model: str = MODEL) -> str:
    """dvc.lock of two stages, as DVC writes it."""

    def items(**found: str) -> list[dict[str, str]]:
        return [
            {"path": path.replace("__", "/").replace("_", "."), "hash": "md5", "md5": m} for path, m in found.items()
        ]

    stages = {
        "prepare": {"cmd": "python prepare.py", "deps": items(raw_csv=RAW), "outs": items(clean_csv=CLEAN)},
        "train": {
            "cmd": "python train.py",
            "deps": items(clean_csv=CLEAN, train_py=md5(TRAIN), images__cats=md5("cats") + ".dir"),
            "outs": items(model_pkl=model, metrics_json=md5("{}")),
        },
    }
    return json.dumps({"schema": "2.0", "stages": stages})


@pytest.fixture
def project(private: Any, writer: Any) -> Any:
    """alice/private: the pipeline ran, code changed, the pipeline ran again with another model."""
    made = writer(private)
    files = {"raw.csv.dvc": pointer(RAW, "raw.csv"), "images.dvc": pointer(f"{IMAGES}.dir", "images")}
    files |= {"dvc.yaml": "stages: {}\n", "train.py": TRAIN, "metrics.json": "{}", ".dvc/config": ""}
    made.first = made.commit({**files, "dvc.lock": lock()}, "Run the pipeline")
    made.second = made.commit({"README.md": "words"}, "Words")
    made.third = made.commit({"dvc.lock": lock(LATER)}, "Train again")
    index(private)
    return made


def index(repository: Any) -> None:
    datasets_commits.index(repository)
    lineage_indexing.index_stages(repository)
    indexing.refresh(repository.pk)


@pytest.fixture
def runs(project: Any, client: Any, private: Any) -> dict[str, str]:
    """A run of each commit; a version of a model made of the first."""
    made = {}
    for number, name in enumerate(("first", "second", "third")):
        tags = [{"key": "mlflow.source.git.commit", "value": getattr(project, name)}]
        tags.append({"key": "mlflow.source.name", "value": "train.py"})
        made[name] = client.run(run_name=name, start_time=number + 1, tags=tags)["run_id"]
    client.call("POST", "registered-models/create", {"name": "birds & co"})
    source = client.call("GET", f"runs/get?run_id={made['first']}")["run"]["info"]["artifact_uri"]
    client.call(
        "POST",
        "model-versions/create",
        {"name": "birds & co", "source": f"{source}/model", "run_id": made["first"]},
    )
    indexing.refresh(private.pk)
    return made


def asked(pages: Any, what: str, **query: Any) -> dict[str, Any]:
    answer = pages.get(f"{API}/{quote(what)}", query)
    assert answer.status_code == 200, answer.content
    return answer.json()


def names(groups: list[dict[str, Any]]) -> dict[str, list[str]]:
    return {group["kind"]: [node["name"] for node in group["nodes"]] for group in groups}


# ---- both ways ---------------------------------------------------------------------------------
def test_data_knows_who_made_it_and_who_used_it(pages, project, runs):
    found = asked(pages, f"dataset/{CLEAN}")
    assert found["node"]["name"] == "clean.csv"
    assert found["node"]["url"] == f"/alice/private/blob/{project.first}/clean.csv"
    assert names(found["made_from"]) == {"stage": ["prepare"], "commit": ["Run the pipeline"]}
    used = names(found["used_by"])
    assert used == {"stage": ["train", "train"], "run": ["third", "second", "first"], "model": ["birds & co v1"]}


def test_only_runs_whose_commit_holds_it(pages, project, runs):
    assert names(asked(pages, f"dataset/{LATER}")["used_by"]) == {"run": ["third"]}
    assert names(asked(pages, f"dataset/{MODEL}")["used_by"])["run"] == ["second", "first"]


def test_a_stage_a_commit_a_run_and_a_model(pages, project, runs):
    stage = StageRecord.objects.get(name="train", sha=project.first)
    found = asked(pages, f"stage/{stage.key}")
    made = names(found["made_from"])
    assert made == {"dataset": ["clean.csv", "images"], "file": ["train.py", "images/cats"]}
    assert names(found["used_by"]) == {"dataset": ["model.pkl", "metrics.json"]}
    found = asked(pages, f"commit/{project.third}")
    held = ["clean.csv", "images", "model.pkl", "raw.csv"]
    assert names(found["made_from"]) == {"dataset": held, "stage": ["train"]}
    assert names(found["used_by"]) == {"run": ["third"]}
    found = asked(pages, f"run/{runs['first']}")
    assert names(found["made_from"]) == {"commit": ["Run the pipeline"], "dataset": held}
    assert names(found["used_by"]) == {"model": ["birds & co v1"]}
    found = asked(pages, "model/birds & co/1")
    assert names(found["made_from"]) == {"run": ["first"], "commit": ["Run the pipeline"], "dataset": held}
    assert found["used_by"] == []


def test_files_by_rev_and_path(pages, project, runs):
    found = asked(pages, "file/main/train.py")
    assert found["node"]["id"] == f"{md5(TRAIN)}/train.py"
    assert names(found["used_by"]) == {"stage": ["train", "train"]}
    assert asked(pages, f"file/{found['node']['id']}") == found
    for path, name in (("raw.csv", "raw.csv"), ("images/cats/1.png", "images"), ("metrics.json", "metrics.json")):
        assert asked(pages, f"file/main/{path}")["node"] | {"name": name} == asked(pages, f"file/main/{path}")["node"]
        assert asked(pages, f"file/main/{path}")["node"]["kind"] == "dataset"
    plain = asked(pages, "file/main/README.md")
    assert (plain["made_from"], plain["used_by"], plain["reproduce"]) == ([], [], [])
    assert plain["node"]["url"] == f"/alice/private/blob/{project.third}/README.md"


def test_the_same_content_elsewhere_counts_once(pages, project, runs, private):
    project.commit({"copy.csv.dvc": pointer(RAW, "copy.csv")}, "A copy")
    index(private)
    found = asked(pages, f"dataset/{RAW}")
    assert found["node"]["note"] == f"{RAW[:7]}, also at 1 other path"
    assert names(found["made_from"]) == {"commit": ["Run the pipeline", "A copy"]}
    assert names(found["used_by"])["run"] == ["third", "second", "first"]
    assert names(asked(pages, "commit/main")["made_from"])["dataset"].count("raw.csv") == 1


def test_a_logged_input_with_a_hash_of_dvc_is_joined(pages, project, client, private):
    run = client.run(run_name="no commit")["run_id"]
    data = [
        {"name": "raw", "digest": RAW},
        {"name": "other", "digest": "12345678"},
        {"name": "d", "digest": f"{IMAGES}.dir"},
    ]
    given = [{"dataset": {**one, "source_type": "local", "source": "{}"}} for one in data]
    client.call("POST", "runs/log-inputs", {"run_id": run, "datasets": given})
    assert sorted(names(asked(pages, f"run/{run}")["made_from"])["dataset"]) == ["images", "raw.csv"]
    assert names(asked(pages, f"dataset/{RAW}")["used_by"])["run"] == ["no commit"]
    assert asked(pages, f"run/{run}")["reproduce"] == []


def test_deleted_runs_are_left_out(pages, project, runs, client):
    client.call("POST", "runs/delete", {"run_id": runs["third"]})
    assert names(asked(pages, f"dataset/{CLEAN}")["used_by"])["run"] == ["second", "first"]
    assert pages.get(f"{API}/run/{runs['third']}").status_code == 404
    client.call("POST", "runs/delete", {"run_id": runs["first"]})
    assert asked(pages, "model/birds & co/1")["made_from"] == []


# ---- the graph ---------------------------------------------------------------------------------
def test_the_graph_leads_from_data_to_the_model(pages, project, runs):
    found = asked(pages, "model/birds & co/1", depth=4)["graph"]
    names_ = [node["name"] for node in found["nodes"]]
    edges = {(names_[tail], names_[head]) for tail, head in found["edges"]}
    assert {
        ("first", "birds & co v1"),
        ("Run the pipeline", "first"),
        ("raw.csv", "Run the pipeline"),
        ("model.pkl", "Run the pipeline"),
        ("train", "model.pkl"),
        ("prepare", "clean.csv"),
    } <= edges
    assert ("clean.csv", "train") not in edges  # five steps away
    down = asked(pages, f"dataset/{RAW}", depth=4)["graph"]
    names_ = [node["name"] for node in down["nodes"]]
    assert {"raw.csv", "prepare", "clean.csv", "train", "model.pkl", "first", "birds & co v1"} <= set(names_)


def test_the_graph_is_bounded(pages, project, client, private, monkeypatch):
    tags = [{"key": "mlflow.source.git.commit", "value": project.third}]
    for number in range(graphs.PER_NODE + 3):
        client.run(run_name=f"run-{number}", start_time=number + 1, tags=tags)
    indexing.refresh(private.pk)
    found = asked(pages, f"commit/{project.third}", depth=1)
    assert found["graph"]["more"] == [{"node": 0, "way": "down", "count": 3}]
    page = pages.get(f"{PAGE}/commit/{project.third}").content.decode()
    assert "3 more" in page
    monkeypatch.setattr(graphs, "MOST_NODES", 5)
    found = graphs.graph(private, Ref("commit", project.third))
    assert len(found.nodes) == 5
    assert found.more[found.start, "down"] == graphs.PER_NODE + 3


def test_groups_are_paged(pages, project, client, private):
    tags = [{"key": "mlflow.source.git.commit", "value": project.third}]
    for number in range(7):
        client.run(run_name=f"run-{number}", start_time=number + 1, tags=tags)
    indexing.refresh(private.pk)
    first, second = (asked(pages, "commit/main", limit=4, page=page)["used_by"][0] for page in (1, 2))
    assert (first["total"], first["more"], second["more"]) == (7, 3, 0)
    assert [node["name"] for node in [*first["nodes"], *second["nodes"]]] == [f"run-{n}" for n in reversed(range(7))]
    assert pages.get(f"{API}/commit/main?page=0").status_code == 400
    assert pages.get(f"{API}/commit/main?depth=9").status_code == 400
    assert pages.get(f"{PAGE}/commit/main?page=x").status_code == 400


# ---- pages -------------------------------------------------------------------------------------
def test_every_kind_has_a_page_and_a_panel(pages, project, runs):
    stage = StageRecord.objects.filter(name="train").first()
    for what in (
        f"dataset/{CLEAN}",
        "file/main/train.py",
        f"stage/{stage.key}",
        "commit/main",
        f"run/{runs['first']}",
        "model/birds%20%26%20co/1",
    ):
        page, panel = pages.get(f"{PAGE}/{what}"), pages.get(f"{PAGE}/{what}?fragment=1")
        assert (page.status_code, panel.status_code) == (200, 200)
        text = page.content.decode()
        assert 'class="pipe"' in text
        assert "Made from" in text
        assert "<!doctype" not in panel.content.decode().lower()
        assert "Lineage" in panel.content.decode()
    assert pages.get(f"{PAGE}/file/main/README.md?fragment=1").content.strip() == b""
    assert "No lineage yet" in pages.get(f"{PAGE}/file/main/README.md").content.decode()


def test_the_pages_of_things_fetch_their_panel(pages, project, runs):
    for page, panel in (
        ("blob/main/train.py", f"file/{project.third}/train.py"),
        ("commit/main", f"commit/{project.third}"),
        ("tree/main/images", f"file/{project.third}/images"),
        ("datasets/history/main/raw.csv", f"file/{project.third}/raw.csv"),
        (f"experiments/runs/{runs['first']}", f"run/{runs['first']}"),
        ("models/birds%20%26%20co/versions/1", "model/birds%20&amp;%20co/1"),
    ):
        text = pages.get(f"/alice/private/{page}").content.decode()
        assert f'hx-get="{PAGE}/{panel}?fragment=1"' in text
        assert pages.get(f"{PAGE}/{html.unescape(panel)}?fragment=1").status_code == 200


def test_a_stage_leads_to_its_place_in_the_list(pages, project):
    stage = StageRecord.objects.get(name="prepare")
    url = asked(pages, f"stage/{stage.key}")["node"]["url"]
    assert url == f"/alice/private/pipelines/{project.first}#{boxes.anchor('prepare')}"


def test_each_version_in_a_history_leads_to_its_lineage(pages, project):
    page = pages.get("/alice/private/datasets/history/main/model.pkl").content.decode()
    assert {f'href="{PAGE}/dataset/{MODEL}"', f'href="{PAGE}/dataset/{LATER}"'} <= set(
        re.findall(r'href="[^"]*"', page)
    )


def test_it_reproduces_with_the_pipeline_or_the_script(pages, project, runs, private, client):
    lines = asked(pages, f"run/{runs['first']}")["reproduce"]
    assert lines[1].endswith("/alice/private.git")
    assert lines[2:4] == ["cd private", f"git checkout --detach {project.first}"]
    assert lines[-2:] == ["dvc pull images raw.csv", "dvc repro"]
    assert any("COVEY_TOKEN" in line for line in lines)
    assert asked(pages, f"dataset/{MODEL}")["reproduce"][-1] == "dvc pull model.pkl"
    project.commit({"dvc.lock": None, "dvc.yaml": None, "-odd name.dvc": pointer(LATER, "-odd name")}, "No pipeline")
    index(private)
    assert asked(pages, "commit/main")["reproduce"][-1] == "dvc pull './-odd name' images raw.csv"
    project.commit({"sub/go.py": "1"}, "A script")
    for source, last in (
        ("/home/me/project/sub/go.py", "python sub/go.py"),
        ("C:\\me\\sub\\go.py", "python sub/go.py"),
        ("../sub/go.py", "dvc pull './-odd name' images raw.csv"),
        ("no.py", "dvc pull './-odd name' images raw.csv"),
        ("train.py" + "/" * 7000, "dvc pull './-odd name' images raw.csv"),
    ):
        tags = {"mlflow.source.git.commit": project.tips["main"], "mlflow.source.name": source}
        run = client.run(tags=[{"key": key, "value": value} for key, value in tags.items()])["run_id"]
        indexing.refresh(private.pk)
        assert asked(pages, f"run/{run}")["reproduce"][-1] == last
    private.private = False
    private.save()
    assert not any("COVEY_TOKEN" in line for line in asked(pages, "commit/main")["reproduce"])


# ---- the index ---------------------------------------------------------------------------------
def test_indexing_again_changes_nothing(project, private, runs):
    before = [model.objects.count() for model in (StageRecord, StageItem, DataState, RunCommit)]
    assert before == [3, 14, 2, 3]
    lineage_indexing.index_stages(private, again=True)
    indexing.refresh(private.pk)
    assert [model.objects.count() for model in (StageRecord, StageItem, DataState, RunCommit)] == before


def test_indexing_again_makes_what_was_lost(project, private, runs):
    """Also of a stage whose own row is still there."""
    StageItem.objects.filter(pk__in=list(StageItem.objects.order_by("pk").values_list("pk", flat=True))[::2]).delete()
    LineageIndex.objects.all().delete()
    lineage_indexing.index_stages(private, again=True)
    assert [model.objects.count() for model in (StageRecord, StageItem)] == [3, 14]


def test_a_rebuild_that_cannot_read_git_fails(project, private, runs):
    shutil.rmtree(private.path / "objects" / "pack")
    for loose in (private.path / "objects").glob("??"):
        shutil.rmtree(loose)
    with pytest.raises(CommandError, match="1 repositories could not be read"):
        call_command("rebuild_experiments")


def test_nothing_is_left_of_a_deleted_repository(project, private, runs):
    private.deleted = timezone.now()
    private.save()
    removal.remove(private.pk)
    for model in (StageRecord, StageItem, DataState, RunCommit, LineageIndex):
        assert not model.objects.exists()


def test_a_run_that_names_another_commit_is_moved(project, private, runs, client, pages):
    tag = {"run_id": runs["third"], "key": "mlflow.source.git.commit", "value": project.first}
    client.call("POST", "runs/set-tag", tag)
    indexing.refresh(private.pk)
    assert asked(pages, f"dataset/{LATER}")["used_by"] == []
    assert "third" in names(asked(pages, f"dataset/{MODEL}")["used_by"])["run"]


HOSTILE = [
    "- a\n- b\n",
    "stages: 7\n",
    "stages: {x: 1, y: {deps: 3, outs: [4, {path: 5}]}}\n",
    'stages: {"a\\0b": {cmd: ["x", "\\0"], outs: [{path: o, md5: ' + RAW + "}]}}\n",
    "stages: {x: {deps: [{path: ../../etc, md5: " + RAW + "}, {path: 's3://b/k', etag: x}]}}\n",
    "stages: {" + "x" * 900 + ": {outs: [{path: " + "é" * 3000 + ", md5: " + RAW + "}]}}\n",
    "&a [*a]",
    b"\xff\xfe",
]


def test_hostile_locks_do_no_harm(private, writer, pages):
    made = writer(private)
    for number, text in enumerate(HOSTILE):
        made.commit({"dvc.lock": text, "raw.csv.dvc": pointer(RAW, "raw.csv")})
        index(private)
        assert pages.get(f"{API}/commit/main").status_code == 200, number
    records = StageRecord.objects.all()
    assert {record.name[:3] for record in records} == {"y", "a�b", "x", "xxx"}
    for record in records:
        assert pages.get(f"{PAGE}/stage/{record.key}").status_code == 200


# ---- who may, and what is not there ------------------------------------------------------------
ABSENT = [
    "dataset/" + "0" * 32,
    "dataset/x",
    "dataset/main/train.py",
    "dataset/files:" + "0" * 64,
    "file/main",
    "file/main/none",
    "file/" + "0" * 32 + "/train.py",
    "stage/" + "0" * 32,
    "stage/%00",
    "commit/none",
    "commit/main/train.py",
    "run/" + "0" * 32,
    "run/x",
    "model/none/1",
    "model/birds & co/2",
    "model/birds & co/99999999999",
    "model/1",
    "other/1",
    "file/-main/x",
    "file/main/" + "x" * 10_000,
    "run/%F0%9F%90%A6",
]


def test_what_is_not_there(pages, project):
    for what in ABSENT:
        address = quote(what, safe="/%")
        assert pages.get(f"{PAGE}/{address}").status_code == 404, what
        assert pages.get(f"{PAGE}/{address}?fragment=1").status_code == 404, what
        assert pages.get(f"{API}/{address}").status_code == 404, what


def test_ids_of_another_repository_are_absent(pages, project, runs, public, writer):
    writer(public).commit({"README.md": "x"})
    stage = StageRecord.objects.first()
    for what in (
        f"dataset/{RAW}",
        f"stage/{stage.key}",
        f"commit/{project.first}",
        f"run/{runs['first']}",
        "model/birds & co/1",
    ):
        assert pages.get(f"/alice/public/lineage/{quote(what)}").status_code == 404
        assert pages.get(f"/api/v1/repos/alice/public/lineage/{quote(what)}").status_code == 404


def test_who_may(project, runs, as_user, bob, charlie, pages, token_of):
    address = f"dataset/{RAW}"
    assert as_user(bob).get(f"{PAGE}/{address}").status_code == 200
    for user in (charlie, None):
        assert as_user(user).get(f"{PAGE}/{address}").status_code == 404
    assert as_user(charlie).get(f"{API}/{address}").status_code == 404
    assert pages.post(f"{PAGE}/{address}").status_code == 405
    assert pages.post(f"{API}/{address}").status_code == 405
    for scopes, status in ((["experiments:read"], 403), (["experiments:read", "repo:read", "data:read"], 200)):
        header = {"Authorization": f"Bearer {token_of(bob, scopes=scopes)}"}
        assert as_user(None).get(f"{API}/{address}", headers=header).status_code == status


def test_it_needs_few_queries(pages, project, runs, statements, django_assert_max_num_queries):
    asked(pages, f"dataset/{RAW}")
    with django_assert_max_num_queries(18), statements() as told:
        asked(pages, f"dataset/{RAW}")
    assert len(told) <= 5
    with django_assert_max_num_queries(45), statements() as told:
        asked(pages, f"dataset/{RAW}", depth=4)
    assert len(told) <= 25
