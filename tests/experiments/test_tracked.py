"""Experiments that live in git, as runs: commits with metrics and params, DagsHub's files, refs/exps."""

from __future__ import annotations

import asyncio
import hashlib
import json
import math

import pytest
from django.core.management import call_command

from datasets import objects
from datasets.dvc import keys
from experiments import history, listing, runs
from experiments.filters.parser import parse
from experiments.mlflow import gitruns
from experiments.mlflow.context import workspace_of
from experiments.models import RunCommit, TrackedIndex
from experiments.table import acts
from experiments.tracked import indexing, marks
from hub.jobs import outbox
from hub.lib.stores import object_store
from repos import signals
from repos.models import Push
from tests.experiments.conftest import API
from tests.support.work import work

pytestmark = pytest.mark.django_db(transaction=True)
PIPELINE = """stages:
  train:
    cmd: python train.py
    params: [lr, net.depth]
    metrics: [{metrics.json: {cache: false}}]
"""
PARAMS = "lr: 0.1\nnet:\n  depth: 3\n  bias: true\nnote: [1, two]\n"


def metrics(**values):
    return json.dumps(values)


@pytest.fixture
def git(tables, private, writer):
    """alice/private: a pipeline whose commit changed metrics and params."""
    made = writer(private)
    made.commit({"README.md": "# Hello\n"}, "Begin")
    made.commit({"dvc.yaml": PIPELINE, "params.yaml": PARAMS, "metrics.json": metrics(acc=0.5)}, "Add a pipeline")
    return made


@pytest.fixture
def read(private):
    def refresh(**options):
        private.refresh_from_db()
        return indexing.refresh(private, **options)

    return refresh


def rows(private, text="", columns=()):
    query = listing.Query(workspace=workspace_of(private.pk), filter=parse(text), columns=columns, sort="started")
    return listing.page(query).rows


def names(private, text=""):
    return [row.name for row in rows(private, text)]


def test_a_commit_with_metrics_and_params_is_a_run(git, private, read):
    assert read() == 1
    (row,) = rows(private, "source = commit and metrics.acc > 0.4 and params.`net.depth` = 3", ("metrics.acc",))
    run, latest = runs.run(workspace_of(private.pk), row.run_id)
    assert (run.name, run.user, run.status, run.experiment) == ("Add a pipeline", "Ada", "FINISHED", "git")
    assert run.commit == git.tips["main"]
    assert run.params == {"lr": "0.1", "net.depth": "3", "net.bias": "True", "note": '[1, "two"]'}
    assert run.metrics == {"acc": 0.5}
    assert run.source_label == "Commit"
    assert [(each.step, each.timestamp) for each in latest] == [(0, 1_700_000_120_000)]
    assert RunCommit.objects.get().sha == git.tips["main"]
    private.refresh_from_db()
    assert private.runs_count == 1


def test_only_commits_that_change_them_and_tips_have_a_row(git, private, read):
    git.commit({"other.json": "{}"}, "Change something else")
    git.commit({"metrics.json": metrics(acc=0.7)}, "Train longer")
    git.commit({"README.md": "# Bye\n"}, "Write")
    read()
    assert names(private) == ["Write", "Train longer", "Add a pipeline"]
    git.commit({"dvc.yaml": PIPELINE.replace("train.py", "fit.py")}, "Rename the script")
    read()
    assert names(private) == ["Rename the script", "Train longer", "Add a pipeline"]  # "Write" was shown as the tip
    assert read() == 0
    whole = rows(private)
    assert read(again=True) == 3
    assert rows(private) == whole


def test_a_push_brings_its_runs_and_the_command_makes_them_again(git, private, pages, tables):
    push = Push.objects.create(repository=private)
    outbox.announce(signals.PUSHED, {"repository_id": private.pk, "push_id": push.pk})
    for row in outbox.pending():
        outbox.deliver(row)
    work()
    assert names(private) == ["Add a pipeline"]
    gitruns.remove(workspace_of(private.pk), [row.run_id for row in rows(private)])
    call_command("rebuild_tracked")
    assert names(private) == ["Add a pipeline"]
    page = pages.get("/alice/private/experiments").content.decode()
    assert "Add a pipeline" in page
    assert git.tips["main"] in page


