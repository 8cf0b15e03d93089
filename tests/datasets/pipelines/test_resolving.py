"""dvc.yaml and dvc.lock → stages: exactly what the real DVC makes of them, and a sentence where it makes nothing."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from datasets.pipelines import resolving
from datasets.pipelines.graph import graph

LARGE = """
vars:
  - data: [a, b, c]
  - sizes: {small: {epochs: 1, tags: [x]}, large: {epochs: 9, tags: [y, z]}}
  - config/more.json:depth,name
stages:
  prepare:
    foreach: ${data}
    do:
      cmd:
        - python prepare.py ${item}
        - echo ${item} ${depth}
      deps: ["raw/${item}.csv", prepare.py]
      outs: ["clean/${item}.csv"]
  train:
    matrix:
      data: ${data}
      lr: [0.1, 0.01, 1e-3, 0.5]
      seed: [1, 2, 3, 4, 5]
      size: [{s: 1}, {s: 2}, {s: 3}]
    wdir: work
    cmd: python ../train.py ${item.data} --lr ${item.lr} --seed ${item.seed} --size ${item.size.s} --key ${key}
    deps: ["../clean/${item.data}.csv", ../train.py]
    params: [lr, "../params.yaml": [train.epochs]]
    outs:
      - "models/${key}.pkl"
      - "logs/${key}":
          cache: false
  score:
    foreach: ${sizes}
    do:
      cmd: score ${key} ${item.epochs} ${train.epochs} ${name}
      deps: [work/models]
      metrics:
        - "metrics/${key}.json":
            cache: false
  report:
    cmd: python report.py ${nested.a.b}
    deps: [metrics, ../elsewhere.txt]
    plots:
      - report.csv:
          x: step
"""
SUB = """
vars: [local.yaml, {here: there}]
stages:
  tail:
    cmd: tail ${here} ${deep.er}
    wdir: ${here}
    deps: [../../metrics/small.json]
    outs: [tail.txt]
    vars: [{own: 1}]
    desc: ${own} of them
