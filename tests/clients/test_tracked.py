"""The unmodified dvc and dvclive: an experiment that is pushed with git is a run of the hub a moment later."""

from __future__ import annotations

import json
import subprocess

import httpx
import pytest

from tests.support.services import wait_until

pytestmark = pytest.mark.client
TRAIN = """
from dvclive import Live

with Live(dir="dvclive", save_dvc_exp=False, monitor_system=False) as live:
    live.log_params({"lr": LR, "net": {"depth": 3}})
    for step in range(3):
        live.log_metric("train/loss", LR / (step + 1))
        live.next_step()
"""
PIPELINE = """
stages:
  train:
    cmd: python train.py
    deps: [train.py]
    outs: [dvclive/plots: {cache: false}]
metrics: [dvclive/metrics.json]
params: [dvclive/params.yaml]
plots: [dvclive/plots/metrics: {x: step}]
"""


def test_an_experiment_of_dvc_and_dvclive_arrives(remote, clone):
    clone.remote(remote, remote.token)
    clone.write({"train.py": TRAIN.replace("LR", "0.5").encode(), "dvc.yaml": PIPELINE.encode()})
    address = remote.url.replace("http://", f"http://any:{remote.token}@")
    clone.git("remote", "add", "origin", f"{address}.git")
    clone.git("config", "user.name", "Dana")
    clone.git("config", "user.email", "dana@example.org")
    clone.git("add", ".")
    clone.git("commit", "-m", "Begin")  # dvclive wants a commit to start from
    clone.dvc("repro")
    clone.git("add", ".")
    clone.git("commit", "-m", "Train with dvclive")
    clone.git("push", "origin", "HEAD:main")
    clone.write({"train.py": TRAIN.replace("LR", "0.25").encode()})
    clone.dvc("exp", "run", "--name", "half-rate")
    pushed = clone.dvc("exp", "push", "origin", "half-rate")
    assert "half-rate" in pushed.stdout

    runs = arrived(remote, 2)
    (commit, exp) = (next(run for run in runs if run["source"] == source) for source in ("commit", "exp"))
    assert (commit["name"], exp["name"]) == ("Train with dvclive", "half-rate")
    assert exp["tags"]["mlflow.parentRunId"] == commit["run_id"]
    assert [run["metrics"]["train.loss"] for run in (commit, exp)] == pytest.approx([0.5 / 3, 0.25 / 3])
    assert [run["params"]["net.depth"] for run in (commit, exp)] == ["3", "3"]
    curve = ask(remote, f"compare/curves?run={exp['run_id']}&run={commit['run_id']}&key=train.loss")["curves"][0]
    assert curve["points"] == 3

    clone.dvc("exp", "remove", "--git-remote", "origin", "half-rate")
    assert arrived(remote, 1)[0]["name"] == "Train with dvclive"


PLOTS = """
plots:
  - roc.csv: {x: fpr, y: tpr, template: simple}
  - points.json: {x: a}
  - both: {x: {live/loss.tsv: step}, y: {live/loss.tsv: loss, live/acc.tsv: acc}}
  - kept.csv
"""


def test_plots_diff_has_the_points_of_dvc(remote, clone):
    """`dvc plots diff --json` over two commits, one file of it pushed with dvc."""
    clone.remote(remote, remote.token)
    address = remote.url.replace("http://", f"http://any:{remote.token}@")
    clone.git("remote", "add", "origin", f"{address}.git")
    clone.write({"dvc.yaml": PLOTS.encode()})
    for number in (1, 2):
        clone.write(
            {
                "roc.csv": f"fpr,tpr\n0,0\n0.5,0.{number}\n1,1\n".encode(),
                "points.json": json.dumps({"deep": {"rows": [{"a": 1, "b": number}, {"a": 2, "b": None}]}}).encode(),
                "live/loss.tsv": f"step\tloss\n0\t1\n1\t0.{number}\n".encode(),
                "live/acc.tsv": f"step\tacc\n0\t0\n1\t0.{number}5\n".encode(),
                "kept.csv": f"n,m\n1,{number}\n".encode(),
            }
        )
        clone.dvc("add", "-q", "kept.csv")
        clone.git("add", ".")
        clone.git("commit", "-m", f"Number {number}")
    clone.dvc("push", "-q", "--all-commits")
    clone.git("push", "origin", "HEAD:main")
    told = json.loads(clone.dvc("plots", "diff", "--json", "--split", "HEAD~1", "HEAD").stdout.splitlines()[-1])

    found: list[dict] = []

    def there() -> bool:
        base, _, name = remote.url.rpartition("/dana/")
        headers = {"authorization": f"Bearer {remote.token}"}
        shas = [clone_sha(clone, rev) for rev in ("HEAD~1", "HEAD")]
        url = f"{base}/api/v1/repos/dana/{name}/plots/diff/{'...'.join(shas)}"
        answer = httpx.get(url, headers=headers, timeout=60)
        found.append(answer.json())
        return answer.status_code == 200

    wait_until(there, what="the plots of both commits", seconds=120)
    plots = {plot["id"]: plot for plot in found[-1]["plots"]}
    assert sorted(plots) == sorted(told["data"])
    for name, (vega,) in told["data"].items():
        values = vega["anchor_definitions"]["<DVC_METRIC_DATA>"]
        points = [(row["rev"], value(row, plots[name]["x"]), value(row, plots[name]["y"])) for row in values]
        ours = [
            ({"base": "HEAD~1", "head": "HEAD"}[one["side"]], x, y)
            for one in plots[name]["series"]
            for x, y in zip(one["x"], one["y"], strict=True)
        ]
        assert sorted(ours, key=str) == sorted(points, key=str), name
        assert not plots[name]["errors"]


def value(row, field):
    found = row.get(field)
    return float(found) if isinstance(found, (str, int)) else found


def clone_sha(clone, rev):
    done = subprocess.run(["git", "rev-parse", rev], cwd=clone.folder, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def arrived(remote, count):
    """The runs that were made from git, once there are so many."""
    found: list[list[dict]] = []

    def there() -> bool:
        address = "runs?q=source+!%3D+mlflow&columns=metrics.train.loss,params.net.depth,params.lr"
        found.append(ask(remote, address)["runs"])
        return len(found[-1]) == count

    wait_until(there, what=f"{count} runs made from git", seconds=120)
    return found[-1]


def ask(remote, rest):
    base, _, name = remote.url.rpartition("/dana/")
    address = f"{base}/api/v1/repos/dana/{name}/experiments/{rest}"
    answer = httpx.get(address, headers={"authorization": f"Bearer {remote.token}"}, timeout=60)
    assert answer.status_code == 200, answer.text
    return answer.json()