def test_what_a_force_push_left_behind_disappears(git, private, read):
    first = git.tips["main"]
    git.commit({"metrics.json": metrics(acc=0.9)}, "Too good")
    read()
    assert len(rows(private)) == 2
    git.git("update-ref", "refs/heads/main", first)
    read()
    assert names(private) == ["Add a pipeline"]
    assert RunCommit.objects.count() == 1
    git.git("update-ref", "-d", "refs/heads/main")
    read()
    assert names(private) == []


def test_experiments_of_dvc_hang_below_the_commit_they_started_from(git, private, read):
    base = git.tips["main"]
    tip = git.commit(
        {"metrics.json": metrics(acc=0.8), "params.yaml": "lr: 0.2\n"}, "dvc: commit", branch="x", start=base
    )
    ref = f"refs/exps/{base[:2]}/{base[2:]}/silky-robe"
    git.git("update-ref", ref, tip)
    git.git("update-ref", "-d", "refs/heads/x")
    git.git("update-ref", "refs/exps/exec/EXEC_HEAD", base)
    read()
    (exp,) = rows(private, "source = exp", ("params.lr",))
    parent = marks.run_id_of(private.pk, base)
    assert (exp.name, exp.params, exp.tags[runs.PARENT_TAG]) == ("silky-robe", {"lr": "0.2"}, parent)
    git.git("update-ref", ref.replace("silky-robe", "bumpy-hat"), tip)
    git.git("update-ref", "-d", ref)
    read()
    assert names(private, "source = exp") == ["bumpy-hat"]
    git.git("update-ref", "refs/heads/taken", tip)  # dvc exp branch
    read()
    assert [(row.run_id, row.name) for row in rows(private, "source = commit")] == [
        (exp.run_id, "dvc: commit"), (parent, "Add a pipeline"),
    ]  # fmt: skip
    git.git("update-ref", "-d", "refs/heads/taken")
    read()
    assert names(private, "source = exp") == ["bumpy-hat"]
    git.git("update-ref", "-d", ref.replace("silky-robe", "bumpy-hat"))
    read()
    assert names(private) == ["Add a pipeline"]


def test_dagshubs_files_are_a_run_with_curves(tables, private, writer, read):
    lines = ["Name,Value,Timestamp,Step", *(f'"loss",{1 / step},{1000 * step},{step}' for step in (1, 2, 4))]
    made = writer(private)
    made.commit({"logs/train_metrics.csv": "\n".join([*lines, '"nan",nan,5,1', '"word",high,5,1']) + "\n",
                 "params.yml": "batch_size: 32\noptimizer: adam\n"}, "DagsHub\n\nThe *first* one.\n")  # fmt: skip
    read()
    (row,) = rows(private, "source = dagshub", ("metrics.loss", "metrics.nan", "params.optimizer"))
    assert row.metrics["loss"] == 0.25
    assert math.isnan(row.metrics["nan"])
    assert row.params == {"optimizer": "adam"}
    assert history.curve(row.run_id, "loss").y == [1.0, 0.5, 0.25]
    assert runs.run(workspace_of(private.pk), row.run_id)[0].tags["mlflow.note.content"] == "The *first* one."


def test_dvclives_files_are_curves_of_their_metrics(tables, private, writer, read):
    declared = "metrics: [dvclive/metrics.json]\nparams: [dvclive/params.yaml]\n"
    declared += "plots: [dvclive/plots/metrics: {x: step}]\n"
    made = writer(private)
    made.commit({
        "dvc.yaml": declared, "dvclive/params.yaml": "lr: 1e-3\n",
        "dvclive/metrics.json": metrics(train={"loss": 0.25}, best=math.inf, step=2),
        "dvclive/plots/metrics/train/loss.tsv": "step\tloss\n0\t1.0\n1\t0.5\n2\t0.25\n",
        "dvclive/plots/images/0/x.png": "no image",
    }, "Log with dvclive")  # fmt: skip
    read()
    (row,) = rows(private, "params.lr = 0.001", ("metrics.train.loss", "metrics.best", "metrics.step"))
    assert row.metrics == {"train.loss": 0.25, "best": math.inf, "step": 2.0}
    curve = history.curve(row.run_id, "train.loss")
    assert (curve.x, curve.y) == ([0, 1, 2], [1.0, 0.5, 0.25])


