"""Paths in dvc.lock are written from the folder that their stage runs in, which only dvc.yaml tells."""

from __future__ import annotations

import pytest

from datasets.dvc import locks
from datasets.dvc.pointers import Out
from datasets.dvc.projects import folders_of, from_folder
from datasets.models import DatasetChange
from datasets.tracked import commits
from datasets.tracked.tracking import tracked
from tests.datasets.test_contents import md5

YAML = """stages:
  make: {cmd: echo hi > out.txt, wdir: sub, outs: [out.txt]}
  each:
    foreach: [eu, us]
    do: {cmd: echo, wdir: "sub/${item}", outs: [o.txt]}
  here: {cmd: echo, outs: [plain.txt]}
"""
LOCK = "schema: '2.0'\nstages:\n" + "".join(
    f"  {stage}:\n    cmd: x\n    outs:\n    - path: {path}\n      hash: md5\n      md5: {md5(stage.encode())}\n"
    for stage, path in {"make": "out.txt", "each@eu": "o.txt", "each@us": "o.txt", "here": "plain.txt"}.items()
)
PATHS = ["p/plain.txt", "p/sub/eu/o.txt", "p/sub/out.txt", "p/sub/us/o.txt"]  # where DVC 3.67 puts them


@pytest.mark.django_db
def test_outputs_are_found_where_dvc_puts_them(private, writer):
    made = writer(private)
    made.commit({"p/dvc.yaml": YAML, "p/dvc.lock": LOCK})
    assert sorted(tracked(private, made.tips["main"]).outputs) == PATHS


@pytest.mark.django_db
def test_a_history_knows_them_by_the_same_paths(private, writer):
    made = writer(private)
    made.commit({"p/dvc.yaml": YAML, "p/dvc.lock": LOCK})
    made.commit({"p/dvc.yaml": YAML.replace("wdir: sub,", "wdir: other,"), "p/dvc.lock": LOCK + "# again\n"})
    commits.index(private)
    changed = DatasetChange.objects.filter(repository=private)
    first, last = (changed.filter(commit=sha) for sha in made.git("rev-list", "--reverse", "main").split())
    assert sorted(first.values_list("version__path", flat=True)) == PATHS
    assert set(last.values_list("before__path", "version__path")) == {
        ("p/sub/out.txt", None),
        (None, "p/other/out.txt"),
    }


def test_stages_read_and_make_things_there():
    (stage, *_) = locks.records_of(LOCK.encode(), "p/dvc.lock", folders_of(YAML.encode()))
    assert [out.path for out in stage.outs] == ["p/sub/out.txt"]


@pytest.mark.parametrize(
    "data",
    [b"wdir", b"stages: [wdir]", b"stages: {a: wdir}", b"stages: {a: {wdir: [x]}}", b"stages: {a: &x {wdir: *x}}"],
)
def test_what_is_no_project_has_no_folders(data):
    assert folders_of(data) == {}


def test_a_template_that_only_dvc_resolves_moves_nothing():
    assert from_folder(Out("o.txt", ""), "a@x", {"a": "${dir}"}).path == "o.txt"


@pytest.mark.django_db
def test_a_folder_that_leads_out_of_the_repository_leads_nowhere(private, writer):
    made = writer(private)
    made.commit({"dvc.yaml": YAML.replace("wdir: sub,", "wdir: ../../etc,"), "dvc.lock": LOCK})
    assert not [path for path in tracked(private, made.tips["main"]).outputs if "etc" in path]
