"""Runs beside each other: pictures by step, files, packages, code and data."""

from __future__ import annotations

import json
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiments.beside import packages, pictures, tables
from repos import editing
from repos.editing import Put
from repos.storage import store
from tests.experiments.test_artifact_pages import put

pytestmark = pytest.mark.django_db(transaction=True)
BASE = "/alice/private/experiments/compare"
UUID = "0f4f4b34-0000-4000-8000-000000000000"
PANELS = ["pictures", "files", "environment", "origin"]


@pytest.fixture
def two(client):
    return [client.run(run_name=name, start_time=1000) for name in ("old", "new")]


def asked(runs, **more) -> str:
    pairs = [("run", run["run_id"]) for run in runs] + list(more.items())
    return "?" + "&".join(f"{key}={quote(str(value), safe='')}" for key, value in pairs)


def panel(pages, name, runs, **more) -> str:
    answer = pages.get(f"{BASE}/{name}{asked(runs, **more)}", headers={"HX-Request": "true"})
    assert answer.status_code == 200, answer.content
    return str(answer.content.decode())


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (f"images/val~sample+step+12+timestamp+1700000000000+{UUID}.png", ("val/sample", 12)),
        (f"images/a%step%3%timestamp%1700000000000%{UUID}.png", ("a", 3)),
        (f"images/a%step%3%timestamp%1700000000000%m{UUID[1:]}.png", ("a", 3)),  # MLflow 2.22, so that %m is no escape
        (f"images/a+step+3+timestamp+1700000000000+{UUID}+compressed.webp", None),
        ("plots/images/mask/4.jpg", ("plots/images/mask", 4)),
        ("confusion_step_20.png", ("confusion", 20)),
        ("x/gen-epoch=7.webp", ("x/gen", 7)),
        ("roc.png", ("roc", 0)),
        ("loss.csv", None),
        ("images/é.PNG", ("images/é", 0)),
    ],
)
def test_a_picture_says_its_step(path, expected):
    assert pictures.named(path) == expected


def test_pictures_stand_beside_each_other_at_a_step(client, pages, two):
    for run, steps in zip(two, ((0, 5, 10), (0, 10)), strict=True):
        for step in steps:
            put(client, run, f"images/mask%2Bstep%2B{step}%2Btimestamp%2B1700000000000%2B{UUID}.png", b"\x89PNG\0")
    put(client, two[0], "only.png", b"\x89PNG\0")
    page = panel(pages, "pictures", two)
    assert 'min="0" max="10" value="10"' in page
    assert page.count("<img") == 3
    assert page.index(">mask<") < page.index(">only<")
    at_five = panel(pages, "pictures", two, step=5)
    assert "mask of old at step 5" in at_five
    assert "mask of new at step 0" in at_five
    assert "<html" in pages.get(f"{BASE}/pictures{asked(two, step='x')}").content.decode()


def test_files_of_one_path_differ_by_their_values(client, pages, two):
    for run, lr in zip(two, (0.1, 0.2), strict=True):
        put(client, run, "config/train.json", json.dumps({"lr": lr, "same": 1}).encode())
        put(client, run, "weights.bin", b"\0\1")
    put(client, two[0], "alone.json", b"{}")
    listed = panel(pages, "files", two)
    assert "config/train.json" in listed
    assert "alone.json" not in listed
    assert "weights.bin" not in listed
    found = panel(pages, "file", two, head=two[1]["run_id"], path="config/train.json")
    assert "0.2" in found
    assert "same" not in found
    for wrong in ({"head": "nobody"}, {"head": two[1]["run_id"], "path": "no.json"}, {"head": two[1]["run_id"]}):
        assert pages.get(f"{BASE}/file{asked(two, **{'path': 'config/train.json', **wrong})}").status_code in (
            {404} if wrong != {"head": two[1]["run_id"]} else {200}
        )
    assert pages.get(f"{BASE}/file{asked(two, head=two[1]['run_id'], path='../../x')}").status_code == 400


def test_tables_of_one_path_differ_by_their_rows(client, pages, two):
    tables = ("id,loss,note\n1,0.5,=cmd\n2,0.4,b\n3,0.3,c\n", "id,loss,note\n3,0.3,c\n1,0.25,=cmd\n4,0.1,<i>\n")
    for run, text in zip(two, tables, strict=True):
        put(client, run, "eval/predictions.csv", text.encode())
        put(client, run, "eval/same.csv", b"a,b\n1,2\n")
    found = panel(pages, "file", two, head=two[1]["run_id"], path="eval/predictions.csv")
    assert "Rows are named by id, a guess." in found
    assert '<strong class="added">+1</strong> row added, <strong class="removed">−1</strong> removed' in found
    assert "<del>0.5</del> → <ins>0.25</ins>" in found
    assert "&lt;i&gt;" in found
    assert "0.3" not in found
    same = panel(pages, "file", two, head=two[1]["run_id"], path="eval/same.csv")
    assert "No row differs in its values." in same


