"""Runs and versions of models as places that something is said about: kept as they were, shown as they are."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

from django.template.loader import render_to_string
from sqlalchemy import select

from experiments.database import latest_metrics, logged, reading, runs
from experiments.mlflow.context import workspace_of
from experiments.ordering import ALL_RUNS
from experiments.registry import reading as registry
from experiments.runs import Run, run, scoped, select_runs
from hub.accounts.actor import Actor, Area
from hub.lib.errors import NotFound, Unprocessable
from hub.lib.numbers import whole
from repos import access
from repos.issues.models import Thread
from repos.issues.threads import ShownSpot, Spot
from repos.models import Repository
from repos.place import url

MOST_METRICS, NAME_CHARACTERS = 6, 200  # kept of a run


class RunKind:
    """path: the run's id. Kept: its name, status and first metrics."""

    def check(self, actor: Actor, repository: Repository, spot: Spot) -> Spot:
        access.require_scope(actor, Area.EXPERIMENTS, write=False)
        _no_revision(spot)
        found, _ = run(workspace_of(repository.pk), spot.path)
        return replace(spot, rev="", detail=_kept(found))

    def shown(self, actor: Actor, repository: Repository, threads: Sequence[Thread]) -> dict[int, ShownSpot]:
        """Two statements. Of a deleted run only what was kept is shown."""
        if not actor.has_scope(Area.EXPERIMENTS, write=False):
            return {}
        now = _runs_now(
            repository, {one.path for one in threads}, {key for one in threads for key in one.detail["metrics"]}
        )
        return {one.pk: _shown_run(repository, one, now.get(one.path)) for one in threads}


def _kept(found: Run) -> dict[str, Any]:
    names = [name for name in sorted(found.metrics) if not name.startswith("system/")][:MOST_METRICS]
    metrics = {_text(name): f"{found.metrics[name]:.6g}" for name in names}
    return {"name": _text(found.name), "status": found.status, "metrics": metrics}


def _text(value: str) -> str:
    """What every database stores."""
    return value.replace("\0", "\ufffd").encode("utf-8", "replace").decode()[:NAME_CHARACTERS]


def _runs_now(repository: Repository, ids: Collection[str], keys: Collection[str]) -> dict[str, dict[str, Any]]:
    with reading() as reader:
        rows = reader.rows(scoped(select_runs(), workspace_of(repository.pk), ALL_RUNS).where(runs.c.run_uuid.in_(ids)))
        found = {
            row.run_uuid: {"name": row.name or row.run_uuid[:8], "status": row.status, "metrics": {}} for row in rows
        }
        wanted = select(latest_metrics).where(
            latest_metrics.c.run_uuid.in_(list(found)), latest_metrics.c.key.in_(list(keys))
        )
        for row in reader.rows(wanted) if found and keys else ():
            found[row.run_uuid]["metrics"][row.key] = f"{logged(row.value, row.is_nan):.6g}"
    return found


def _shown_run(repository: Repository, thread: Thread, now: Mapping[str, Any] | None) -> ShownSpot:
    kept = thread.detail
    said = now or kept
    metrics = [(name, was, said["metrics"].get(name, was)) for name, was in kept["metrics"].items()]
    quoted = render_to_string("experiments/_said_run.html", {"run": said, "metrics": metrics, "gone": now is None})
    address = url(repository, "experiments/runs", thread.path) if now else ""
    return ShownSpot(f"run {said['name']}"[:NAME_CHARACTERS], address, quoted, outdated=now is None)


class ModelKind:
    """path: name/version. Kept: the run and the stage."""

    def check(self, actor: Actor, repository: Repository, spot: Spot) -> Spot:
        access.require_scope(actor, Area.EXPERIMENTS, write=False)
        _no_revision(spot)
        name, number = named(spot.path)
        found = registry.version(workspace_of(repository.pk), name, number)
        return replace(spot, rev="", detail={"run_id": found.run_id, "stage": found.stage})

    def shown(self, actor: Actor, repository: Repository, threads: Sequence[Thread]) -> dict[int, ShownSpot]:
        """One statement."""
        if not actor.has_scope(Area.EXPERIMENTS, write=False):
            return {}
        now = _versions_now(repository, {named(one.path) for one in threads})
        return {one.pk: _shown_version(repository, one, now.get(named(one.path))) for one in threads}


def named(path: str) -> tuple[str, int]:
    """(model, number) of "name/version". Raises NotFound."""
    name, _, text = path.rpartition("/")
    number = whole(text, least=1, most=registry.LARGEST_VERSION)
    if not name or number is None:
        raise NotFound("There is no such version here.", details="A version is named model/number.")
    return name, number


def _versions_now(repository: Repository, wanted: Collection[tuple[str, int]]) -> dict[tuple[str, int], Any]:
    with reading() as reader:
        rows = registry.versions_at(reader, ((workspace_of(repository.pk), *one) for one in wanted))
    return {(row.name, row.version): row for row in rows}


def _shown_version(repository: Repository, thread: Thread, now: Any) -> ShownSpot:
    name, number = named(thread.path)
    context = {
        "repository": repository,
        "run_id": now.run_id if now else thread.detail["run_id"],
        "stage": now.current_stage if now else thread.detail["stage"],
        "gone": now is None,
    }
    address = url(repository, "models", name, "versions", str(number)) if now else ""
    quoted = render_to_string("experiments/_said_model.html", context)
    return ShownSpot(f"{name} v{number}", address, quoted, outdated=now is None)


def _no_revision(spot: Spot) -> None:
    if spot.rev:
        raise Unprocessable("A run, or a version of a model, has no revision.", details="Leave rev out.")
