"""Remove for good what was deleted in MLflow: experiments, runs and logged models of one repository, and their files.

First they leave the repository: statements that look once more whether a thing is deleted move it into a limbo, a
workspace that no client can name; from then on nobody can read or restore it. Then their artifacts go, none while a
backup copies them, and their rows last of all. Killed anywhere, the limbo says what is left and the next run goes on.

What a version of a registered model was made from stays, with its experiment: reclaimable.py says what that is.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

from sqlalchemy import String, cast, func, insert, literal, select, update

from datasets.storage import care
from experiments import database, reclaimable, removal
from experiments.database import experiments, logged_models, rows_of, runs
from experiments.mlflow.context import workspace_of
from experiments.models import RunCommit
from experiments.registry.files import is_own
from experiments.removal import LIMBO
from hub.accounts import audit
from hub.accounts.actor import Actor
from hub.jobs import jobs
from hub.jobs.models import Job
from repos.models import Repository

KIND = "experiments.reclaim"
HOLDER = "holder"  # the experiment of the limbo that takes runs and models whose own experiment lives on
OF_MODELS = ("logged_model_tags", "logged_model_params", "logged_model_metrics")


def ask(repository: Repository, actor: Actor) -> Job:
    """Start it for what is deleted by now; nothing that is deleted later goes with it."""
    audit.record(KIND, actor, subject=repository.full_name, of=repository)
    return care.ask(KIND, repository, actor, before=int(time.time() * 1000))


def job_of(repository: Repository) -> Job | None:
    return Job.objects.filter(key=f"{KIND}:{repository.pk}").first()


def resume() -> None:
    """Go on wherever a backup held artifacts, or a worker died three times."""
    limbos = select(experiments.c.workspace).where(experiments.c.workspace.like(f"r%{LIMBO}")).distinct()
    for (name,) in rows_of(limbos):
        job = Job.objects.filter(key=f"{KIND}:{name.removesuffix(LIMBO)[1:]}").exclude(state__in=jobs.OPEN).first()
        if job is not None and Repository.objects.filter(pk=job.arguments["repository"], deleted=None).exists():
            jobs.restart(job)


@jobs.handler(KIND)
def reclaim(run: jobs.Run) -> dict[str, Any]:
    """{"experiments", "runs", "models": how many went, "bytes": of their files, "held": a backup keeps the rest}."""
    repository_id = int(run.job.arguments["repository"])
    if not Repository.objects.filter(pk=repository_id, deleted=None).exists():
        raise jobs.Failed("The repository is deleted; everything of it goes.")
    told = _Told(run)
    if not database.tables_exist():
        return told.result(held=False)
    _move(repository_id, int(run.job.arguments["before"]), told)
    for place in places(repository_id):
        if removal.free(place, beat=told.freed) is None:
            return told.result(held=True)
    _remove_rows(repository_id, told)
    return told.result(held=False)


class _Told:
    """What went, kept in the job's row: the next attempt counts on from there. Killed between a step and its count,
    the answer names one step too few."""

    def __init__(self, run: jobs.Run) -> None:
        self._run = run
        self._counts: dict[str, int] = run.job.arguments.get("went", {})

    def went(self, what: str, count: int) -> None:
        if count:
            self._counts[what] = self._counts.get(what, 0) + count
            arguments = {**self._run.job.arguments, "went": self._counts}
            Job.objects.filter(pk=self._run.job.pk, attempts=self._run.attempt).update(arguments=arguments)
        self.beat()

    def freed(self, size: int) -> None:
        self.went("bytes", size)

    def beat(self) -> None:
        self._run.progress(self._counts.get("bytes", 0))

    def result(self, *, held: bool) -> dict[str, Any]:
        return {**dict.fromkeys(("experiments", "runs", "models", "bytes"), 0), **self._counts, "held": held}


# ---- out of the repository -----------------------------------------------------------------------
def _move(repository_id: int, before: int, told: _Told) -> None:
    workspace = workspace_of(repository_id)
    for ids in reclaimable.ids("experiments", workspace, before):
        moved, with_runs = _move_experiments(workspace, ids)
        told.went("experiments", moved)
        told.went("runs", with_runs)
    holder = _holder(f"{workspace}{LIMBO}")
    for ids in reclaimable.ids("runs", workspace, before):
        told.went("runs", _move_runs(ids, holder))
    for ids in reclaimable.ids("models", workspace, before):
        told.went("models", _move_models(ids, holder))


def _move_experiments(workspace: str, ids: list[Any]) -> tuple[int, int]:
    """How many, and how many runs with them. Their names are free again at once."""
    name = literal("gone-").concat(cast(experiments.c.experiment_id, String))
    deleted = (experiments.c.experiment_id.in_(ids), experiments.c.lifecycle_stage == "deleted")
    moved = update(experiments).where(*deleted).values(workspace=f"{workspace}{LIMBO}", name=name)
    gone = select(experiments.c.experiment_id).where(deleted[0], experiments.c.workspace == f"{workspace}{LIMBO}")
    with database.engine().begin() as connection:
        count = connection.execute(moved).rowcount
        inside = select(func.count()).select_from(runs).where(runs.c.experiment_id.in_(gone))
        return int(count), int(connection.execute(inside).scalar_one())


def _move_runs(ids: list[Any], holder: int) -> int:
    deleted = (runs.c.run_uuid.in_(ids), runs.c.lifecycle_stage == "deleted")
    with database.engine().begin() as connection:
        return int(connection.execute(update(runs).where(*deleted).values(experiment_id=holder)).rowcount)


def _move_models(ids: list[Any], holder: int) -> int:
    """With what hangs on them, which names the experiment too."""
    deleted = (logged_models.c.model_id.in_(ids), logged_models.c.lifecycle_stage == "deleted")
    mine = select(logged_models.c.model_id).where(logged_models.c.experiment_id == holder)
    with database.engine().begin() as connection:
        moved = connection.execute(update(logged_models).where(*deleted).values(experiment_id=holder)).rowcount
        for name in OF_MODELS:
            table = removal.tables().tables[name]
            connection.execute(update(table).where(table.c.model_id.in_(mine)).values(experiment_id=holder))
    return int(moved)


def _holder(limbo: str) -> int:
    """The id of the limbo's own experiment, made when it is not there."""
    wanted = select(experiments.c.experiment_id).where(experiments.c.workspace == limbo, experiments.c.name == HOLDER)
    with database.engine().begin() as connection:
        found = connection.execute(wanted).scalar_one_or_none()
        if found is None:
            row = {"name": HOLDER, "workspace": limbo, "lifecycle_stage": "deleted", "artifact_location": ""}
            connection.execute(insert(experiments).values(**row))
            found = connection.execute(wanted).scalar_one()
    return int(found)


