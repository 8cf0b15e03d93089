"""A deleted repository loses its workspace: every row in MLflow's tables and every artifact, and nobody else's."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from experiments import removal, tasks
from experiments.mlflow import artifacts
from experiments.mlflow.context import workspace_of
from experiments.models import RunCommit
from hub.accounts.actor import Actor
from hub.accounts.models import User
from hub.jobs import outbox
from hub.jobs.models import Outbox
from repos import repositories
from repos.models import Repository
from tests.datasets.conftest import stream
from tests.experiments.conftest import Client, metric
from tests.experiments.test_isolation import one_of_everything, rows
from tests.support import services

pytestmark = pytest.mark.django_db(transaction=True)
ODD = "ein Bild (1) +%25.txt"


def fill(client: Client, letter: str) -> str:
    """One of everything and what hangs on it; a run's id."""
    made = one_of_everything(client, letter)
    data = {"tags": [{"key": "context", "value": "train"}], "dataset": {**dataset(letter), "source_type": "local"}}
    client.call("POST", "runs/log-inputs", {"run_id": made.run_id, "datasets": [data]})
    client.call("POST", "runs/outputs", {"run_id": made.run_id, "models": [{"model_id": made.model_id, "step": 0}]})
    client.call(
        "POST", "experiments/set-experiment-tag", {"experiment_id": made.experiment_id, "key": "a", "value": "b"}
    )
    linked = {"trace_ids": [made.trace_id], "run_id": made.run_id}
    client.call("POST", "traces/link-to-run", linked)
    client.batch(made.run_id, metrics=[metric("loss", i / 7, i) for i in range(300)])
    params = {"model_id": made.model_id, "params": [{"key": "p", "value": "1"}]}
    client.call("POST", f"logged-models/{made.model_id}/params", params)
    return made.run_id


def dataset(letter: str) -> dict[str, str]:
    return {"name": "d", "digest": letter, "source": "{}", "schema": "{}", "profile": "{}"}


@pytest.fixture
def two(client_of: Callable[..., Client], alice: User, private: Repository, public: Repository) -> dict[str, set[str]]:
    """The same in alice/public and in alice/private, which was then deleted. The rows of alice/public alone."""
    fill(client_of(public, alice), "b")
    before = rows()
    run_id = fill(client_of(private, alice), "a")
    assert len([table for table, found in rows().items() if found - before[table]]) > 15
    RunCommit.objects.create(repository=private, run_id=run_id, sha="0" * 40)
    repositories.delete(Actor(user=alice), private)
    return before


@pytest.mark.parametrize("batch", [7, 2_000])
def test_it_leaves_exactly_the_rows_of_others(
    two: dict[str, set[str]], private: Repository, batch: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(removal, "BATCH", batch)
    outbox.deliver(Outbox.objects.get(topic="repos.deleted").pk)  # wakes the task, whose worker is here:
    tasks.remove_experiments(private.pk)
    assert rows() == two
    assert not RunCommit.objects.exists()
    assert removal.remove(private.pk) == 0  # twice changes nothing


def test_it_goes_on_where_a_killed_worker_stopped(two: dict[str, set[str]], private: Repository) -> None:
    """Killed between any two transactions: some tables are emptied, their parents not yet."""
    for table in list(reversed(removal.tables().sorted_tables))[:20]:
        condition = removal.belonging(table, workspace_of(private.pk))
        if condition is not None:
            removal._delete_some(table, condition)
    assert removal.leftovers() == [private.pk]
    tasks.remove_leftovers()
    assert rows() == two
    assert removal.leftovers() == []


def test_a_repository_that_is_not_deleted_keeps_everything(two: dict[str, set[str]], public: Repository) -> None:
    assert removal.remove(public.pk) == 0
    now = rows()
    assert all(found <= now[table] for table, found in two.items())


def test_every_table_is_somebodys_or_nobodys_by_name(mlflow_app: Any) -> None:
    """A table that a new MLflow brings is found by its columns and keys, or has to be named here."""
    nobodys = {name for name, table in removal.tables().tables.items() if removal.belonging(table, "r1") is None}
    assert nobodys == {"alembic_version", "scheduler_leases", "workspaces"}


@pytest.fixture(params=["folder", "s3"])
def store(request: pytest.FixtureRequest, settings: Any, tmp_path_factory: Any) -> Iterator[str]:
    """Artifacts in a folder, and in a bucket."""
    from experiments.mlflow import s3_artifacts

    if request.param == "s3":
        for name, value in services.own_store(tmp_path_factory.mktemp("s3") / "seaweedfs").items():
            setattr(settings, name, value)
    else:
        settings.COVEY_S3_ENDPOINT = ""
    s3_artifacts._store.cache_clear()
    yield request.param
    s3_artifacts._store.cache_clear()


def test_artifacts_go_with_it_on_both_stores(
    store: str, tables: None, alice: User, private: Repository, public: Repository
) -> None:
    destination = artifacts.destination()
    for pk in (private.pk, public.pk, int(f"{private.pk}7")):
        for name in ("a/b.txt", ODD, "ß/c.txt"):
            asyncio.run(destination.put(artifacts.scoped(pk, f"1/run/artifacts/{name}"), stream(b"bytes")))
    repositories.delete(Actor(user=alice), private)
    assert removal.leftovers() == [private.pk]
    tasks.remove_leftovers()
    assert removal.leftovers() == []
    assert destination.listing(f"workspaces/{workspace_of(private.pk)}", 10) == []
    for pk in (public.pk, int(f"{private.pk}7")):
        assert len(destination.listing(f"workspaces/{workspace_of(pk)}", 10)) == 3
    tasks.remove_experiments(private.pk)