def test_a_name_in_several_files_says_which(git, private, read):
    declared = "metrics: [a/metrics.json, b/metrics.toml]\n"
    git.commit({"dvc.yaml": declared, "a/metrics.json": metrics(acc=1), "b/metrics.toml": "acc = 2\nf1 = 0.5\n"}, "Two")
    read()
    run, _ = runs.run(workspace_of(private.pk), marks.run_id_of(private.pk, git.tips["main"]))
    assert run.metrics == {"a/metrics.json:acc": 1.0, "b/metrics.toml:acc": 2.0, "f1": 0.5}


BOMB = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{chr(98 + n)}: &{chr(98 + n)} [{', '.join(['*' + chr(97 + n)] * 9)}]\n" for n in range(9)
)
HOSTILE = {
    "bomb.yaml": BOMB,
    "deep.json": "[" * 50_000 + "]" * 50_000,
    "nest.json": '{"a":' * 2_000 + "1" + "}" * 2_000,
    "huge.json": '{"a": 1' + "0" * 4_000 + "}",
    "digits.json": '{"a": ' + "9" * 100_000 + "}",
    "broken.json": "{",
    "list.json": "[1, 2]",
    "text.json": '"hello"',
    "bytes.json": b"\xff\xfe\x00",
    "tag.yaml": "a: !!python/object/apply:os.system ['touch /tmp/owned']\n",
    "keys.json": json.dumps({"k" * 400: 1, "a\u0000b\ud800": 2, "": 3, "ok": 4}),
    "large.json": "[" + "1," * 2_000_000 + "1]",
    "wide.csv": ",".join(f"c{n}" for n in range(9_000)) + "\n",
    "bad_metrics.csv": 'Name,Value\n"' + "x" * 200_000,
    "bad.toml": "a = [[[",
    "code.py": "import os\nos.system('touch /tmp/owned')\nLR = 0.5\n",
}


def test_hostile_files_spoil_only_themselves(git, private, read):
    declared = {"metrics": ["metrics.json", *HOSTILE], "params": ["params.yaml", *HOSTILE], "plots": [*HOSTILE]}
    git.commit({"dvc.yaml": json.dumps(declared), "metrics.json": metrics(acc=0.75), **HOSTILE}, "Attack\u0007 <b>")
    read()
    run, _ = runs.run(workspace_of(private.pk), marks.run_id_of(private.pk, git.tips["main"]))
    assert run.metrics["acc"] == 0.75
    assert run.metrics["ok"] == 4.0
    assert run.metrics["a"] == math.inf
    assert run.params["lr"] == "0.1"
    for name in ("bomb.yaml", "deep.json", "nest.json", "broken.json", "large.json", "bad.toml"):
        assert f"{name}: " in run.tags["covey.problems"], name
    assert all(len(key) <= 250 for key in {**run.metrics, **run.params})


def test_files_that_dvc_keeps_are_read_once_they_are_pushed(git, private, read):
    body = metrics(f1=0.875).encode()
    md5 = hashlib.md5(body).hexdigest()
    lock = {
        "schema": "2.0",
        "stages": {"train": {"cmd": "x", "outs": [{"path": "score.json", "md5": md5, "hash": "md5"}]}},
    }
    declared = PIPELINE.replace("{metrics.json: {cache: false}}", "score.json")
    git.commit({"dvc.yaml": declared, "dvc.lock": json.dumps(lock)}, "Keep it")
    read()
    run_id = marks.run_id_of(private.pk, git.tips["main"])
    assert "not pushed yet" in runs.run(workspace_of(private.pk), run_id)[0].tags["covey.problems"]
    assert read() == 0

    async def stream():
        yield body

    objects.publish(private.pk, keys.BUCKET, keys.key_of(md5), asyncio.run(object_store().put(stream())))
    assert read() == 1
    assert runs.run(workspace_of(private.pk), run_id)[0].metrics == {"f1": 0.875}
    assert TrackedIndex.objects.get().waiting == {}


