"""The pipelines of a revision: how each stage stands, what it needs and makes, the drawing, the list, the JSON."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from hub.jobs.models import Job
from tests.datasets.test_contents import md5, pointer
from tests.datasets.test_data_page import text
from tests.support.work import work
from tests.support.writer import Writer

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("nothing_kept")]
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


def pushed(made: Writer, keep: Callable[..., str]) -> Writer:
    """Two stages that are up to date, all objects pushed."""
    for data in (RAW, CLEAN, MODEL):
        keep(made.repository, data)
    made.commit(FILES)
    return made


@pytest.fixture
def project(private, writer, keep):
    """alice/private, pushed."""
    return pushed(writer(private), keep)


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


# ---- how stages stand --------------------------------------------------------------------------
def test_what_differs_from_the_lock_is_changed_and_said_so(project, as_user, bob):
    project.commit(
        {"train.py": "other\n", "params.yaml": "lr: 0.2\n", "dvc.yaml": PIPELINE.replace("prep.py\n", "p\n")}
    )
    found = stages(ask(as_user(bob)))
    assert found["prepare"]["reasons"] == ["Its command changed."]
    assert found["train"]["state"] == "changed"
    assert found["train"]["reasons"] == [
        "train.py changed.",
        "params.yaml: lr changed.",
        "params.yaml: epochs is not there.",
    ]
    page = text(as_user(bob).get(f"{ADDRESS}/main"))
    assert "<del>0.1</del> → <ins>0.2</ins>" in page


def test_a_stage_without_a_record_never_ran(project, as_user, bob):
    project.commit({"dvc.yaml": PIPELINE + "  last:\n    cmd: x\n    deps: [model.pkl, none.txt]\n    outs: [y]\n"})
    found = stages(ask(as_user(bob)))["last"]
    assert (found["state"], found["reasons"]) == (
        "never run",
        ["dvc.lock has no record of it.", "none.txt is not there."],
    )


def test_an_output_that_was_never_pushed_is_missing_until_it_is(private, writer, keep, as_user, bob):
    keep(private, CLEAN)
    writer(private).commit(FILES)
    client = as_user(bob)
    found = stages(ask(client))
    assert found["prepare"]["state"] == "up to date"
    assert (found["train"]["state"], found["train"]["reasons"]) == ("output missing", ["model.pkl was never pushed."])
    assert "dvc push" in text(client.get(f"{ADDRESS}/main"))
    keep(private, MODEL)
    assert how(ask(client))["train"] == "up to date"
    assert Job.objects.count() == 1  # what is in the store is asked at every visit


def test_a_list_of_files_that_arrives_later_is_compared_then(private, writer, keep, as_user, bob):
    from datasets.dvc import manifests

    listed = manifests.dumps([("a.csv", md5(RAW))])
    oid = f"{md5(listed)}.dir"
    recorded = item("data/a.csv", RAW)
    writer(private).commit(
        {
            "data.dvc": pointer(oid, "data"),
            "dvc.yaml": "stages: {one: {cmd: x, deps: [data/a.csv], outs: [out.txt]}}\n",
            "dvc.lock": f"schema: '2.0'\nstages:\n  one:\n    cmd: x\n    deps:\n{recorded}    outs:\n"
            + item("out.txt", CLEAN),
        }
    )
    keep(private, CLEAN)
    client = as_user(bob)
    found = stages(ask(client))["one"]
    assert found["reasons"] == ["data/a.csv was not compared: its list of files was never pushed."]
    assert keep(private, listed, suffix=".dir") == oid
    found = stages(ask(client))["one"]
    assert (found["state"], found["reasons"]) == ("up to date", [])


@pytest.mark.parametrize(("ignore", "reason"), [("# none\n\n", ""), ("*.tmp\n", "a .dvcignore leaves files out of it")])
def test_a_folder_with_a_dvcignore_is_not_compared(private, writer, as_user, bob, ignore, reason):
    listed = b'[{"md5": "%s", "relpath": "a.txt"}]' % md5(b"a").encode()
    recorded = f"    - path: src\n      hash: md5\n      md5: {md5(listed)}.dir\n"
    writer(private).commit(
        {
            "src/a.txt": "a",
            ".dvcignore": ignore,
            "dvc.yaml": "stages: {one: {cmd: x, deps: [src], outs: [{m: {cache: false}}]}}\n",
            "m": "m",
            "dvc.lock": f"stages:\n  one:\n    cmd: x\n    deps:\n{recorded}    outs:\n{item('m', b'm')}",
        }
    )
    found = stages(ask(as_user(bob)))["one"]
    assert (found["state"], found["reasons"]) == (
        "up to date",
        [f"src was not compared: {reason}."] if reason else [],
    )


def test_several_files_in_one_repository(project, as_user, bob):
    project.commit({"sub/dvc.yaml": "stages: {more: {cmd: x, deps: [../clean.csv], outs: [y]}}\n"})
    answer = ask(as_user(bob))
    assert how(answer) == {"prepare": "up to date", "train": "up to date", "sub/dvc.yaml:more": "never run"}
    assert ["prepare", "sub/dvc.yaml:more"] in answer.json()["edges"]


def test_urls_and_outputs_of_other_remotes_are_kept_elsewhere(private, writer, as_user, bob):
    pipeline = "stages: {a: {cmd: x, deps: ['s3://b/k'], outs: [{o: {push: false}}, {p: {remote: mine}}]}}\n"
    writer(private).commit({"dvc.yaml": pipeline})
    client = as_user(bob)
    found = stages(ask(client))["a"]
    assert found["deps"][0]["state"] == "elsewhere"
    assert "s3://b/k" in text(client.get(f"{ADDRESS}/main"))


# ---- bad input ---------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({"dvc.yaml": "stages: {a: {cmd: x, deps: [b], outs: [c]}, d: {cmd: x, deps: [c], outs: [b]}}"}, "in a circle"),
        ({"dvc.yaml": "stages: {a: {cmd: x, outs: [c]}, d: {cmd: x, outs: [c]}}"}, "also an output of a"),
        ({"dvc.yaml": "x: " + "y" * 3_000_000}, "too large to be read"),
        ({"dvc.yaml": "vars: [p.yaml]\nstages: {a: {cmd: x}}", "p.yaml": "x: " + "y" * 3_000_000}, "is too large"),
        ({"dvc.yaml": "{"}, "cannot be read"),
        ({"dvc.yaml": b"\xff\xfe\x00"}, "dvc.yaml"),
        ({"dvc.yaml": "stages: {a: {cmd: x}}", b"\xff/dvc.yaml": "stages: {b: {cmd: x}}"}, "not plain text"),
        ({"dvc.yaml": "stages: {a: {cmd: x}}", "dvc.lock": "- x"}, "not a mapping"),
    ],
)
def test_what_cannot_be_read_is_named_on_the_page(private, writer, as_user, bob, files, words):
    writer(private).commit(files)
    client = as_user(bob)
    answer = ask(client)
    assert answer.status_code == 200
    assert any(words in problem["message"] + problem["file"] for problem in answer.json()["problems"])
    assert client.get(f"{ADDRESS}/main").status_code == 200


def test_names_of_strangers_stay_text(private, writer, as_user, bob):
    name = '"<script>x</script> \\x07 ünï \\" onload=1 語語語語語語語語語語語語語語語語語語語語語語"'
    command = '"<b>x</b>"'
    writer(private).commit({"dvc.yaml": f"stages: {{{name}: {{cmd: {command}, outs: ['<i>']}}}}"})
    client = as_user(bob)
    assert ask(client).status_code == 200
    page = text(client.get(f"{ADDRESS}/main"))
    assert "<script>x" not in page
    assert "&lt;script&gt;x&lt;/script&gt;" in page
    assert "&lt;b&gt;x&lt;/b&gt;" in page
    assert "<i>" not in page


def test_a_linked_pipeline_is_no_pipeline(private, writer, as_user, bob):
    writer(private).commit({"dvc.yaml": ("120000", "/etc/passwd")})
    assert as_user(bob).get(f"{ADDRESS}/main?format=json").json()["state"] == "none"


# ---- the page ----------------------------------------------------------------------------------
def test_without_stages_it_teaches_how_to_add_one(private, writer, as_user, bob):
    client = as_user(bob)
    assert "dvc stage add" in text(client.get(ADDRESS))  # nothing was pushed
    writer(private).commit({"README.md": "x"})
    for address in (ADDRESS, f"{ADDRESS}/main", f"{ADDRESS}/diff/main...main"):
        assert "dvc stage add" in text(client.get(address))
    assert not Job.objects.exists()


def test_200_stages_fit_on_one_page_and_more_are_paged(private, writer, as_user, bob, django_assert_max_num_queries):
    stages_ = "".join(f"  s{n}: {{cmd: run {n}, deps: [o{n - 1}], outs: [o{n}]}}\n" for n in range(1, 251))
    writer(private).commit({"dvc.yaml": f"stages:\n{stages_}"})
    client = as_user(bob)
    ask(client)
    with django_assert_max_num_queries(9):
        page = text(client.get(f"{ADDRESS}/main"))
    assert page.count('class="pipe-box') == 250
    assert page.count('<section class="box pipe-stage"') == 200
    assert page.count('href="?page=2#stage-') == 50
    second = text(client.get(f"{ADDRESS}/main?page=2"))
    assert second.count('<section class="box pipe-stage"') == 50
    some = text(client.get(f"{ADDRESS}/main?state=changed"))
    assert some.count('class="pipe-box') == 250
    assert '<section class="box pipe-stage"' not in some


def test_more_than_can_be_drawn_is_listed(private, writer, as_user, bob):
    writer(private).commit({"dvc.yaml": "stages:\n" + "".join(f"  s{n}: {{cmd: x}}\n" for n in range(510))})
    client = as_user(bob)
    assert len(ask(client).json()["stages"]) == 510
    page = text(client.get(f"{ADDRESS}/main"))
    assert "too much to be drawn" in page
    assert page.count('<section class="box pipe-stage"') == 200


def test_pages_of_files_and_data_lead_here(project, as_user, bob):
    client = as_user(bob)
    for name in ("dvc.yaml", "dvc.lock"):
        assert f'href="{ADDRESS}/main">Pipeline</a>' in text(client.get(f"/alice/private/blob/main/{name}"))
    assert f'href="{ADDRESS}/main">Pipeline</a>' not in text(client.get("/alice/private/blob/main/train.py"))
    assert f'href="{ADDRESS}/main"' in text(client.get("/alice/private/data"))


def test_a_page_that_waits_shows_progress_and_can_be_cancelled(project, as_user, bob):
    client = as_user(bob)
    page = text(client.get(f"{ADDRESS}/main"))
    assert 'hx-trigger="every 1s"' in page
    job = Job.objects.get()
    back = client.post(f"/alice/private/datasets/diffs/{job.pk}/cancel", {"back": f"{ADDRESS}/main"})
    assert back["Location"] == f"{ADDRESS}/main"
    answer = client.get(f"{ADDRESS}/main?format=json")
    assert answer.status_code == 409
    assert "cancelled" in answer.json()["error"]
    assert client.post(answer.json()["again_url"]).status_code == 200
    work()
    part = client.get(f"{ADDRESS}/main", headers={"HX-Request": "true"})
    assert part["HX-Redirect"] == f"{ADDRESS}/main"


def test_a_push_has_them_made(project):
    from datasets import receivers

    receivers.make_pipelines({"repository_id": project.repository.pk, "push_id": 1})
    assert Job.objects.get().kind == "datasets.pipeline"
    receivers.make_pipelines({"repository_id": 0, "push_id": 1})


# ---- who may -----------------------------------------------------------------------------------
@pytest.mark.parametrize("rest", ["", "/main", "/diff/main...main"])
def test_who_may_see_them(project, as_user, bob, charlie, client, rest):
    assert as_user(bob).get(ADDRESS + rest).status_code == 200
    assert as_user(bob).post(ADDRESS + rest).status_code == 405
    assert as_user(charlie).get(ADDRESS + rest).status_code == 404
    assert client.get(ADDRESS + rest).status_code == 404


@pytest.mark.parametrize("rest", ["nothing", "main/x", "-x", "diff/main...nothing", "diff/...", "diff/main...main/x"])
def test_revs_that_are_none_are_not_found(project, as_user, bob, rest):
    assert as_user(bob).get(f"{ADDRESS}/{rest}").status_code == 404


def test_a_branch_may_be_called_diff(project, as_user, bob):
    project.git("branch", "diff/x", "main")
    assert ask(as_user(bob), "diff/x").json()["rev"]["name"] == "diff/x"


def test_who_may_only_read_cannot_stop_the_work_of_others(public, writer, as_user, bob, charlie):
    writer(public).commit(FILES)
    assert as_user(bob).get("/alice/public/pipelines/main").status_code == 200
    address = f"/alice/public/datasets/diffs/{Job.objects.get().pk}/cancel"
    assert as_user(charlie).post(address).status_code == 403


# ---- the API -----------------------------------------------------------------------------------
def test_the_api_answers_the_same(project, client, token_of, alice, as_user):
    def api(rest: str, scopes: list[str]) -> Any:
        secret = token_of(alice, scopes=scopes)
        return client.get(f"/api/v1/repos/alice/private/pipelines{rest}", headers={"Authorization": f"Bearer {secret}"})

    both = ["repo:read", "data:read"]
    first = api("/main", both)
    assert (first.status_code, first["Retry-After"]) == (202, "1")
    work()
    assert api("/main", both).json() == as_user(alice).get(f"{ADDRESS}/main?format=json").json()
    assert api("", both).json()["rev"]["name"] == "main"
    assert api("/diff/main...main", both).status_code == 202
    work()
    assert api("/diff/main...main", both).json()["summary"]["stages_same"] == 2
    assert api("/nothing", both).status_code == 404
    for scopes in (["repo:read"], ["data:read"]):
        assert api("/main", scopes).status_code == 403
        assert api("/diff/main...main", scopes).status_code == 403
    assert client.get("/api/v1/repos/alice/private/pipelines/main").status_code == 401
