"""What was deleted goes for good: rows and files of it and of nothing else, wherever the work is killed or held."""

from __future__ import annotations

import asyncio
import threading
from contextlib import contextmanager

import pytest
from django.db import connection

from experiments import reclaimable, reclaiming, removal, tasks
from experiments.mlflow import artifacts
from experiments.mlflow.context import workspace_of
from experiments.models import RunCommit
from hub.accounts.actor import Actor
from hub.accounts.models import AuditEvent
from hub.jobs import jobs
from hub.jobs.models import Job
from hub.lib import backups
from tests.datasets.conftest import stream
from tests.experiments.conftest import metric
from tests.experiments.test_isolation import rows
from tests.experiments.test_models import put, registered
from tests.experiments.test_removal import fill

pytestmark = pytest.mark.django_db(transaction=True)
BASE = "/alice/private/experiments/manage"


@pytest.fixture
def deleted(client, client_of, alice, private, public):
    """A live run, then the rows; then a deleted run and a deleted experiment full of everything, with files."""
    fill(client_of(public, alice), "b")
    live = client.run(run_name="live")
    put(private, live["artifact_uri"], "kept.txt", "kept")
    before = rows()
    files = artifacts.destination().listing("workspaces", 1000)
    run = client.run(run_name="gone", tags=[{"key": "t", "value": "x"}])
    client.batch(run["run_id"], metrics=[metric("loss", i / 7, i) for i in range(300)])
    put(private, run["artifact_uri"], "model/weights.bin", "0123456789")
    logged = client.call(
        "POST", "logged-models", {"experiment_id": live["experiment_id"], "name": "m", "source_run_id": run["run_id"]}
    )["model"]["info"]
    put(private, logged["artifact_uri"], "MLmodel", "12345")
    params = {"model_id": logged["model_id"], "params": [{"key": "p", "value": "1"}]}
    client.call("POST", f"logged-models/{logged['model_id']}/params", params)
    client.batch(run["run_id"], metrics=[{**metric("acc", 1.0), "model_id": logged["model_id"]}])
    RunCommit.objects.create(repository=private, run_id=run["run_id"], sha="0" * 40)
    client.call("POST", "runs/delete", {"run_id": run["run_id"]})
    client.ask("DELETE", f"api/2.0/mlflow/logged-models/{logged['model_id']}")
    return before, files


@pytest.fixture
def full(client, deleted):
    """And a deleted experiment with everything that may hang on one."""
    fill(client, "a")
    (found,) = [
        e for e in client.call("GET", "experiments/search?max_results=9")["experiments"] if e["name"] != "Default"
    ]
    for kind in ("registered-models/delete",):
        client.ask("DELETE", f"api/2.0/mlflow/{kind}", {"name": found["name"]})
    client.call("POST", "experiments/delete", {"experiment_id": found["experiment_id"]})
    return deleted


def work(pages):
    assert pages.post(f"{BASE}/reclaim", {"confirm": "alice/private"}).status_code == 302
    (job,) = Job.objects.filter(kind=reclaiming.KIND)
    jobs.run(job.pk)
    job.refresh_from_db()
    assert job.state == "done", job.error
    return job.result


def test_exactly_what_was_deleted_goes(full, pages, private):
    before, files = full
    page = pages.get(f"{BASE}/deleted").content.decode()
    assert "1 deleted experiment, 2 runs and 1 logged model go" in page
    result = work(pages)
    assert (result["experiments"], result["runs"], result["models"], result["held"]) == (1, 2, 1, False)
    assert result["bytes"] >= 15
    assert artifacts.destination().listing("workspaces", 1000) == files
    left = {table: found - before[table] for table, found in rows().items() if found - before[table]}
    # What belongs to no run and to no experiment of MLflow's stays with the repository.
    assert set(left) <= {"evaluation_datasets"}
    assert all(found <= rows()[table] for table, found in before.items())
    assert not RunCommit.objects.exists()
    assert AuditEvent.objects.filter(action=reclaiming.KIND, repository_id=private.pk).count() == 1
    assert "went for good" in pages.get(f"{BASE}/deleted").content.decode()


