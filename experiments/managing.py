"""MLflow's experiments of one repository as its people look after them: a page of them, and their changes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, func, select

from experiments import indexing
from experiments.database import Reader, experiment_tags, experiments, holds, reading, rows_of, runs
from experiments.mlflow import managing as mlflow
from experiments.mlflow.context import workspace_of
from experiments.runs import moment
from experiments.tracked import marks
from hub.accounts.actor import Actor
from hub.lib.errors import Conflict, NotFound, Unprocessable
from repos.models import Repository

MOST_NAME, MOST_TEXT = 256, 5000


@dataclass(frozen=True)
class Experiment:
    """runs: live ones, or the deleted ones of an experiment that is deleted. hubs: filled from git, never changed."""

    experiment_id: int
    name: str
    description: str
    deleted: bool
    created: datetime | None
    changed: datetime | None
    runs: int
    last_run: datetime | None
    hubs: bool


def listed(workspace: str, *, deleted: bool, text: str = "", start: int = 0, limit: int = 50) -> list[Experiment]:
    """By name. Three statements, whatever their number."""
    wanted = _of(workspace).where(experiments.c.lifecycle_stage == ("deleted" if deleted else "active"))
    if text:
        wanted = wanted.where(holds(experiments.c.name, text))
    with reading() as reader:
        found = reader.rows(wanted.order_by(experiments.c.name).offset(start).limit(limit))
        return _filled(reader, found)


def one(workspace: str, experiment_id: int) -> Experiment:
    """Raises NotFound, also for another repository's."""
    with reading() as reader:
        found = reader.rows(_of(workspace).where(experiments.c.experiment_id == min(experiment_id, 2**31 - 1)))
        if not found:
            raise NotFound("There is no such experiment here.")
        return _filled(reader, found)[0]


# ---- changes -------------------------------------------------------------------------------------
def create(actor: Actor, repository: Repository, name: str, text: str = "") -> Experiment:
    """Raises Unprocessable, and Conflict for a name that is taken."""
    name, text = _free_name(repository, name), _text(text)
    made = mlflow.create(repository.pk, user=actor.username, name=name)
    if text:
        mlflow.describe(repository.pk, user=actor.username, experiment_id=made, text=text)
    return one(workspace_of(repository.pk), int(made))


def rename(actor: Actor, repository: Repository, experiment_id: int, name: str) -> None:
    found = _changeable(repository, experiment_id)
    if name.strip() != found.name:
        name = _free_name(repository, name)
        mlflow.rename(repository.pk, user=actor.username, experiment_id=str(experiment_id), name=name)


def describe(actor: Actor, repository: Repository, experiment_id: int, text: str) -> None:
    _changeable(repository, experiment_id)
    mlflow.describe(repository.pk, user=actor.username, experiment_id=str(experiment_id), text=_text(text))


def delete(actor: Actor, repository: Repository, experiment_id: int) -> None:
    """With its runs; restore brings both back until somebody removes them for good."""
    _changeable(repository, experiment_id)
    mlflow.delete(repository.pk, user=actor.username, experiment_id=str(experiment_id))
    indexing.refresh(repository.pk)


def restore(actor: Actor, repository: Repository, experiment_id: int) -> None:
    """With all its runs, also those that were deleted before it."""
    if not one(workspace_of(repository.pk), experiment_id).deleted:
        raise Conflict("This experiment is not deleted.")
    mlflow.restore(repository.pk, user=actor.username, experiment_id=str(experiment_id))
    indexing.refresh(repository.pk)


def _changeable(repository: Repository, experiment_id: int) -> Experiment:
    found = one(workspace_of(repository.pk), experiment_id)
    if found.hubs:
        raise Conflict("This experiment is filled by the hub from commits and cannot be changed.")
    if found.deleted:
        raise Conflict("This experiment is deleted.", details="Restore it first.")
    return found


def _free_name(repository: Repository, name: str) -> str:
    name = name.strip()
    if not 0 < len(name) <= MOST_NAME or "\0" in name:
        raise Unprocessable(f"An experiment's name is 1 to {MOST_NAME} characters.")
    taken = _of(workspace_of(repository.pk)).where(experiments.c.name == name)
    if found := rows_of(taken):
        how = "Restore it, or remove it for good." if found[0].lifecycle_stage == "deleted" else "Choose another name."
        where = "A deleted experiment" if found[0].lifecycle_stage == "deleted" else "An experiment"
        raise Conflict(f"{where} has this name.", details=how)
    return name


def _text(text: str) -> str:
    if len(text) > MOST_TEXT or "\0" in text:
        raise Unprocessable(f"A description is at most {MOST_TEXT:,} characters.")
    return text


# ---- how it is read ------------------------------------------------------------------------------
def _of(workspace: str) -> Any:
    return select(experiments).where(experiments.c.workspace == workspace)


def _filled(reader: Reader, rows: Any) -> list[Experiment]:
    ids = [row.experiment_id for row in rows]
    if not ids:
        return []
    same: ColumnElement[bool] = and_(
        runs.c.experiment_id == experiments.c.experiment_id, runs.c.lifecycle_stage == experiments.c.lifecycle_stage
    )
    counted = select(runs.c.experiment_id, func.count().label("runs"), func.max(runs.c.start_time).label("last"))
    counted = counted.select_from(runs.join(experiments, same)).where(runs.c.experiment_id.in_(ids))
    totals = {row.experiment_id: row for row in reader.rows(counted.group_by(runs.c.experiment_id))}
    noted = select(experiment_tags.c.experiment_id, experiment_tags.c.value)
    noted = noted.where(experiment_tags.c.experiment_id.in_(ids), experiment_tags.c.key == mlflow.NOTE_TAG)
    notes = {row.experiment_id: row.value or "" for row in reader.rows(noted)}
    return [
        Experiment(
            experiment_id=row.experiment_id,
            name=row.name,
            description=notes.get(row.experiment_id, ""),
            deleted=row.lifecycle_stage == "deleted",
            created=moment(row.creation_time),
            changed=moment(row.last_update_time),
            runs=totals[row.experiment_id].runs if row.experiment_id in totals else 0,
            last_run=moment(totals[row.experiment_id].last) if row.experiment_id in totals else None,
            hubs=marks.is_hubs(row.artifact_location or ""),
        )
        for row in rows
    ]
