"""What MLflow's tables say of lineage: runs that are there, the data they name, the model versions made of them.

Every question is kept to the repository's workspace: ids of others are as if absent.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import String, and_, cast, select

from experiments.database import datasets, inputs, model_versions, rows_of, runs
from experiments.mlflow.context import workspace_of
from experiments.ordering import ALL_RUNS
from experiments.registry.reading import DELETED_STAGE
from experiments.runs import scoped

MOST = 2_000  # neighbours of all asked things together; the newest come first


def alive(repository_id: int, run_ids: Iterable[str]) -> Sequence[Any]:
    """(run_id, name, status) of those runs that are there, the newest first."""
    wanted = select(runs.c.run_uuid.label("run_id"), runs.c.name, runs.c.status).where(runs.c.run_uuid.in_(run_ids))
    order = [runs.c.start_time.desc(), runs.c.run_uuid]
    return rows_of(scoped(wanted, workspace_of(repository_id)).order_by(*order).limit(MOST))


def inputs_of(repository_id: int, run_ids: Iterable[str]) -> list[tuple[str, str]]:
    """(run, digest) of the datasets that runs say they read."""
    return _inputs(repository_id, runs.c.run_uuid.in_(run_ids))


def readers_of(repository_id: int, digests: Iterable[str]) -> list[tuple[str, str]]:
    """(run, digest) of runs that say they read a dataset with one of these digests."""
    return _inputs(repository_id, datasets.c.digest.in_(digests))


def _inputs(repository_id: int, condition: Any) -> list[tuple[str, str]]:
    of_run = and_(inputs.c.destination_type == "RUN", inputs.c.destination_id == runs.c.run_uuid)
    source = ALL_RUNS.join(inputs, of_run).join(
        datasets, and_(inputs.c.source_type == "DATASET", inputs.c.source_id == datasets.c.dataset_uuid)
    )
    wanted = scoped(select(runs.c.run_uuid, datasets.c.digest, runs.c.start_time), workspace_of(repository_id), source)
    found = rows_of(wanted.where(condition).order_by(runs.c.start_time.desc(), runs.c.run_uuid).limit(MOST))
    return list(dict.fromkeys((run_id, digest) for run_id, digest, _ in found))


def versions_of(repository_id: int, run_ids: Iterable[str]) -> list[tuple[str, str]]:
    """(run, "name/version") of the model versions that were made of runs, the newest first."""
    found = _versions(repository_id, model_versions.c.run_id.in_(run_ids))
    return [(run_id, f"{name}/{version}") for name, version, run_id in found]


def run_of(repository_id: int, model: str) -> str | None:
    """The run that a model version ("name/version") was made of, "" when it names none; None for no such version."""
    name, _, version = model.rpartition("/")
    of_name = and_(model_versions.c.name == name, cast(model_versions.c.version, String) == version)
    found = _versions(repository_id, of_name)
    return found[0][2] or "" if found else None


def runs_of(repository_id: int, models: Iterable[str]) -> list[tuple[str, str]]:
    """("name/version", run) for model versions that name a run."""
    wanted = set(models)
    names = {model.rpartition("/")[0] for model in wanted}
    found = _versions(repository_id, model_versions.c.name.in_(names))
    pairs = ((f"{name}/{version}", run_id) for name, version, run_id in found if run_id)
    return [pair for pair in pairs if pair[0] in wanted]


def _versions(repository_id: int, condition: Any) -> Sequence[Any]:
    """(name, version, run) of model versions that were not deleted."""
    own = [model_versions.c.workspace == workspace_of(repository_id), model_versions.c.current_stage != DELETED_STAGE]
    wanted = select(model_versions.c.name, model_versions.c.version, model_versions.c.run_id).where(*own, condition)
    order = [model_versions.c.creation_time.desc(), model_versions.c.name, model_versions.c.version.desc()]
    return rows_of(wanted.order_by(*order).limit(MOST))
