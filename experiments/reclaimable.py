"""What of a repository's deleted experiments, runs and logged models may go for good; counted, and listed in batches.

What a version of a registered model was made from is kept, and so is its experiment. The experiment that the hub fills
from git is none of MLflow's clients' and stays out of this.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.sql.expression import TableClause

from experiments.database import experiments, logged_models, model_versions, rows_of, runs
from experiments.registry.reading import DELETED_STAGE
from experiments.tracked import marks
from hub.lib.numbers import whole

AT_ONCE = 500  # ids per statement
_BETWEEN = re.compile(r"[/:]+")


@dataclass(frozen=True)
class Counts:
    """What is deleted and may go, the runs of deleted experiments with them; kept: what a registered version needs."""

    experiments: int
    runs: int
    models: int
    kept: int

    def __bool__(self) -> bool:
        return bool(self.experiments or self.runs or self.models)


def counts(workspace: str) -> Counts:
    needed = Needed(workspace)
    deleted = {kind: _count(*_deleted(kind, workspace)) for kind in KINDS}
    kept = {kind: _count(*_deleted(kind, workspace), ids=needed.of(kind)) for kind in KINDS}
    return Counts(**{kind: deleted[kind] - kept[kind] for kind in KINDS}, kept=sum(kept.values()))


def ids(kind: str, workspace: str, before: int) -> Iterator[list[Any]]:
    """Ids of experiments, runs or models that were deleted before a time in milliseconds, in batches."""
    kept = Needed(workspace).of(kind)
    table, key, condition = _deleted(kind, workspace)
    when = func.coalesce(table.c[KINDS[kind][2]], 0) <= before
    for batch in in_batches(table, key, condition & when):
        if going := [row[0] for row in batch if row[0] not in kept]:
            yield going


def in_batches(table: TableClause, key: str, condition: ColumnElement[bool], *more: str) -> Iterator[Sequence[Any]]:
    """Rows (key, more…) in the order of the key, AT_ONCE at a time, each batch asked for when it is wanted."""
    columns, last = [table.c[name] for name in (key, *more)], None
    while True:
        wanted = select(*columns).where(condition).order_by(columns[0]).limit(AT_ONCE)
        found = rows_of(wanted if last is None else wanted.where(columns[0] > last))
        if not found:
            return
        yield found
        last = found[-1][0]


KINDS = {  # kind → (table, its key, when a row was deleted)
    "experiments": (experiments, "experiment_id", "last_update_time"),
    "runs": (runs, "run_uuid", "deleted_time"),
    "models": (logged_models, "model_id", "last_updated_timestamp_ms"),
}


class Needed:
    """Ids of what versions of registered models were made from, deleted or not."""

    def __init__(self, workspace: str) -> None:
        self._experiments: set[int] = set()
        self._runs: set[str] = set()
        self._models: set[str] = set()
        versions = model_versions.c
        live = (versions.workspace == workspace, versions.current_stage != DELETED_STAGE)
        for row in rows_of(select(versions.run_id, versions.source, versions.storage_location).where(*live)):
            self._runs |= {row.run_id} - {None, ""}
            for address in {row.source or "", row.storage_location or ""}:
                self._read(_BETWEEN.split(address))

    def of(self, kind: str) -> set[Any]:
        """Of experiments those of such runs and models too."""
        if kind == "experiments":
            return self._all_experiments
        return self._runs if kind == "runs" else self._models

    def _read(self, parts: list[str]) -> None:
        """runs:/<run>/…, models:/<model>, mlflow-artifacts:/workspaces/r1/<experiment>/<run>/… or …/models/<model>/…"""
        if parts[0] == "runs":
            self._runs |= set(parts[1:2])
        elif parts[0] == "models":
            self._models |= set(parts[1:2])
        elif parts[1:2] == ["workspaces"]:
            self._experiments |= {number for part in parts[3:4] if (number := whole(part)) is not None}
            if parts[4:5] == ["models"]:
                self._models |= set(parts[5:6])
            else:
                self._runs |= set(parts[4:5])

    @cached_property
    def _all_experiments(self) -> set[int]:
        found = set(self._experiments)
        for table, key, wanted in ((runs, "run_uuid", self._runs), (logged_models, "model_id", self._models)):
            for some in _slices(wanted):
                named = select(table.c.experiment_id).where(table.c[key].in_(some)).distinct()
                found |= {row[0] for row in rows_of(named)}
        return found


def _deleted(kind: str, workspace: str) -> tuple[TableClause, str, ColumnElement[bool]]:
    table, key, _ = KINDS[kind]
    mine = (experiments.c.workspace == workspace) & experiments.c.artifact_location.not_like(f"%/{marks.EXPERIMENT}")
    stage = table.c.lifecycle_stage == "deleted"
    if kind == "experiments":
        return table, key, stage & mine
    return table, key, stage & table.c.experiment_id.in_(select(experiments.c.experiment_id).where(mine))


def _count(table: TableClause, key: str, condition: ColumnElement[bool], *, ids: set[Any] | None = None) -> int:
    """How many rows; ids: of these alone."""
    counted = select(func.count()).select_from(table).where(condition)
    parts = [counted] if ids is None else [counted.where(table.c[key].in_(some)) for some in _slices(ids)]
    return sum(int(rows[0][0]) for part in parts if (rows := rows_of(part)))


def _slices(values: set[Any]) -> Iterator[list[Any]]:
    whole = sorted(values)
    for start in range(0, len(whole), AT_ONCE):
        yield whole[start : start + AT_ONCE]
