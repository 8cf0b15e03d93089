"""The hub's summary of a pull request: metrics and data in one comment that is updated in place, and told to each
reader as far as they may read."""

from __future__ import annotations

import re

import pytest

from datasets.pulls import summary as pull_summary
from experiments import pull_summary as metrics_of_pulls
from experiments.indexing import refresh
from hub.jobs.models import Job
from repos.issues.models import Entry
from repos.pulls import summaries
from tests.experiments.conftest import metric
from tests.repos.pulls.conftest import again, deliver, propose
from tests.support.work import work

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("git_root", "folder")]
BASE = "/alice/private/pull/1"
OLD = "id,species,n\n" + "".join(f"{n},wren,{n % 10}\n" for n in range(200))
NEW = OLD.replace("7,wren,7", "7,robin,7") + "".join(f"{n},robin,{n % 10}\n" for n in range(200, 300))


def settle() -> None:
    deliver()
    work()


def summary() -> Entry:
    return Entry.objects.get(kind="summary")


@pytest.fixture
def change(client, private, writer):
    """main, and `work` with another birds.csv; one run at each; change.log(acc) logs one more at the head."""
    made = writer(private)
    made.commit({"birds.csv": OLD, "a.txt": "1\n"})
    made.commit({"birds.csv": NEW, "a.txt": "2\n"}, "Clean", branch="work", start=made.tips["main"])
    private.refresh_from_db()

    def log(sha: str, accuracy: float) -> None:
        tag = {"key": "mlflow.source.git.commit", "value": sha}
        run_id = client.run(run_name=f"run-{accuracy}", tags=[tag])["run_id"]
        client.batch(run_id, metrics=[metric("acc", accuracy), metric("wer", 1 - accuracy)])
        client.call("POST", "runs/update", {"run_id": run_id, "status": "FINISHED"})
        refresh(private.pk)

    log(made.tips["main"], 0.7)
    log(made.tips["work"], 0.8)
    made.log = log
    return made


def test_it_tells_metrics_and_data_in_one_comment(change, alice, bob, private, as_user):
    propose(alice, private)
    settle()
    parts = summary().detail["parts"]
    rows = {row["metric"]: (row["base"], row["head"], row["better"]) for row in parts["metrics"]["rows"]}
    assert rows["acc"] == (0.7, 0.8, True)
    (output,) = parts["data"]["outputs"]
    assert (output["path"], output["state"], output["counts"]["rows_added"]) == ("birds.csv", "done", 100)
    assert output["moved"]
    page = as_user(bob).get(BASE).content.decode()
    assert "100 rows added" in page
    assert "species" in page
    assert '<span class="added">+0.1 better</span>' in page
    assert f'hx-get="{BASE}/summary"' in page
    assert as_user(bob).get(f"{BASE}/summary").status_code == 200


def test_it_is_updated_in_place_when_runs_end_and_commits_come(change, alice, private, as_user):
    propose(alice, private)
    settle()
    first = summary()
    change.log(change.tips["work"], 0.9)
    settle()
    assert summary().pk == first.pk
    assert summary().edited is not None
    assert summary().detail["parts"]["metrics"]["rows"][0]["head"] == 0.9
    change.commit({"birds.csv": OLD}, "Back", branch="work", start=change.tips["work"])
    Job.objects.filter(kind=summaries.SUMMARY).update(finished="2020-01-01T00:00:00Z")
    assert as_user(alice).get(f"{BASE}/summary").content.decode().count("Looking again") == 1
    settle()
    assert summary().pk == first.pk
    assert "data" not in summary().detail["parts"]


def test_readers_see_what_their_token_may_read(change, alice, bob, private, api):
    propose(alice, private)
    settle()
    path = "/api/v1/repos/alice/private/issues/1/comments"
    (told,) = api(bob, scopes=["repo:read", "issues:read", "data:read", "experiments:read"]).get(path).json()
    assert "| acc | 0.7 | 0.8 | +0.1 |" in told["body"]
    assert "- `birds.csv`: 100 rows added" in told["body"]
    assert told["user"] is None
    (some,) = api(bob, scopes=["repo:read", "issues:read", "data:read"]).get(path).json()
    assert "| acc |" not in some["body"]
    assert "birds.csv" in some["body"]
    one = f"/api/v1/repos/alice/private/issues/comments/{told['id']}"
    assert api(bob, scopes=["issues:read"]).get(one).json()["body"] == ""
    assert api(alice).patch(one, {"body": "Mine"}, format="json").status_code == 404
    assert api(alice).delete(one).status_code == 404


def test_the_api_tells_runs_without_metrics_in_words(client, private, writer, alice, api):
    made = writer(private)
    made.commit({"a.txt": "1\n"})
    head = made.commit({"a.txt": "2\n"}, "More", branch="work", start=made.tips["main"])
    private.refresh_from_db()
    client.run(tags=[{"key": "mlflow.source.git.commit", "value": head}])
    refresh(private.pk)
    propose(alice, private)
    settle()
    (told,) = api(alice).get("/api/v1/repos/alice/private/issues/1/comments").json()
    assert "Its runs logged no metrics." in told["body"]
    assert "| metric |" not in told["body"]


def test_the_api_tells_how_many_metrics_it_leaves_out(change, alice, private, api, monkeypatch):
    monkeypatch.setattr(metrics_of_pulls, "MOST_METRICS", 1)
    propose(alice, private)
    settle()
    (told,) = api(alice).get("/api/v1/repos/alice/private/issues/1/comments").json()
    assert "and 1 more metrics" in told["body"]


def test_a_repository_may_want_none(change, alice, bob, private, as_user):
    client, settings = as_user(alice), "/alice/private/settings/pull-requests"
    form = {"merge": "on", "usual": "merge"}
    page = client.get(settings).content.decode()
    assert re.search(r'<input type="checkbox" name="summaries"[^>]* checked', page)
    assert client.post(settings, form).status_code == 302
    pull = propose(alice, private)
    settle()
    assert not Entry.objects.filter(kind="summary").exists()
    assert client.get(f"{BASE}/summary").status_code == 404
    assert client.post(settings, {**form, "summaries": "on"}).status_code == 302
    summaries.ask(again(alice, pull))
    settle()
    assert summary().issue.number == 1
    assert as_user(bob).post(settings, form).status_code == 403


def test_where_nothing_differs_there_is_none(private, writer, alice, tables):
    made = writer(private)
    made.commit({"a.txt": "1\n"})
    made.commit({"a.txt": "2\n"}, branch="work", start=made.tips["main"])
    private.refresh_from_db()
    propose(alice, private)
    settle()
    assert Job.objects.get(kind=summaries.SUMMARY).state == "done"
    assert not Entry.objects.filter(kind="summary").exists()


@pytest.mark.parametrize(
    ("state", "counts", "words"),
    [
        ("missing", {}, "never pushed here"),
        ("queued", {}, "not compared yet"),
        ("failed", {}, "cannot be compared"),
        ("done", {}, "other bytes"),
        ("done", {"rows_added": 1, "cells_changed": 2_000}, "1 row added, 2,000 cells changed"),
    ],
)
def test_counts_are_told_in_words(state, counts, words):
    assert pull_summary._words(state, counts) == words