"""
PROJECT = {
    "dvc.yaml": LARGE.replace(", ../elsewhere.txt", ""),
    "params.yaml": "train: {epochs: 3}\nnested: {a: {b: c}}\nlr: 1\n",
    "work/params.yaml": "lr: 5\n",
    "config/more.json": '{"depth": 4, "name": "n", "other": 1}',
    "sub/dvc.yaml": SUB,
    "sub/local.yaml": "deep: {er: 1.50}\n",
    "sub/there/.gitkeep": "",
    "raw.dvc": "outs:\n- md5: 11111111111111111111111111111111.dir\n  hash: md5\n  path: raw\n",
}


def resolve(files: dict[str, Any]) -> dict[str, Any]:
    """As the worker does it, with all files given at once."""
    given_ = {path: base64.b64encode(d.encode() if isinstance(d, str) else d).decode() for path, d in files.items()}
    named = sorted(path for path in files if path.endswith("dvc.yaml"))
    return resolving.resolve(json.dumps(given_).encode(), pipelines=named)


def real(folder: Path, *words: str) -> Any:
    """The answer of real_dvc.py in a folder."""
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "DVC_NO_ANALYTICS": "1", "DVC_SITE_CACHE_DIR": "x"}
    script = Path(__file__).with_name("real_dvc.py")
    done = subprocess.run(
        [sys.executable, str(script), *words], cwd=folder, env=environment, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def lay_out(files: dict[str, Any], folder: Path) -> None:
    for path, content in files.items():
        place = folder / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content.encode() if isinstance(content, str) else content)
    for name in (".dvc/config", ".dvc/tmp/.keep"):
        place = folder / name
        place.parent.mkdir(parents=True, exist_ok=True)
        if not place.exists():
            place.write_text("[core]\n    no_scm = true\n" if name.endswith("config") else "")


def test_it_resolves_187_stages_exactly_as_dvc_does(tmp_path):
    ours = resolve(PROJECT)
    folder = tmp_path / "project"
    lay_out(PROJECT, folder)
    theirs = real(folder)
    stages = {stage["address"]: stage for stage in ours["stages"]}
    assert ours["problems"] == []
    assert len(stages) == 3 + 3 * 4 * 5 * 3 + 2 + 1 + 1
    assert stages.keys() == theirs["stages"].keys()
    for address, stage in theirs["stages"].items():
        mine = stages[address]
        assert mine["cmd"] == stage["cmd"]
        assert [dep["path"] for dep in mine["deps"]] == stage["deps"]
        assert [[out["path"], out["kind"], out["cache"]] for out in mine["outs"]] == stage["outs"]
        assert sorted({(p["file"], p["name"]) for p in mine["params"]}) == sorted(map(tuple, stage["params"]))
    drawn = graph(ours["stages"], {"raw": "raw.dvc"})
    names = [*(s["address"] for s in ours["stages"]), *(s["pointer"] for s in drawn["sources"])]
    assert sorted([names[tail], names[head]] for tail, head in drawn["edges"]) == theirs["edges"]
    assert stages["sub/dvc.yaml:tail"]["desc"] == "1 of them"


def test_it_asks_for_the_files_that_it_needs():
    found = resolve({"dvc.yaml": PROJECT["dvc.yaml"], "sub/dvc.yaml": SUB})
    assert {"config/more.json", "sub/local.yaml", "params.yaml", "dvc.lock", "sub/dvc.lock"} <= set(found["missed"])
    assert [(p["file"], "does not exist" in p["message"]) for p in found["problems"]] == [
        ("dvc.yaml", True),
        ("sub/dvc.yaml", True),
    ]
    assert "train" in {stage["name"] for stage in found["stages"]}
    assert not any(stage["resolved"] for stage in found["stages"])


BOMB = "a: &a [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{new}: &{new} [{', '.join(['*' + old] * 10)}]\n" for old, new in zip("abcdefgh", "bcdefghi", strict=True)
)


@pytest.mark.parametrize(
    ("text", "stage", "words"),
    [
        (BOMB, "", "aliases counted"),
        ("a: &a [*a]\n", "", "inside of what it stands for"),
        ("stages: " + "[" * 500 + "]" * 500, "", "nested deeper"),
        ("{{{{", "", "cannot be read"),
        ("- a\n- b\n", "", "not a mapping"),
        ("stages: [a]\n", "", "not a mapping"),
        ("stages: {a: {cmd: x, nonsense: 1}}\n", "a", "nonsense"),
        ("stages: {a: {cmd: '${nowhere}'}}\n", "a", "Could not find 'nowhere'"),
        ("stages: {a: {cmd: '${un.}'}}\n", "a", "${un.}"),
        ("stages: {a: {cmd: x, vars: ['${b}.yaml']}}\n", "a", "interpolating is not allowed"),
        ("vars: [none.yaml]\nstages: {a: {cmd: x}}\n", "", "'none.yaml' does not exist"),
        ("vars: [../../etc/passwd]\nstages: {a: {cmd: x}}\n", "", "does not exist"),
        ("vars: [/etc/passwd]\nstages: {a: {cmd: x}}\n", "", "does not exist"),
        ("stages: {a: {cmd: x, deps: [/etc/passwd]}}\n", "a", "leads out of the repository"),
        ("stages: {a: {cmd: x, wdir: ../.., outs: [b]}}\n", "a", "leads out of the repository"),
        ("stages: {a: {foreach: 3, do: {cmd: x}}}\n", "a", "foreach"),
        ("stages: {a: {foreach: '${x}', do: {cmd: x}}}\n", "a", "Could not find 'x'"),
        ("stages: {a: {cmd: x, params: [gone.toml: [b]]}}\n", "a", "gone.toml"),
        (
            "stages: {a: {matrix: {" + ", ".join(f"{c}: [1,2,3,4,5,6,7,8,9]" for c in "bcdefghi") + "}, cmd: x}}\n",
            "a",
            "43,046,721 stages",
        ),
        ('stages: {"a\\ud800": {cmd: x}}\n', "", "invalid Unicode"),
        ('stages: {"a\\0": {cmd: "${b}"}}\n', None, "Could not find 'b'"),
    ],
)
def test_what_is_wrong_is_said_with_its_file_and_stage(text, stage, words):
    good = "stages: {fine: {cmd: echo fine}}\n"
    found = resolve({"dvc.yaml": text, "other/dvc.yaml": good})
    problem = found["problems"][0]
    assert problem["file"] == "dvc.yaml"
    assert stage is None or problem["stage"] == stage
    assert words in problem["message"]
    assert next(s for s in found["stages"] if s["address"] == "other/dvc.yaml:fine")["cmd"] == ["echo fine"]
    json.dumps(found).encode()
    str(found).encode()  # no lone surrogates: a page must be able to show it


def test_stages_beyond_the_limit_are_left_out(monkeypatch):
    monkeypatch.setattr(resolving, "MAX_STAGES", 20)
    found = resolve({"dvc.yaml": "stages:\n" + "".join(f"  s{n}: {{cmd: x}}\n" for n in range(25))})
    assert len(found["stages"]) == 20
    assert [(p["stage"], "more than 20 stages" in p["message"]) for p in found["problems"]] == [("s20", True)]


def test_what_takes_long_is_stopped_and_the_rest_is_told(monkeypatch):
    monkeypatch.setattr(resolving, "SECONDS_PER_FILE", 0.5)
    deep = "a" + "+(a" * 3 + ")" * 3
    slow = "stages:\n" + "".join(f"  s{n}: {{cmd: '{'${x} ' * 400}{deep}'}}\n" for n in range(1_000))
    found = resolve({"dvc.yaml": f"vars: [x: 1]\n{slow}", "other/dvc.yaml": "stages: {fine: {cmd: x}}\n"})
    assert found["problems"][-1]["message"] == "Resolving it takes too long; stages are left out."
    assert found["stages"][-1]["address"] == "other/dvc.yaml:fine"


def test_a_thousand_problems_are_cut(monkeypatch):
    monkeypatch.setattr(resolving, "MAX_PROBLEMS", 10)
    bad = "stages:\n" + "".join(f"  s{n}: {{none: 1}}\n" for n in range(30))
    assert len(resolve({"dvc.yaml": bad, "other/dvc.yaml": bad})["problems"]) == 11


def test_one_bad_stage_spoils_itself_only():
    found = resolve({"dvc.yaml": "stages:\n  good: {cmd: a}\n  bad: {cmd: '${b}'}\n  last: {cmd: c}\n"})
    assert [(s["name"], s["resolved"]) for s in found["stages"]] == [("good", True), ("bad", False), ("last", True)]


def test_nothing_is_read_but_what_was_given(tmp_path, monkeypatch):
    secret = tmp_path / "secret.yaml"
    secret.write_text("word: hunter2\n")
    monkeypatch.chdir(tmp_path)
    texts = [
        "vars: [secret.yaml]\nstages: {a: {cmd: 'echo ${word}'}}\n",
        f"vars: ['{secret}']\nstages: {{a: {{cmd: 'echo ${{word}}'}}}}\n",
        f"stages: {{a: {{cmd: x, params: ['{secret}': [word]]}}}}\n",
        f"stages: {{a: {{cmd: x, wdir: '{tmp_path}', params: [secret.yaml: [word]]}}}}\n",
    ]
    for text in texts:
        assert "hunter2" not in json.dumps(resolve({"dvc.yaml": text}))


def test_commands_are_not_run(tmp_path):
    mark = tmp_path / "ran"
    resolve({"dvc.yaml": f"stages: {{a: {{cmd: touch {mark}, always_changed: true}}}}\n"})
    assert not mark.exists()


def test_a_lock_that_cannot_be_read_leaves_the_question_open():
    found = resolve({"dvc.yaml": "stages: {a: {cmd: x}}\n", "dvc.lock": "stages: ["})
    assert found["stages"][0]["lock_unread"]
    assert "'dvc.lock' cannot be read" in found["problems"][0]["message"]


def test_an_older_lock_and_a_parsing_section_are_read():
    found = resolve(
        {
            "dvc.yaml": "vars: [{d: {flag: true, list: [1, 2]}}]\nstages: {a: {cmd: 'run ${d}', deps: [x]}}\n",
            "dvc.lock": "a:\n  cmd: run --flag\n  deps:\n  - path: x\n    md5: " + "a" * 32 + "\n",
            ".dvc/config": "[parsing]\n    list = append\n",
        }
    )
    stage = found["stages"][0]
    assert stage["cmd"] == ["run --flag --list 1 --list 2"]
    assert stage["lock"] == {"cmd": ["run --flag"]}
    assert stage["deps"][0]["lock"] == {"md5": "a" * 32, "legacy": True}


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.sampled_from(["${a}", "x"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
KEYS = [
    "cmd",
    "deps",
    "outs",
    "params",
    "metrics",
    "plots",
    "vars",
    "wdir",
    "foreach",
    "do",
    "matrix",
    "frozen",
    "desc",
]
STAGES = st.dictionaries(st.text(max_size=8), st.dictionaries(st.sampled_from(KEYS), VALUES, max_size=5) | VALUES)
DOCUMENTS = st.fixed_dictionaries({}, optional={"stages": STAGES | VALUES, "vars": VALUES, "metrics": VALUES})


@settings(max_examples=100, deadline=None)
@given(document=DOCUMENTS | VALUES, lock=DOCUMENTS | VALUES)
def test_any_document_has_an_answer(document, lock):
    files = {"dvc.yaml": json.dumps(document), "dvc.lock": json.dumps(lock), "params.yaml": "a: {b: 1}\n"}
    found = resolve(files)
    graph(found["stages"], {})
    json.dumps(found, allow_nan=False)
    str(found).encode()


@settings(max_examples=60, deadline=None)
@given(data=st.binary(max_size=200) | st.text(alphabet="ab:-[]{}&* \n${}'\"|>#!", max_size=120).map(str.encode))
def test_any_bytes_have_an_answer(data):
    found = resolve({"dvc.yaml": data, "dvc.lock": data, "params.yaml": data})
    json.dumps(found, allow_nan=False)
