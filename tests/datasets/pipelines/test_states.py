"""Which stages changed: what we read from a commit is what the real `dvc status` says in a checkout of it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.datasets.pipelines.test_resolving import lay_out, real
from tests.datasets.test_pipelines import ask, how

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("nothing_kept")]
PIPELINE = """
stages:
  copy:
    cmd: cat in.txt dir/a.txt dir/more/b.txt > out.txt
    deps: [in.txt, dir]
    outs: [out.txt]
  count:
    cmd: mkdir -p folder/deep && wc -l < out.txt > folder/one.txt && cp out.txt folder/deep/two.txt && echo {} > m.json
    deps: [out.txt]
    params: [lr, conf.json: [a.b], code.py: [X], whole.yaml: ]
    outs: [folder]
    metrics: [m.json: {cache: false}]
  use:
    cmd: cat folder/deep/two.txt > sub/last.txt
    deps: [folder/deep, folder/one.txt]
    outs: [sub/last.txt]
  still:
    cmd: cp in.txt still.txt
    deps: [in.txt]
    outs: [still.txt]
    frozen: true
  always:
    cmd: "true"
"""
PROJECT = {
    "dvc.yaml": PIPELINE,
    "in.txt": "one\r\ntwo\n",
    "dir/a.txt": "a\n",
    "dir/more/b.txt": "b\n",
    "sub/.keep": "",
    "params.yaml": "lr: 1.0e-3\nunused: 1\n",
    "conf.json": '{"a": {"b": [1, 2]}}',
    "code.py": "X = (1, 'y')\n",
    "whole.yaml": "one: 1\ntwo: yes\n",
}
CHANGES: list[dict[str, str | None]] = [
    {},
    {"in.txt": "one\ntwo\n"},
    {"dir/more/b.txt": "c\n"},
    {"dir/new.txt": "c\n"},
    {"dir/a.txt": None},
    {"in.txt": None},
    {"params.yaml": "lr: 0.001\nunused: 2\n"},
    {"params.yaml": "lr: 1\n"},
    {"params.yaml": "other: 1\n"},
    {"params.yaml": None},
    {"conf.json": '{"a": {"b": [1, 2, 3]}}'},
    {"code.py": "X = (1, 'z')\n"},
    {"whole.yaml": "one: 1\ntwo: yes\nthree: 3\n"},
    {"m.json": "{}{}\n"},
    {"dvc.yaml": PIPELINE.replace("cp out.txt folder", "cp -f out.txt folder")},
    {"dvc.yaml": PIPELINE.replace("deps: [out.txt]", "deps: [out.txt, whole.yaml]")},
    {"dvc.yaml": PIPELINE.replace("params: [lr,", "params: [lr, unused,")},
]
OUTPUTS = {"out.txt", "folder", "sub/last.txt", "still.txt"}


def test_it_says_what_dvc_status_says(private, writer, keep, as_user, bob, tmp_path):
    folder = tmp_path / "project"
    lay_out({**PROJECT, "dvc.yaml": PIPELINE.replace("    frozen: true\n", "")}, folder)
    real(folder, "run")
    lay_out(PROJECT, folder)
    (folder / "changes.json").write_text(json.dumps(CHANGES))
    theirs = real(folder, "changed")
    (folder / "changes.json").unlink()
    for place in (folder / ".dvc" / "cache" / "files" / "md5").glob("*/*"):
        keep(private, place.read_bytes(), suffix=".dir" if place.name.endswith(".dir") else "")
    start = in_git(folder)
    # Every change in a folder of its own, so that one piece of work answers them all.
    projects = {f"p{number}": {**start, **change} for number, change in enumerate(CHANGES)}
    made = writer(private)
    made.commit(
        {f"{name}/{path}": data for name, files in projects.items() for path, data in files.items() if data is not None}
    )
    states = how(ask(as_user(bob)))
    assert len(states) == 5 * len(CHANGES)
    for number, change in enumerate(CHANGES):
        own = {a.partition(":")[2]: state for a, state in states.items() if a.startswith(f"p{number}/")}
        assert sorted(name for name, state in own.items() if state == "changed") == theirs[number], change
        assert {state for name, state in own.items() if name not in theirs[number]} == {"up to date"}, change


def in_git(folder: Path) -> dict[str, bytes]:
    """The files of a checkout that git would hold."""
    shutil.rmtree(folder / ".dvc")
    found = {str(place.relative_to(folder)): place for place in folder.rglob("*") if place.is_file()}
    return {p: at.read_bytes() for p, at in found.items() if p not in OUTPUTS and not p.startswith("folder/")}
