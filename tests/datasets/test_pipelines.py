"""The pipelines of a revision: how each stage stands, what it needs and makes, the drawing, the list, the JSON."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from hub.jobs import jobs
from hub.jobs.models import Job
from tests.datasets.test_contents import md5, pointer
from tests.datasets.test_data_page import text

pytestmark = pytest.mark.django_db
ADDRESS = "/alice/private/pipelines"
PREP, TRAIN, RAW, CLEAN, MODEL = b"prep\n", b"train\n", b"a\n1\n", b"a\n2\n", b"model"
METRICS = '{"acc": 0.5}\n'
PIPELINE = """stages:
  prepare:
    cmd: python prep.py
    deps: [prep.py, raw.csv]
    outs: [clean.csv]
  train:
    cmd: python train.py
    deps: [train.py, clean.csv]
    params: [lr, epochs]
    outs: [model.pkl]
    metrics: [{metrics.json: {cache: false}}]
"""


def item(path: str, data: bytes) -> str:
    return f"    - path: {path}\n      hash: md5\n      md5: {md5(data)}\n      size: {len(data)}\n"


def lock(*, lr: str = "0.1", cmd: str = "python train.py") -> str:
    return (
        "schema: '2.0'\nstages:\n"
        f"  prepare:\n    cmd: python prep.py\n    deps:\n{item('prep.py', PREP)}{item('raw.csv', RAW)}"
        f"    outs:\n{item('clean.csv', CLEAN)}"
        f"  train:\n    cmd: {cmd}\n    deps:\n{item('train.py', TRAIN)}{item('clean.csv', CLEAN)}"
        f"    params:\n      params.yaml:\n        lr: {lr}\n        epochs: 3\n"
        f"    outs:\n{item('model.pkl', MODEL)}{item('metrics.json', METRICS.encode())}"
    )


FILES: dict[str, Any] = {
    "dvc.yaml": PIPELINE,
    "dvc.lock": lock(),
    "params.yaml": "lr: 0.1\nepochs: 3\n",
    "prep.py": PREP,
    "train.py": TRAIN,
    "metrics.json": METRICS,
    "raw.csv.dvc": pointer(md5(RAW), "raw.csv"),
}


@pytest.fixture(autouse=True)
def nothing_kept(settings):
    """Results are named by the repository's number, which every test begins at 1 again."""
    for place in Path(settings.COVEY_HOME).glob("cache/results-*"):
        shutil.rmtree(place)


@pytest.fixture
def project(private, writer, keep):
    """alice/private: two stages that are up to date, all objects pushed."""
    made = writer(private)
    for data in (RAW, CLEAN, MODEL):
        keep(private, data)
    made.commit(FILES)
    return made


def work() -> None:
    for job_id in jobs.due():
        jobs.work(job_id)


def ask(client: Any, rest: str = "main") -> Any:
    """The JSON of a page, once the work is done."""
    first = client.get(f"{ADDRESS}/{rest}?format=json")
    if first.status_code == 202:
        assert first["Retry-After"] == "1"
        work()
    return client.get(f"{ADDRESS}/{rest}?format=json")


def stages(answer: Any) -> dict[str, Any]:
    return {stage["address"]: stage for stage in answer.json()["stages"]}


def how(answer: Any) -> dict[str, str]:
    return {address: stage["state"] for address, stage in stages(answer).items()}


def test_stages_that_ran_are_up_to_date(project, as_user, bob):
    answer = ask(as_user(bob))
    assert answer.status_code == 200
    assert how(answer) == {"prepare": "up to date", "train": "up to date"}
    assert answer.json()["summary"]["up_to_date"] == 2
    assert sorted(answer.json()["edges"]) == [["prepare", "train"], ["raw.csv.dvc", "prepare"]]
    train = stages(answer)["train"]
    assert train["cmd"] == ["python train.py"]
    assert [(p["name"], p["value"], p["state"]) for p in train["params"]] == [
        ("lr", 0.1, "same"),
        ("epochs", 3, "same"),
    ]
    assert [(o["path"], o["kind"], o["pushed"]) for o in train["outs"]] == [
        ("model.pkl", "out", True),
        ("metrics.json", "metric", None),
    ]
    assert json.loads(answer.content)["problems"] == []


def test_the_page_draws_and_lists_them(project, as_user, bob):
    client = as_user(bob)
    waiting = text(client.get(f"{ADDRESS}/main"))
    assert "Resolving the stages" in waiting or "Waiting for a worker" in waiting
    work()
    page = text(client.get(f"{ADDRESS}/main"))
    assert page.count('class="pipe-box pipe-ok"') == 2
    assert 'class="pipe-box pipe-data" href="/alice/private/blob/main/raw.csv"' in page
    assert 'href="/alice/private/blob/main/train.py"' in page
    assert "style=" not in page
    assert Job.objects.count() == 1