def test_clients_read_these_runs_and_change_nothing(git, private, read, client):
    read()
    run_id = marks.run_id_of(private.pk, git.tips["main"])
    found = client.call("GET", f"runs/get?run_id={run_id}")["run"]
    experiment = found["info"]["experiment_id"]
    assert {each["key"]: each["value"] for each in found["data"]["metrics"]} == {"acc": 0.5}
    assert client.call("POST", "runs/search", {"experiment_ids": [experiment], "filter": "params.lr = '0.1'"})["runs"]
    before = client.call("GET", f"experiments/get?experiment_id={experiment}")
    tag, of_run, of_experiment = {"key": "a", "value": "b"}, {"run_id": run_id}, {"experiment_id": experiment}
    for path, document in {
        "runs/log-metric": {**of_run, "key": "m", "value": 1, "timestamp": 1},
        "runs/log-batch": {**of_run, "params": [tag]},
        "runs/log-parameter": {**of_run, **tag},
        "runs/set-tag": {**of_run, **tag},
        "runs/delete-tag": {**of_run, "key": "mlflow.runName"},
        "runs/update": {**of_run, "run_name": "mine"},
        "runs/delete": of_run,
        "runs/restore": of_run,
        "runs/log-inputs": {**of_run, "datasets": []},
        "runs/log-model": {
            **of_run,
            "model_json": json.dumps({"artifact_path": "m", "run_id": run_id, "flavors": {}, "utc_time_created": "x"}),
        },
        "runs/create": of_experiment,
        "experiments/delete": of_experiment,
        "experiments/update": {**of_experiment, "new_name": "x"},
        "experiments/set-experiment-tag": {**of_experiment, **tag},
        "logged-models": {**of_experiment, "name": "m"},
    }.items():
        answer = client.ask("POST", f"{API}/{path}", document)
        assert answer.status == 400, (path, answer.text)
        said = json.loads(answer.body)["message"]
        assert f"made from commit {git.tips['main']}; change it by a commit" in said or "filled by the hub" in said, (
            path
        )
    where = found["info"]["artifact_uri"].removeprefix("mlflow-artifacts:/")
    for path in (f"{where}/a.txt", f"git/{run_id}/artifacts/a.txt"):
        assert client.ask("PUT", f"api/2.0/mlflow-artifacts/artifacts/{path}", body=[b"x"]).status == 400
    assert client.call("GET", f"runs/get?run_id={run_id}")["run"] == found
    assert client.call("GET", f"experiments/get?experiment_id={experiment}") == before


def test_anothers_run_is_as_if_absent(git, private, public, read, client_of, bob):
    read()
    run_id = marks.run_id_of(private.pk, git.tips["main"])
    public.__class__.objects.filter(pk=public.pk).update(owner=bob.owner)
    public.refresh_from_db()
    stranger = client_of(public, bob)
    for path, document in (
        ("runs/set-tag", {"run_id": run_id, "key": "a", "value": "b"}),
        ("runs/delete", {"run_id": run_id}),
    ):
        answer = stranger.ask("POST", f"{API}/{path}", document)
        assert answer.status == 404, answer.text
        assert git.tips["main"] not in answer.text


def test_an_experiment_of_that_name_stays_its_owners(git, private, read, client):
    mine = client.call("POST", "experiments/create", {"name": "git"})["experiment_id"]
    client.run(mine, run_name="logged")
    read()
    assert {row.name: row.experiment for row in rows(private)} == {"logged": "git", "Add a pipeline": "git (2)"}
    client.call("POST", "experiments/delete", {"experiment_id": mine})


