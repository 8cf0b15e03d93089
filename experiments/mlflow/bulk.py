"""Change many runs at once, all or none: tags, names, lifecycle.

Plain SQL like gitruns: MLflow's stores change one run per transaction, and need MLflow loaded. Every function keeps to
a workspace; runs of others are as if absent.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from sqlalchemy import BigInteger, Connection, column, delete, insert, select, update

from experiments import database
from experiments.database import experiments, table, tags
from experiments.runs import ACTIVE, DELETED
from hub.lib.errors import NotFound

NAME_TAG = "mlflow.runName"
_IDS = 500  # in one statement
_runs = table("runs", "run_uuid", "name", "lifecycle_stage", "experiment_id", column("deleted_time", BigInteger))


@contextmanager
def changing() -> Iterator[Connection]:
    """One transaction. Raises NotFound while nothing was ever logged."""
    if not database.tables_exist():
        raise NotFound("There are no such runs.")
    with database.engine().begin() as connection:
        yield connection


def names(connection: Connection, workspace: str, run_ids: Sequence[str], *, stage: str = ACTIVE) -> dict[str, str]:
    """run id → name of those of these runs that are here, in their order."""
    found: dict[str, str] = {}
    for part in _parts(run_ids):
        source = _runs.join(experiments, experiments.c.experiment_id == _runs.c.experiment_id)
        wanted = select(_runs.c.run_uuid, _runs.c.name).select_from(source).where(
            experiments.c.workspace == workspace, experiments.c.lifecycle_stage == ACTIVE,
            _runs.c.lifecycle_stage == stage, _runs.c.run_uuid.in_(part),
        )  # fmt: skip
        found.update((row.run_uuid, row.name or "") for row in connection.execute(wanted))
    return {run_id: found[run_id] for run_id in run_ids if run_id in found}


def values(connection: Connection, run_ids: Sequence[str], key: str) -> dict[str, str]:
    """run id → value of a tag; runs without it are left out."""
    found: dict[str, str] = {}
    for part in _parts(run_ids):
        wanted = select(tags.c.run_uuid, tags.c.value).where(tags.c.run_uuid.in_(part), tags.c.key == key)
        found.update((row.run_uuid, row.value) for row in connection.execute(wanted))
    return found


def tag(connection: Connection, key: str, given: Mapping[str, str | None]) -> None:
    """given: run id → value, None removes the tag."""
    for part in _parts(list(given)):
        connection.execute(delete(tags).where(tags.c.run_uuid.in_(part), tags.c.key == key))
        rows = [
            {"run_uuid": run_id, "key": key, "value": given[run_id]} for run_id in part if given[run_id] is not None
        ]
        if rows:
            connection.execute(insert(tags), rows)


def rename(connection: Connection, given: Mapping[str, str]) -> None:
    """given: run id → name. MLflow keeps it twice."""
    for run_id, name in given.items():
        connection.execute(update(_runs).where(_runs.c.run_uuid == run_id).values(name=name))
    tag(connection, NAME_TAG, given)


def move(connection: Connection, run_ids: Sequence[str], stage: str) -> None:
    """To the bin (DELETED) or out of it (ACTIVE), as MLflow's delete_run and restore_run do."""
    when = int(time.time() * 1000) if stage == DELETED else None
    for part in _parts(run_ids):
        changed = update(_runs).where(_runs.c.run_uuid.in_(part))
        connection.execute(changed.values(lifecycle_stage=stage, deleted_time=when))


def _parts(run_ids: Sequence[str]) -> Iterator[Sequence[str]]:
    return (run_ids[start : start + _IDS] for start in range(0, len(run_ids), _IDS))