# ---- files, then rows ------------------------------------------------------------------------------
def places(repository_id: int) -> Iterator[str]:
    """Where the artifacts of what is in the limbo lie, below the destination; nothing that is not plainly its own."""
    limbo = f"{workspace_of(repository_id)}{LIMBO}"
    inside = experiments.c.workspace == limbo
    for row in rows_of(select(experiments.c.experiment_id, experiments.c.artifact_location).where(inside)):
        yield from _place(repository_id, row.artifact_location, str(row.experiment_id))
    held = select(experiments.c.experiment_id).where(inside, experiments.c.name == HOLDER)
    for table, key, uri in ((runs, "run_uuid", "artifact_uri"), (logged_models, "model_id", "artifact_location")):
        for batch in reclaimable.in_batches(table, key, table.c.experiment_id.in_(held), uri):
            for row in batch:
                yield from _place(repository_id, row[1], row[0])


def _place(repository_id: int, uri: str | None, own_id: str) -> Iterator[str]:
    place = (uri or "").rstrip("/").removesuffix("/artifacts")
    if is_own(repository_id, place) and place.rsplit("/", 1)[-1] == own_id:
        yield place.partition(":")[2].strip("/")


def _remove_rows(repository_id: int, told: _Told) -> None:
    limbo = f"{workspace_of(repository_id)}{LIMBO}"
    inside = select(experiments.c.experiment_id).where(experiments.c.workspace == limbo)
    metrics = removal.tables().tables["logged_model_metrics"]  # a run's, of a model that lives on
    for batch in reclaimable.in_batches(runs, "run_uuid", runs.c.experiment_id.in_(inside)):
        ids = [row[0] for row in batch]
        RunCommit.objects.filter(repository=repository_id, run_id__in=ids).delete()
        with database.engine().begin() as connection:
            connection.execute(metrics.delete().where(metrics.c.run_id.in_(ids)))
        told.beat()
    removal.remove_rows(limbo, beat=told.beat)