@pytest.mark.parametrize("kill", range(0, 12, 2))
def test_killed_anywhere_it_goes_on_and_counts_on(kill, deleted, pages, private, monkeypatch):
    """The worker dies at its nth look at the clock; another takes the job over."""
    before, files = deleted
    count, real = iter(range(1000)), jobs.Run.progress

    def dying(self, done, total=None):
        if next(count) == kill:
            raise KeyboardInterrupt
        real(self, done, total)

    monkeypatch.setattr(jobs.Run, "progress", dying)
    pages.post(f"{BASE}/reclaim", {"confirm": "alice/private"})
    (job,) = Job.objects.filter(kind=reclaiming.KIND)
    with pytest.raises(KeyboardInterrupt):
        jobs.run(job.pk)
    Job.objects.update(leased_until=None, state="queued")
    jobs.run(job.pk)
    job.refresh_from_db()
    assert (job.state, job.result["runs"], job.result["models"], job.result["bytes"]) == ("done", 1, 1, 15)
    assert rows() == before
    assert artifacts.destination().listing("workspaces", 1000) == files


@pytest.fixture
def held():
    """held(): a backup runs, from a connection of its own, until the block ends."""

    @contextmanager
    def hold():
        begun, end = threading.Event(), threading.Event()

        def keep():
            with backups.held():
                begun.set()
                end.wait(60)
            connection.close()

        thread = threading.Thread(target=keep)
        thread.start()
        assert begun.wait(30)
        try:
            yield
        finally:
            end.set()
            thread.join()

    return hold


def test_a_backup_holds_the_files_and_they_go_after_it(deleted, pages, private, held):
    before, files = deleted
    with held():
        assert work(pages)["held"]
        assert len(artifacts.destination().listing("workspaces", 1000)) == len(files) + 2
        assert reclaimable.counts(workspace_of(private.pk)).runs == 0  # nobody can restore them any more
    tasks.remove_leftovers()
    (job,) = Job.objects.filter(kind=reclaiming.KIND)
    jobs.run(job.pk)
    assert rows() == before
    assert artifacts.destination().listing("workspaces", 1000) == files


def test_a_deleted_repository_keeps_its_files_while_a_backup_runs(alice, private, tables, held):
    from repos import repositories

    destination, place = artifacts.destination(), f"workspaces/{workspace_of(private.pk)}"
    asyncio.run(destination.put(f"{place}/1/run/artifacts/a.txt", stream(b"bytes")))
    repositories.delete(Actor(user=alice), private)
    with held():
        tasks.remove_leftovers()
        assert len(destination.listing(place, 10)) == 1
    tasks.remove_leftovers()
    assert destination.listing(place, 10) == []


def test_what_left_a_repository_that_is_then_deleted_goes_too(deleted, pages, private, alice, held):
    from repos import repositories

    with held():
        work(pages)
    repositories.delete(Actor(user=alice), private)
    tasks.remove_leftovers()
    assert removal.leftovers() == []
    gone = {f"r{private.pk}", f"r{private.pk}{removal.LIMBO}"}
    assert not [row for row in rows()["experiments"] if any(f"'{name}'" in row for name in gone)]


def test_what_a_registered_version_needs_stays(client, pages, private):
    run = registered(client, private)
    made = client.call("POST", "experiments/create", {"name": "e"})["experiment_id"]
    inside = client.run(made)
    put(private, inside["artifact_uri"], "model/MLmodel", "x")
    source = f"runs:/{inside['run_id']}/model"
    client.call("POST", "model-versions/create", {"name": "birds", "source": source, "run_id": inside["run_id"]})
    client.call("POST", "runs/delete", {"run_id": run["run_id"]})
    client.call("POST", "experiments/delete", {"experiment_id": made})
    assert "What is deleted stays" in pages.get(f"{BASE}/deleted").content.decode()
    assert work(pages)["runs"] == 0
    client.call("POST", "experiments/restore", {"experiment_id": made})
    assert client.call("GET", f"runs/get?run_id={inside['run_id']}")
    assert "model/MLmodel" in str(artifacts.destination().listing("workspaces", 100))


def test_what_is_deleted_after_it_was_asked_for_stays(client, pages, private):
    pages.post(f"{BASE}/reclaim", {"confirm": "alice/private"})
    (job,) = Job.objects.filter(kind=reclaiming.KIND)
    Job.objects.update(arguments={**job.arguments, "before": 1})
    run = client.run()["run_id"]
    client.call("POST", "runs/delete", {"run_id": run})
    jobs.run(job.pk)
    client.call("POST", "runs/restore", {"run_id": run})


def test_it_asks_for_the_name_in_writing(deleted, pages):
    assert pages.post(f"{BASE}/reclaim", {"confirm": "private"}).status_code == 422
    assert not Job.objects.exists()