def test_a_repository_without_such_files_has_none(tables, private, writer, read):
    made = writer(private)
    made.commit({"package.json": "{}", "a.csv": "a\n1\n"}, "First")
    assert read() == 0
    assert read() == 0
    made.commit({"package.json": '{"a": 1}'}, "Second")
    assert read() == 0
    assert rows(private) == []


def test_it_is_joined_with_the_runs_logged_at_its_commit(git, private, read, client, pages, bob):
    sha = git.tips["main"]
    read()
    made = marks.run_id_of(private.pk, sha)
    tag = {"key": "mlflow.source.git.commit", "value": sha}
    one = client.run(run_name="logged-one", tags=[tag])["run_id"]
    base = "/alice/private/experiments"
    pages.get(base)  # binds
    assert f'href="{base}/runs/{one}">logged run</a>' in pages.get(base).content.decode()
    shown = pages.get(f"{base}/runs/{made}").content.decode()
    for text in ("Other runs of this commit", "logged-one", "Made from", "What this run left is in git"):
        assert text in shown, text
    assert "Register a model" not in shown
    shown = pages.get(f"{base}/runs/{one}").content.decode()
    assert "Add a pipeline" in shown
    assert "Register a model" in shown
    client.run(run_name="logged-two", tags=[tag])
    pages.get(base)
    assert f'href="{base}?q=commit+%3D+{sha}">2 logged</a>' in pages.get(base).content.decode()


def test_its_page_says_which_files_could_not_be_read(git, private, read, pages):
    git.commit({"metrics.json": "{<b>"}, "Break it")
    read()
    shown = pages.get(
        f"/alice/private/experiments/runs/{marks.run_id_of(private.pk, git.tips['main'])}"
    ).content.decode()
    assert "Files of this commit that could not be read: metrics.json: " in shown
    assert "<b>" not in shown.partition("could not be read")[2][:300]


def test_pages_change_nothing_of_it(git, private, read, pages):
    read()
    address = f"/alice/private/experiments/runs/{marks.run_id_of(private.pk, git.tips['main'])}"
    for verb, data in (("note", {"content": "mine"}), ("delete", {})):
        answer = pages.post(f"{address}/{verb}", data)
        assert answer.status_code == 422
        assert "change it by a commit" in answer.content.decode()
    assert names(private) == ["Add a pipeline"]


def test_templates_and_params_of_other_files_follow_each_commit(git, private, read):
    declared = (
        "stages:\n  train:\n    cmd: python train.py\n    params: [{conf.toml: [opt]}]\n"
        "    metrics: [{'${out}.json': {cache: false}}]\n"
    )
    git.commit(
        {"dvc.yaml": declared, "params.yaml": "out: one\n", "one.json": metrics(a=1), "two.json": metrics(b=2)}, "1"
    )
    git.commit({"params.yaml": "out: two\n"}, "2")
    git.commit({"conf.toml": 'opt = "adam"\nsecret = 1\n'}, "3")
    git.commit({"conf.toml": 'opt = "lion"\n'}, "4")
    read()
    found = {row.name: row for row in rows(private, columns=("metrics.a", "metrics.b", "params.opt", "params.secret"))}
    assert [found[name].metrics for name in "1234"] == [{"a": 1.0}, {"b": 2.0}, {"b": 2.0}, {"b": 2.0}]
    assert [found[name].params for name in "1234"] == [{}, {}, {"opt": "adam"}, {"opt": "lion"}]


def test_what_people_marked_stays_when_a_run_is_made_again(git, private, read, alice):
    read()
    (row,) = rows(private)
    acts.archive(private, alice, [row.run_id])
    assert read(again=True) == 1
    assert runs.run(workspace_of(private.pk), row.run_id)[0].tags[marks.ARCHIVED_TAG] == "1"
    gitruns.remove(workspace_of(private.pk), [row.run_id])
    assert rows(private) == []