def test_what_is_no_table_is_compared_by_lines(client, pages, two):
    for run, text in zip(two, (b"PAR1 no table\n", b"PAR1 nor this\n"), strict=True):
        put(client, run, "broken.parquet", text)
    found = panel(pages, "file", two, head=two[1]["run_id"], path="broken.parquet")
    assert "Lines are compared instead of rows." in found
    assert "<mark>nor</mark>" in found


def test_packages_are_rows_of_which_the_same_are_left_out(client, pages, two):
    for run, version in zip(two, ("1.6.0", "1.7.2"), strict=True):
        text = f"mlflow==3.17.2\nscikit_learn=={version}\n-r other.txt\n--hash=x\n"
        put(client, run, "model/requirements.txt", text.encode())
        conda = b"name: env\nchannels:\n- conda-forge\ndependencies:\n- python=3.11.8\n- pip<=24\n- pip:\n  - numpy\n"
        put(client, run, "model/conda.yaml", conda)
    page = panel(pages, "environment", two)
    assert "scikit-learn" in page
    assert "1.7.2" in page
    assert "mlflow" not in page
    assert "Show the 4 that are the same" in page
    assert "3.17.2" in panel(pages, "environment", two, all=1)


@given(st.text())
def test_any_text_is_read_as_requirements(text):
    found = packages.parsed(text + "\nx=" + "=,=" * 200 + " !")
    assert all(isinstance(name, str) and isinstance(version, str) for name, version in found.items())


def test_a_table_says_what_differs():
    made = tables.table([{"a": "1", "b": "1"}, {"a": "1", "b": "2"}, {"a": "1"}], differences=True)
    assert (made.rows, made.hidden) == ([("b", ["1", "2", None], True)], 1)


def test_code_and_data_lead_to_their_differences(client, pages, two, private, actor_of, alice, statements):
    store().create(private.pk)
    pointer = "outs:\n- md5: {}\n  size: 1\n  hash: md5\n  path: birds.csv\n"
    commits = []
    for number in range(2):
        changes = [
            Put("train.py", f"lr = {number}\n".encode()),
            Put("birds.csv.dvc", pointer.format(f"{number}" * 32).encode()),
        ]
        commits.append(
            editing.commit_changes(
                private, actor_of(alice), branch="main", changes=changes, message="m", author="a <a@b>"
            )
        )
    for run, sha in zip(two, commits, strict=True):
        given = {"run_id": run["run_id"], "key": "mlflow.source.git.commit", "value": sha}
        client.call("POST", "runs/set-tag", given)
    with statements() as told:
        page = panel(pages, "origin", two)
    assert len(told) <= 5, told
    assert f'href="/alice/private/compare/{commits[0]}..{commits[1]}"' in page
    assert f'href="/alice/private/datasets/diff/{commits[0]}...{commits[1]}"' in page
    assert "2 files" in page
    assert "birds.csv" in page
    swapped = panel(pages, "origin", two, baseline=two[1]["run_id"])
    assert f"compare/{commits[1]}..{commits[0]}" in swapped


def test_runs_of_other_repositories_only_for_those_who_may_read_them(client, client_of, pages, two, public, alice, bob):
    theirs = client_of(public, alice).run(run_name="cuckoo")
    put(client_of(public, alice), theirs, "roc.png", b"\x89PNG\0")
    put(client, two[0], "roc.png", b"\x89PNG\0")
    page = panel(pages, "pictures", [two[0], theirs])
    assert f"/alice/public/artifacts/{theirs['run_id']}/roc.png" in page
    public.private = True
    public.save()
    pages.force_login(bob)  # may write alice/private only
    assert "cuckoo" not in panel(pages, "pictures", [two[0], theirs])


def test_the_comparison_loads_the_panels(client, pages, two):
    page = pages.get(f"{BASE}{asked(two)}").content.decode()
    for name in PANELS:
        assert f'hx-get="{BASE}/{name}?run={two[0]["run_id"]}&amp;run={two[1]["run_id"]}"' in page
    for name in PANELS:
        panel(pages, name, two)  # of runs that left nothing


@pytest.mark.parametrize("name", [*PANELS, "file"])
def test_four_questions(client, pages, two, charlie, token_of, alice, name):
    path = f"{BASE}/{name}{asked(two, head=two[1]['run_id'], path='a.txt')}"
    for run in two:
        put(client, run, "a.txt", b"1")
    assert pages.get(path).status_code == 200
    assert pages.post(path).status_code == 405
    assert pages.get(f"{BASE}/{name}?run=nobody").status_code == 404
    pages.force_login(charlie)
    assert pages.get(path).status_code == 404
